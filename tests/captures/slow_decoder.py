"""A slow and obvious capture decoder: the oracle for the compiled one."""

from __future__ import annotations

import struct
from copy import copy
from dataclasses import replace

from tests.captures import slow_tunnels
from tests.captures.slow_cursor import (
    FRAGMENT,
    LATER_FRAGMENT,
    MALFORMED,
    TRUNCATED,
    Cursor,
    Row,
    ShortHeaderError,
    hash_address,
)

EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}
VLANS = {0x8100, 0x88A8, 0x9100, 0x9200}


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
        c.row.encapsulation |= 1
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
        decode_mpls(c)
    elif kind == 0x8864:
        c.row.encapsulation |= 4
        c.peek(8)
        c.limit(int.from_bytes(c.take(6)[4:], "big"))
        decode_ppp(c)
    elif kind == 0x6558:
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif kind == 0x88E7:
        c.row.encapsulation |= 1
        c.take(4)
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))


def decode_mpls(c: Cursor) -> None:
    c.row.encapsulation |= 2
    while not c.take(4)[2] & 1:
        pass
    version = c.rest[0] >> 4 if c.rest else -1
    if c.looks_like_ip():
        decode_ip(c)
    elif version == 0 and bridges(c.rest[4:]):
        c.take(4)
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif bridges(c.rest):
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif version in (4, 6):
        decode_ip(c)


def bridges(frame: bytes) -> bool:
    """Tell whether an Ethernet frame may begin here."""
    if len(frame) < 15:
        return False
    kind, version = int.from_bytes(frame[12:14], "big"), frame[14] >> 4
    if kind in (0x0800, 0x86DD):
        return version == {0x0800: 4, 0x86DD: 6}[kind]
    return kind in VLANS or kind in (0x8847, 0x8864)


def decode_ppp(c: Cursor) -> None:
    if c.rest[:2] == b"\xff\x03":
        c.take(2)
    n = 1 if c.peek(1)[0] & 1 else 2
    kind = int.from_bytes(c.take(n), "big")
    if kind in (0x21, 0x57):
        decode_ip(c)
    elif kind in (0x281, 0x283):
        decode_mpls(c)


def decode_next(c: Cursor, kind: int | str) -> None:
    """Go on with what a tunnel says that it carries."""
    if kind == "ip":
        if c.looks_like_ip():
            decode_ip(c)
    elif kind == "wccp":
        if not c.looks_like_ip() and len(c.rest) >= 4:
            c.take(4)
        decode_next(c, "ip")
    elif kind == "erspan 2":
        c.take(8)
        decode_next(c, "ethernet")
    elif kind == "erspan 3":
        c.take(20 if c.peek(12)[11] & 1 else 12)
        decode_next(c, "ethernet")
    elif kind == "ethernet":
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif kind in ("mpls", "ppp"):
        {"mpls": decode_mpls, "ppp": decode_ppp}[str(kind)](c)
    else:
        decode_type(c, int(kind))


def decode_ip(c: Cursor) -> None:
    version = c.peek(1)[0] >> 4
    if version == 4:
        decode_ipv4(c)
    elif version == 6:
        decode_ipv6(c)
    else:
        raise ShortHeaderError


def mark_fragment(c: Cursor, offset: int, more: int) -> None:
    if offset or more:
        c.row.flags |= FRAGMENT | (LATER_FRAGMENT if offset else 0)


def start_ip(c: Cursor, version: int, protocol: int) -> None:
    c.n_ip += 1
    row = c.row
    row.ip_version, row.ip_protocol, row.src_port, row.dst_port = version, protocol, 0, 0
    row.payload_offset = row.payload_bytes = row.payload_wire_bytes = 0


def decode_ipv4(c: Cursor) -> None:
    head = c.peek(20)
    words = head[0] & 15
    if words < 5:
        raise ShortHeaderError
    total, _, fragment, _, protocol = struct.unpack("!HHHBB", head[2:10])
    start_ip(c, 4, protocol)
    c.row.src_key, c.row.dst_key = hash_address(head[12:16]), hash_address(head[16:20])
    mark_fragment(c, fragment & 0x1FFF, fragment & 0x2000)
    if total:
        c.limit(total)
    c.take(words * 4)
    c.is_part |= bool(fragment & 0x3FFF)
    if fragment & 0x1FFF or (protocol == 51 and not take_extension(c)):
        return
    decode_transport(c)


def decode_ipv6(c: Cursor) -> None:
    head = c.take(40)
    row = c.row
    start_ip(c, 6, head[6])
    row.src_key, row.dst_key = hash_address(head[8:24]), hash_address(head[24:40])
    length = int.from_bytes(head[4:6], "big")
    if length:
        c.limit(length)
    while row.ip_protocol in EXTENSIONS:
        if not take_extension(c):
            return
    decode_transport(c)


def take_extension(c: Cursor) -> bool:
    """Step over one extension header; False where only the first fragment has what follows."""
    head = c.peek(8)
    kind = c.row.ip_protocol
    size = 8 if kind == 44 else (head[1] + 2) * 4 if kind == 51 else (head[1] + 1) * 8
    c.take(size)
    c.row.ip_protocol = head[0]
    if kind == 44:
        word = int.from_bytes(head[2:4], "big")
        mark_fragment(c, word >> 3, word & 1)
        c.is_part |= bool(word & 0xFFF9)
        return not word >> 3
    return True


def decode_transport(c: Cursor) -> None:
    row, rest = c.row, c.rest
    if row.ip_protocol in (4, 41, 47, 97, 137):
        decode_inside(c, rest)
        return
    if row.ip_protocol not in (1, 6, 17, 58, 132):
        return
    if row.ip_protocol in (6, 17, 132) and len(rest) >= 4:
        row.src_port, row.dst_port = struct.unpack("!HH", rest[:4])
    {1: icmp, 58: icmp, 6: tcp, 17: udp, 132: sctp}[row.ip_protocol](c, rest)
    row.payload_offset = c.at
    row.payload_bytes = c.end - c.at
    row.payload_wire_bytes = c.wire_end - c.at
    if row.ip_protocol == 17:
        decode_udp_tunnel(c)


def decode_inside(c: Cursor, rest: bytes) -> None:
    """Step into what IP itself says is a tunnel."""
    protocol = c.row.ip_protocol
    if protocol in (4, 41) and rest:
        c.row.encapsulation |= 32
        decode_ip(c)
    elif protocol == 97 and len(rest) >= 2 and rest[0] == 0x30:
        c.row.encapsulation |= 32
        c.take(2)
        decode_type(c, int.from_bytes(c.take(14)[12:], "big"))
    elif protocol == 137:
        decode_mpls(c)
    elif protocol == 47:
        c.row.encapsulation |= 16
        c.peek(4)
        step = slow_tunnels.gre(rest)
        if step is not None:
            c.take(step[0])
            if c.rest:
                decode_next(c, step[1])


TUNNEL_BITS = {2152: 64, 3544: 512, 4789: 128, 8472: 128, 6081: 256, 6635: 0}


def decode_udp_tunnel(c: Cursor) -> None:
    """Try what the ports suggest on a copy; it counts only where it leads to IP."""
    port = next((p for p in (c.row.dst_port, c.row.src_port) if p in slow_tunnels.PORTS), 0)
    step = slow_tunnels.PORTS[port](c.rest) if port else None
    if step is None:
        return
    inside = copy(c)
    inside.row = replace(c.row, encapsulation=c.row.encapsulation | TUNNEL_BITS[port])
    if port == 2152:
        inside.limit(8 + int.from_bytes(c.rest[2:4], "big"))
    try:
        inside.take(step[0])
        decode_next(inside, step[1])
    except ShortHeaderError:
        inside.row.flags |= MALFORMED
    if inside.n_ip > c.n_ip:
        vars(c.row).update(vars(inside.row))


def udp(c: Cursor, rest: bytes) -> None:
    length = int.from_bytes(c.peek(8)[4:6], "big")
    if 0 < length < 8:
        c.row.flags |= MALFORMED
    elif length:
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
