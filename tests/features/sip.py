"""Write SIP messages and packets that carry them, and read them back as series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests import builders as b
from traffic_siamese.features.series import read_series
from traffic_siamese.types import TrafficLog

SECOND = 10**9
START_NS = 1_700_000_000 * SECOND
STYLES = ("plain", "compact", "lower", "folded", "spaced")
NAMES = {"Via": "v", "Call-ID": "i", "Content-Length": "l", "From": "f", "To": "t"}


@dataclass(frozen=True)
class Sip:
    """What a message says; ``method`` is the CSeq's, ``status`` 0 in a request."""

    method: str
    status: int = 0
    call: str = "call-1"
    branch: str | None = "z9hG4bK1"
    number: int | None = 1
    user: str = "bob"
    tag: str = "t1"
    style: str = "plain"
    body: bytes = b""

    @property
    def head(self) -> bytes:
        """The head, blank line included."""
        start = f"SIP/2.0 {self.status} Whatever" if self.status else self._request_line()
        headers = [] if self.branch is None else [("Via", f"SIP/2.0/UDP h;branch={self.branch}")]
        headers += [
            ("Via", "SIP/2.0/UDP older;branch=z9hG4bKolder"),
            ("To", f"<sip:x>;tag={self.tag}"),
        ]
        headers += [("Call-ID", self.call)]
        headers += [] if self.number is None else [("CSeq", f"{self.number} {self.method}")]
        headers = headers[1:] if self.branch is None else headers
        headers += [("Content-Length", str(len(self.body)))]
        lines = [start, *(self._header(name, value) for name, value in headers), "", ""]
        return "\r\n".join(lines).encode()

    @property
    def wire(self) -> bytes:
        """Head and body."""
        return self.head + self.body

    def _request_line(self) -> str:
        return f"{self.method} sip:{self.user}@example.com SIP/2.0"

    def _header(self, name: str, value: str) -> str:
        if self.style == "compact":
            return f"{NAMES.get(name, name)}: {value}"
        if self.style == "lower":
            return f"{name.lower()}:{value}"
        if self.style == "folded":
            return (
                f"{name}:\r\n\t{value}"
                if " " not in value
                else f"{name}: " + value.replace(" ", "\r\n  ", 1)
            )
        return f"{name} \t:   {value}  " if self.style == "spaced" else f"{name}: {value}"


def address(host: int) -> bytes:
    """Return an IPv4 address by number."""
    return (0x0A000000 + host).to_bytes(4, "big")


def datagram(
    payload: bytes,
    time_ns: int,
    *,
    hosts: tuple[int, int] = (2, 1),
    ports: tuple[int, int] = (5060, 5060),
) -> b.Packet:
    """Return a UDP packet from one host to another."""
    source, target = (address(host) for host in hosts)
    frame = b.ethernet(b.ipv4(b.udp(payload, ports=ports), source=source, target=target))
    return b.Packet(frame, time_ns)


def segment(
    payload: bytes,
    seq: int,
    *,
    time_ns: int = START_NS,
    flags: int = 0x18,
    captured: int | None = None,
    ports: tuple[int, int] = (40000, 5060),
) -> b.Packet:
    """Return a TCP packet from host 2 to host 1; ``captured`` payload bytes are kept."""
    numbers = (seq % 2**32, 1)
    packet = b.tcp(payload, ports=ports, numbers=numbers, flags=flags)
    frame = b.ethernet(b.ipv4(packet, 6, source=address(2), target=address(1)))
    kept = len(frame) if captured is None else len(frame) - len(payload) + captured
    return b.Packet(frame[:kept], time_ns, len(frame))


def read(path: Path, packets: list[b.Packet], *, bin_s: float = 1.0) -> TrafficLog:
    """Write the packets to a capture and read its series."""
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return read_series(path, bin_s=bin_s)


def totals(log: TrafficLog) -> dict[str, float]:
    """Return each feature's sum over all bins, where it is not zero."""
    names = log.series[0].feature_names
    sums = sum(series.values.sum(axis=0, dtype=float) for series in log.series)
    return {name: float(value) for name, value in zip(names, sums, strict=True) if value}
