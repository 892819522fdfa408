"""SCTP read from simulated captures by hand: packets, chunks, user messages (RFC 9260)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.simulate.signalling.simulated import PLAIN, packets
from traffic_siamese.simulate.signalling.episode import Episode

CORE = replace(PLAIN, protocol="diameter", transport="sctp", n_addresses=6, keep_alives_per_s=0.0)
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT = range(7)
SHUTDOWN, SHUTDOWN_ACK, COOKIE_ECHO, COOKIE_ACK, SHUTDOWN_COMPLETE = 7, 8, 10, 11, 14


@dataclass(frozen=True)
class Chunk:
    """A chunk: seconds since the first packet, its packet's number, who sends to whom, and the tag.

    ``numbers`` are the first words of its value.
    """

    time_s: float
    packet: int
    ends: tuple[bytes, bytes]
    tag: int
    kind: int
    flags: int
    body: bytes

    @property
    def numbers(self) -> tuple[int, ...]:
        """The value as words of 32 bits."""
        n = len(self.body) // 4
        return struct.unpack_from(f">{n}I", self.body)

    @property
    def to_core(self) -> bool:
        """Whether it goes to the core's port."""
        return self.ends[1][4:] == b"\x0f\x1c"

    @property
    def pair(self) -> frozenset[bytes]:
        """Both ends: the association."""
        return frozenset(self.ends)


def sctp_of(frame: bytes) -> bytes:
    """Return the SCTP packet in a frame over IPv4."""
    assert frame[12:14] == b"\x08\x00"
    assert frame[23] == 132
    return frame[34:]


def chunks(one: Episode) -> list[Chunk]:
    """Read all chunks of an episode, in order."""
    seen = packets(one)
    return [
        chunk
        for i, packet in enumerate(seen)
        for chunk in _walk(packet.frame, packet.time_s - seen[0].time_s, i)
    ]


def _walk(frame: bytes, time_s: float, number: int) -> Iterator[Chunk]:
    packet = sctp_of(frame)
    ends = frame[26:30] + packet[:2], frame[30:34] + packet[2:4]
    (tag,) = struct.unpack_from(">I", packet, 4)
    at = 12
    while at < len(packet):
        kind, flags, length = struct.unpack_from(">BBH", packet, at)
        assert length >= 4
        assert packet[at + length : at + length + -length % 4].strip(b"\0") == b""
        yield Chunk(time_s, number, ends, tag, kind, flags, packet[at + 4 : at + length])
        at += length + -length % 4
    assert at == len(packet)


def data_of(found: list[Chunk]) -> list[Chunk]:
    """Return the DATA chunks."""
    return [chunk for chunk in found if chunk.kind == DATA]
