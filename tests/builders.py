"""Write captures and packets byte by byte, with nothing but struct."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
MODIFIED = 0xA1B2CD34
ETHERNET = 1


@dataclass(frozen=True)
class Packet:
    """One packet to write; ``wire_bytes`` None means all of it was captured."""

    frame: bytes
    time_ns: int = 1_700_000_000_000_000_000
    wire_bytes: int | None = None

    @property
    def wire(self) -> int:
        """Bytes on the wire."""
        return len(self.frame) if self.wire_bytes is None else self.wire_bytes


def pcap_header(
    *,
    order: str = "<",
    magic: int = MICROSECONDS,
    link_type: int = ETHERNET,
    snaplen: int = 262144,
    version: tuple[int, int] = (2, 4),
) -> bytes:
    """Return the file header of a classic pcap."""
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link_type)


def pcap_record(packet: Packet, *, order: str = "<", magic: int = MICROSECONDS) -> bytes:
    """Return one packet record of a classic pcap."""
    seconds, ns = divmod(packet.time_ns, 10**9)
    ticks = ns if magic == NANOSECONDS else ns // 1000
    header = struct.pack(order + "IIII", seconds, ticks, len(packet.frame), packet.wire)
    extra = struct.pack(order + "IHBB", 1, 0x800, 0, 0) if magic == MODIFIED else b""
    return header + extra + packet.frame


def pcap(
    packets: Iterable[Packet],
    *,
    order: str = "<",
    magic: int = MICROSECONDS,
    link_type: int = ETHERNET,
    snaplen: int = 262144,
) -> bytes:
    """Return a whole classic pcap file."""
    head = pcap_header(order=order, magic=magic, link_type=link_type, snaplen=snaplen)
    return head + b"".join(pcap_record(p, order=order, magic=magic) for p in packets)


def pad4(data: bytes) -> bytes:
    """Pad with zeros to a multiple of four bytes."""
    return data + bytes(-len(data) % 4)


def block(kind: int, body: bytes, *, order: str = "<") -> bytes:
    """Return one pcapng block around a body of a multiple of four bytes."""
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def options(pairs: Iterable[tuple[int, bytes]], *, order: str = "<") -> bytes:
    """Return pcapng options with their end mark; nothing for no options."""
    packed = [struct.pack(order + "HH", code, len(v)) + pad4(v) for code, v in pairs]
    return b"".join([*packed, bytes(4)]) if packed else b""


def section(*, order: str = "<", version: int = 1, length: int = -1) -> bytes:
    """Return a section header block."""
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, length)
    return block(0x0A0D0D0A, body, order=order)


def interface(
    *,
    order: str = "<",
    link_type: int = ETHERNET,
    snaplen: int = 0,
    resolution: int | None = None,
    offset_s: int | None = None,
) -> bytes:
    """Return an interface description block; ``resolution`` is the raw if_tsresol byte."""
    pairs = [(2, b"eth0")]
    if resolution is not None:
        pairs.append((9, bytes([resolution])))
    if offset_s is not None:
        pairs.append((14, struct.pack(order + "q", offset_s)))
    body = struct.pack(order + "HHI", link_type, 0, snaplen) + options(pairs, order=order)
    return block(1, body, order=order)


def enhanced(packet: Packet, ticks: int, *, order: str = "<", number: int = 0) -> bytes:
    """Return an enhanced packet block; ``ticks`` is the raw 64-bit time stamp."""
    high, low = divmod(ticks, 1 << 32)
    head = struct.pack(order + "IIIII", number, high, low, len(packet.frame), packet.wire)
    comment = options([(1, b"hello")], order=order)
    return block(6, head + pad4(packet.frame) + comment, order=order)


def obsolete(packet: Packet, ticks: int, *, order: str = "<", number: int = 0) -> bytes:
    """Return an obsolete packet block."""
    high, low = divmod(ticks, 1 << 32)
    head = struct.pack(order + "HHIIII", number, 0, high, low, len(packet.frame), packet.wire)
    return block(2, head + pad4(packet.frame), order=order)


def simple(packet: Packet, *, order: str = "<") -> bytes:
    """Return a simple packet block."""
    return block(3, struct.pack(order + "I", packet.wire) + pad4(packet.frame), order=order)


def ethernet(payload: bytes, kind: int = 0x0800, *, tags: Sequence[int] = ()) -> bytes:
    """Return an Ethernet frame; ``tags`` are the types of the VLAN tags, outermost first."""
    stacked = b"".join(struct.pack("!HH", tag, 100 + i) for i, tag in enumerate(tags))
    return bytes(range(12)) + stacked + struct.pack("!H", kind) + payload


def ipv4(
    payload: bytes,
    protocol: int = 17,
    *,
    source: bytes = b"\x0a\0\0\1",
    target: bytes = b"\x0a\0\0\2",
    fragment: int = 0,
    options: bytes = b"",
    total: int | None = None,
) -> bytes:
    """Return an IPv4 packet; ``fragment`` is the raw word of flags and offset."""
    words = 5 + len(options) // 4
    length = words * 4 + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, length, 7, fragment, 64, protocol, 0)
    return head + source + target + options + payload


def ipv6(
    payload: bytes,
    protocol: int = 17,
    *,
    source: bytes = bytes(15) + b"\1",
    target: bytes = bytes(15) + b"\2",
    extensions: Sequence[tuple[int, bytes]] = (),
    length: int | None = None,
) -> bytes:
    """Return an IPv6 packet; each extension is its number and its bytes but for the first."""
    numbers = [number for number, _ in extensions] + [protocol]
    chain = b"".join(
        bytes([following]) + body
        for following, (_, body) in zip(numbers[1:], extensions, strict=True)
    )
    n = len(chain) + len(payload) if length is None else length
    head = struct.pack("!IHBB", 6 << 28, n, numbers[0], 64)
    return head + source + target + chain + payload


def udp(payload: bytes = b"", *, ports: tuple[int, int] = (5060, 5061), length: int = -1) -> bytes:
    """Return a UDP datagram; ``length`` replaces the true one unless negative."""
    return struct.pack("!HHHH", *ports, len(payload) + 8 if length < 0 else length, 0) + payload


def tcp(
    payload: bytes = b"",
    *,
    ports: tuple[int, int] = (40000, 5060),
    numbers: tuple[int, int] = (1, 2),
    flags: int = 0x18,
    options: bytes = b"",
) -> bytes:
    """Return a TCP segment; ``numbers`` are sequence and acknowledgement."""
    offset = (5 + len(options) // 4) << 4
    return struct.pack("!HHIIBBHHH", *ports, *numbers, offset, flags, 512, 0, 0) + options + payload


def sctp(chunks: bytes = b"", *, ports: tuple[int, int] = (2905, 2906)) -> bytes:
    """Return an SCTP packet."""
    return struct.pack("!HHII", *ports, 3, 0) + chunks


def icmp(payload: bytes = b"", *, kind: int = 3, code: int = 3) -> bytes:
    """Return an ICMP or ICMPv6 message with four unused bytes."""
    return struct.pack("!BBHI", kind, code, 0, 0) + payload


def gtp_u(
    payload: bytes, *, extensions: Sequence[tuple[int, bytes]] = (), numbered: bool = False
) -> bytes:
    """Return GTP-U user data; each extension is its type and content of 2, 6, ... bytes."""
    flags = 0x30 | (4 if extensions else 0) | (2 if numbered else 0)
    kinds = [kind for kind, _ in extensions] + [0]
    options = bytes([0, 7, 0, kinds[0]]) if flags & 7 else b""
    chain = b"".join(
        bytes([(len(body) + 2) // 4]) + body + bytes([following])
        for (_, body), following in zip(extensions, kinds[1:], strict=True)
    )
    body = options + chain + payload
    return struct.pack("!BBHI", flags, 255, len(body), 77) + body


def vxlan(frame: bytes) -> bytes:
    """Return a frame behind a VXLAN header."""
    return b"\x08\0\0\0\0\0\x2a\0" + frame
