"""A slow and obvious capture decoder: the oracle for the compiled one."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass

FRAGMENT, LATER_FRAGMENT, TRUNCATED, MALFORMED = 1, 2, 4, 8
MASK = (1 << 64) - 1
EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}
VLANS = {0x8100, 0x88A8, 0x9100, 0x9200}


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
            self.row.flags |= MALFORMED
        else:
            self.wire_end = self.at + n
            self.end = min(self.end, self.wire_end)


def decode(frame: bytes, wire: int, link_type: int, time_ns: int = 0) -> Row:
    """Decode one frame to its columns."""
    row = Row(time_ns, len(frame), wire, link_type)
    row.flags = TRUNCATED if len(frame) < wire else 0
    try:
        decode_link(Cursor(frame, max(wire, len(frame)), row), link_type)
    except ShortHeaderError:
        row.flags |= MALFORMED
    return row


def decode_link(c: Cursor, link_type: int) -> None:
    if link_type == 1:
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif link_type == 113:
        decode_type(c, int.from_bytes(c.take(16)[14:], "big"))
    elif link_type == 276:
        decode_type(c, int.from_bytes(c.take(20)[:2], "big"))
    elif link_type in (0, 108):
        family = c.take(4)
        if {int.from_bytes(family, "big"), int.from_bytes(family, "little")} & {2, 10, 24, 28, 30}:
            decode_ip(c)
    elif link_type in (12, 14, 101, 228, 229):
        decode_ip(c)


def decode_type(c: Cursor, kind: int) -> None:
    while kind in VLANS:
        kind = struct.unpack("!HH", c.take(4))[1]
    if kind < 0x600:
        c.limit(kind)
        if (
            c.frame[c.at : min(c.at + 6, c.end)] != bytes.fromhex("aaaa03000000")
            or c.end < c.at + 8
        ):
            return
        kind = int.from_bytes(c.take(8)[6:], "big")
    if kind in (0x0800, 0x86DD):
        decode_ip(c)
    elif kind in (0x8847, 0x8848):
        while not c.take(4)[2] & 1:
            pass
        if c.at < c.end and c.peek(1)[0] >> 4 in (4, 6):
            decode_ip(c)
    elif kind == 0x8864:
        c.peek(8)
        c.limit(int.from_bytes(c.take(6)[4:], "big"))
        if c.take(2) in (b"\x00\x21", b"\x00\x57"):
            decode_ip(c)


def decode_ip(c: Cursor) -> None:
    version = c.peek(1)[0] >> 4
    if version == 4:
        decode_ipv4(c)
    elif version == 6:
        decode_ipv6(c)
    else:
        raise ShortHeaderError


def mark_fragment(row: Row, offset: int, more: int) -> None:
    row.flags |= (FRAGMENT if offset or more else 0) | (LATER_FRAGMENT if offset else 0)


def decode_ipv4(c: Cursor) -> None:
    head = c.peek(20)
    words = head[0] & 15
    if words < 5:
        raise ShortHeaderError
    total, _, fragment, _, protocol = struct.unpack("!HHHBB", head[2:10])
    row = c.row
    row.ip_version, row.ip_protocol = 4, protocol
    row.src_key, row.dst_key = hash_address(head[12:16]), hash_address(head[16:20])
    mark_fragment(row, fragment & 0x1FFF, fragment & 0x2000)
    if total:
        c.limit(total)
    c.take(words * 4)
    if protocol == 51 and not row.flags & LATER_FRAGMENT:
        take_extension(c)
    decode_transport(c)


def decode_ipv6(c: Cursor) -> None:
    head = c.take(40)
    row = c.row
    row.ip_version, row.ip_protocol = 6, head[6]
    row.src_key, row.dst_key = hash_address(head[8:24]), hash_address(head[24:40])
    length = int.from_bytes(head[4:6], "big")
    if length:
        c.limit(length)
    while row.ip_protocol in EXTENSIONS and not row.flags & LATER_FRAGMENT:
        take_extension(c)
    decode_transport(c)


def take_extension(c: Cursor) -> None:
    head = c.peek(8)
    kind = c.row.ip_protocol
    size = 8 if kind == 44 else (head[1] + 2) * 4 if kind == 51 else (head[1] + 1) * 8
    c.take(size)
    c.row.ip_protocol = head[0]
    if kind == 44:
        word = int.from_bytes(head[2:4], "big")
        mark_fragment(c.row, word >> 3, word & 1)


def decode_transport(c: Cursor) -> None:
    row = c.row
    if row.flags & LATER_FRAGMENT or row.ip_protocol not in (1, 6, 17, 58, 132):
        return
    rest = c.frame[c.at : c.end]
    if row.ip_protocol in (6, 17, 132) and len(rest) >= 4:
        row.src_port, row.dst_port = struct.unpack("!HH", rest[:4])
    {1: icmp, 58: icmp, 6: tcp, 17: udp, 132: sctp}[row.ip_protocol](c, rest)
    row.payload_offset = c.at
    row.payload_bytes = c.end - c.at
    row.payload_wire_bytes = c.wire_end - c.at


def udp(c: Cursor, rest: bytes) -> None:
    length = int.from_bytes(c.peek(8)[4:6], "big")
    in_fragment = c.row.flags & FRAGMENT and length >= c.wire_end - c.at
    if 0 < length < 8:
        c.row.flags |= MALFORMED
    elif length and not in_fragment:
        c.limit(length)
    c.take(8)


def tcp(c: Cursor, rest: bytes) -> None:
    if len(rest) >= 8:
        c.row.tcp_seq = int.from_bytes(rest[4:8], "big")
    if len(rest) >= 12:
        c.row.tcp_ack = int.from_bytes(rest[8:12], "big")
    if len(rest) >= 14:
        c.row.tcp_flags = rest[13]
    words = c.peek(20)[12] >> 4
    if words < 5:
        raise ShortHeaderError
    c.take(words * 4)


def sctp(c: Cursor, rest: bytes) -> None:
    c.take(12)


def icmp(c: Cursor, rest: bytes) -> None:
    if len(rest) >= 2:
        c.row.icmp_type, c.row.icmp_code = rest[0], rest[1]
    c.take(8)


def as_dict(row: Row) -> dict[str, int]:
    """Return the row as a plain dictionary."""
    return asdict(row)
