"""What a tunnel's header leads to, slowly and obviously: how many bytes, and what follows them."""

from __future__ import annotations

import struct

Next = tuple[int, int | str]
"""Bytes to step over, and the Ethernet type that follows, or a name such as "ip" or "ppp"."""


def looks_like_ip(rest: bytes, wire: int, *, is_part: bool) -> bool:
    """Judge an IP header by its version and lengths."""
    if len(rest) < 20:
        return False
    if rest[0] >> 4 == 6:
        return len(rest) >= 40
    header, total = (rest[0] & 15) * 4, int.from_bytes(rest[2:4], "big")
    plausible = not total or (total >= header and (total <= wire or is_part))
    return rest[0] >> 4 == 4 and header >= 20 and plausible


def gre(rest: bytes) -> Next | None:
    """Step over GRE, with its optional fields."""
    flags, kind = struct.unpack("!HH", rest[:4])
    size = 4 + 4 * bool(flags & 0xC000) + 4 * bool(flags & 0x2000) + 4 * bool(flags & 0x1000)
    size += 4 * (flags & 7 == 1 and bool(flags & 0x80))
    if flags & 0x4000 or flags & 7 > 1:
        return None
    mirror = "erspan 2" if flags & 0x1000 else "ethernet"
    names = {0x880B: "ppp", 0x883E: "wccp", 0x88BE: mirror, 0x22EB: "erspan 3"}
    return size, names.get(kind, kind)


def gtp_u(rest: bytes) -> Next | None:
    """Step over GTP-U user data with its extension headers."""
    if len(rest) < 8 or rest[0] >> 4 != 3 or rest[1] != 255:
        return None
    at, following = 8, 0
    if rest[0] & 7:
        if len(rest) < 12:
            return None
        following, at = rest[11] if rest[0] & 4 else 0, 12
    while following:
        size = rest[at] * 4 if at < len(rest) else 0
        if not size or at + size > len(rest):
            return None
        following = rest[at + size - 1]
        at += size
    return at, "ip"


def vxlan(rest: bytes) -> Next | None:
    """Step over VXLAN."""
    return (8, "ethernet") if len(rest) >= 8 and rest[0] & 8 and not rest[7] else None


def geneve(rest: bytes) -> Next | None:
    """Step over Geneve and its options."""
    if len(rest) < 8 or rest[0] >> 6:
        return None
    return 8 + (rest[0] & 63) * 4, int.from_bytes(rest[2:4], "big")


def teredo(rest: bytes) -> Next | None:
    """Step over Teredo's indications."""
    at = 0
    if rest[:2] == b"\0\1" and len(rest) >= 4:
        at = 13 + rest[2] + rest[3]
    if rest[at : at + 2] == b"\0\0" and len(rest) >= at + 8:
        at += 8
    return (at, "ip") if rest[at : at + 1] and rest[at] >> 4 == 6 else None


def mpls(rest: bytes) -> Next | None:
    """Leave the labels to the caller."""
    return 0, "mpls"


PORTS = {2152: gtp_u, 3544: teredo, 4789: vxlan, 8472: vxlan, 6081: geneve, 6635: mpls}
