"""Write HTTP/2 and HTTP/1.1 connections, with struct and another library's header compression."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hpack import Encoder

from tests import builders as b
from tests.features.sip import START_NS, address

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SBI_PORT = 7777
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """Return a frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack("!I", stream)
    return head + payload


class Sender:
    """One side of an HTTP/2 connection."""

    def __init__(self) -> None:
        self._encoder = Encoder()

    def headers(self, stream: int, fields: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
        """Return a header block in one frame, and a body in another."""
        block = self._encoder.encode(list(fields))
        flags = END_HEADERS | (0 if body else END_STREAM)
        message = frame(HEADERS, block, flags=flags, stream=stream)
        return message + (frame(DATA, body, flags=END_STREAM, stream=stream) if body else b"")

    def request(self, stream: int, method: str, path: str, body: bytes = b"") -> bytes:
        """Return a request."""
        fields = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "nf.5gc"),
            (":path", path),
        ]
        return self.headers(stream, [*fields, ("user-agent", "AMF")], body)

    def answer(self, stream: int, status: int, location: str = "", body: bytes = b"") -> bytes:
        """Return an answer."""
        fields = [(":status", str(status)), ("server", "smf")]
        return self.headers(stream, fields + [("location", location)] * bool(location), body)


def http1_request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request of HTTP/1.1."""
    head = f"{method} {path} HTTP/1.1\r\nHost: nf.5gc\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def http1_answer(status: int, location: str = "", body: bytes = b"") -> bytes:
    """Return an answer of HTTP/1.1."""
    where = f"Location: {location}\r\n" if location else ""
    return f"HTTP/1.1 {status} x\r\n{where}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """A TCP connection from a client, host 2, to a server, host 1; gathers its packets."""

    def __init__(self, *, port: int = 40000, to_port: int = SBI_PORT) -> None:
        self.packets: list[b.Packet] = []
        self._ports = (port, to_port)
        self._seq = [1000, 5000]

    def send(self, side: int, payload: bytes, time_s: float = 0.0, *, lost: bool = False) -> None:
        """Send bytes from the client (0) or the server (1); they are captured unless lost."""
        hosts, ports = ((2, 1), self._ports) if side == 0 else ((1, 2), self._ports[::-1])
        numbers = (self._seq[side], self._seq[1 - side])
        self._seq[side] += len(payload)
        packet = b.tcp(payload, ports=ports, numbers=numbers)
        ends = {"source": address(hosts[0]), "target": address(hosts[1])}
        if not lost:
            time_ns = START_NS + round(time_s * 1e9)
            self.packets.append(b.Packet(b.ethernet(b.ipv4(packet, 6, **ends)), time_ns))

    def send_in_parts(self, side: int, payload: bytes, cuts: Sequence[int]) -> None:
        """Send bytes as segments that end where they are cut."""
        places = sorted({0, len(payload), *(cut % (len(payload) + 1) for cut in cuts)})
        for start, stop in pairwise(places):
            self.send(side, payload[start:stop])
