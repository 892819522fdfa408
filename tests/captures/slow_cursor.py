"""A packet's row, and a cursor over its bytes, as the slow decoder uses them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.captures import slow_tunnels

FRAGMENT, LATER_FRAGMENT, TRUNCATED, MALFORMED = 1, 2, 4, 8
MASK = (1 << 64) - 1


class ShortHeaderError(Exception):
    """A header does not fit into the captured bytes."""


@dataclass
class Row:
    """The columns of one packet; offsets count from the frame's start."""

    time_ns: int = 0
    captured_bytes: int = 0
    wire_bytes: int = 0
    link_type: int = 0
    ip_version: int = 0
    ip_protocol: int = 0
    flags: int = 0
    src_key: int = 0
    dst_key: int = 0
    src_port: int = 0
    dst_port: int = 0
    tcp_flags: int = 0
    tcp_seq: int = 0
    tcp_ack: int = 0
    icmp_type: int = 0
    icmp_code: int = 0
    payload_offset: int = 0
    payload_bytes: int = 0
    payload_wire_bytes: int = 0
    encapsulation: int = 0


def mix(x: int) -> int:
    """Finalise as splitmix64 does."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def hash_address(address: bytes) -> int:
    """Hash eight bytes a step, the last ones padded with zeros."""
    h = (len(address) * 0x9E3779B97F4A7C15) & MASK
    while len(address) >= 8:
        h = mix(h ^ int.from_bytes(address[:8], "little"))
        address = address[8:]
    return mix(h ^ int.from_bytes(address, "little") ^ 0x2545F4914F6CDD1D)


class Cursor:
    """What is left of a frame: captured bytes, and how many were on the wire."""

    def __init__(self, frame: bytes, wire: int, row: Row) -> None:
        self.frame, self.at, self.end, self.wire_end, self.row = frame, 0, len(frame), wire, row
        self.n_ip, self.is_part = 0, False

    @property
    def rest(self) -> bytes:
        """What is left."""
        return self.frame[self.at : self.end]

    def looks_like_ip(self) -> bool:
        """Tell whether an IP packet begins here."""
        wire = self.wire_end - self.at
        return slow_tunnels.looks_like_ip(self.rest, wire, is_part=self.is_part)

    def peek(self, n: int) -> bytes:
        """Return the next bytes and stay."""
        if self.at + n > self.end:
            raise ShortHeaderError
        return self.frame[self.at : self.at + n]

    def take(self, n: int) -> bytes:
        """Return the next bytes and step over them."""
        data = self.peek(n)
        self.at += n
        return data

    def limit(self, n: int) -> None:
        """End the frame after n more bytes; mark it where there are fewer on the wire."""
        if self.at + n > self.wire_end:
            self.row.flags |= 0 if self.is_part else MALFORMED
        else:
            self.wire_end = self.at + n
            self.end = min(self.end, self.wire_end)
