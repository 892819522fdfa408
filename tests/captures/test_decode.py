"""Headers from link to transport, against hand-computed values and the slow decoder."""

from __future__ import annotations

import pytest

from tests import builders as b
from tests.captures.reading import check_frame, read_rows
from tests.captures.slow_cursor import Row, hash_address

SIP = b"OPTIONS sip:a SIP/2.0\r\n\r\n"
UDP4 = b.ipv4(b.udp(SIP))
UDP6 = b.ipv6(b.udp(SIP), 17)
PPPOE = bytes([0x11, 0, 0, 7])


def decode_one(frame: bytes, *, link_type: int = 1, wire: int | None = None) -> Row:
    rows, _ = read_rows(b.pcap([b.Packet(frame, 0, wire)], link_type=link_type))
    check_frame(rows[0], frame)
    return rows[0]


def snap(payload: bytes, kind: bytes = b"\x08\x00") -> bytes:
    body = bytes.fromhex("aaaa03000000") + kind + payload
    return b.ethernet(body, len(body))


LINKS = {
    "ethernet": (1, b.ethernet(UDP4)),
    "ethernet ipv6": (1, b.ethernet(UDP6, 0x86DD)),
    "802.1Q": (1, b.ethernet(UDP4, tags=[0x8100])),
    "802.1ad": (1, b.ethernet(UDP4, tags=[0x88A8, 0x8100])),
    "old QinQ": (1, b.ethernet(UDP6, 0x86DD, tags=[0x9100, 0x9200, 0x8100])),
    "mpls": (1, b.ethernet(b"\0\1\0\x40\0\2\1\x40" + UDP4, 0x8847)),
    "mpls ipv6": (1, b.ethernet(b"\0\2\1\x40" + UDP6, 0x8848)),
    "pppoe": (1, b.ethernet(PPPOE + (len(UDP4) + 2).to_bytes(2, "big") + b"\0\x21" + UDP4, 0x8864)),
    "pppoe ipv6": (
        1,
        b.ethernet(PPPOE + (len(UDP6) + 2).to_bytes(2, "big") + b"\0\x57" + UDP6, 0x8864),
    ),
    "snap": (1, snap(UDP4)),
    "cooked": (113, bytes(14) + b"\x08\0" + UDP4),
    "cooked vlan": (113, bytes(14) + b"\x81\0" + b"\0\7\x08\0" + UDP4),
    "cooked v2": (276, b"\x86\xdd" + bytes(18) + UDP6),
    "raw": (101, UDP4),
    "raw ipv6": (101, UDP6),
    "raw bsd": (12, UDP4),
    "raw openbsd": (14, UDP6),
    "raw 4": (228, UDP4),
    "raw 6": (229, UDP6),
    "null little": (0, b"\2\0\0\0" + UDP4),
    "null big": (0, b"\0\0\0\2" + UDP4),
    "null ipv6": (0, b"\x1e\0\0\0" + UDP6),
    "loop": (108, b"\0\0\0\2" + UDP4),
    "loop ipv6": (108, b"\0\0\0\x18" + UDP6),
}


@pytest.mark.parametrize("link", LINKS)
def test_link_layers(link: str) -> None:
    """Every framing leads to the same UDP payload."""
    link_type, frame = LINKS[link]
    row = decode_one(frame, link_type=link_type)
    assert row.ip_version == (6 if UDP6 in frame else 4)
    assert (row.ip_protocol, row.src_port, row.dst_port, row.flags) == (17, 5060, 5061, 0)
    assert frame[row.payload_offset :][: row.payload_bytes] == SIP
    assert row.payload_wire_bytes == len(SIP)


@pytest.mark.parametrize("link", LINKS)
def test_every_frame_cut_at_every_byte(link: str) -> None:
    """A snapped frame still counts, and is decoded as far as its bytes go."""
    link_type, frame = LINKS[link]
    packets = [b.Packet(frame[:n], n * 1000, len(frame)) for n in range(len(frame) + 1)]
    rows, stats = read_rows(b.pcap(packets, link_type=link_type))
    for row, packet in zip(rows, packets, strict=True):
        assert row.flags & 4 == (4 if len(packet.frame) < len(frame) else 0)
        check_frame(row, packet.frame)
    assert stats.n_truncated == len(frame)


@pytest.mark.parametrize("link_type", [147, 189, 252, 65535])
def test_unknown_link_types_count_but_are_not_decoded(link_type: int) -> None:
    rows, stats = read_rows(b.pcap([b.Packet(UDP4, 0)], link_type=link_type))
    assert (rows[0].ip_version, rows[0].flags, rows[0].link_type) == (0, 0, link_type)
    assert (stats.n_packets, stats.n_undecoded) == (1, 1)


def test_other_ethernet_types_are_not_decoded() -> None:
    for kind in (0x0806, 0x88CC, 0x0600):
        assert decode_one(b.ethernet(bytes(46), kind)).ip_version == 0
    assert decode_one(b.ethernet(b"\x42\x42\x03" + bytes(43), 38)).flags == 0


def test_padding_is_not_payload() -> None:
    row = decode_one(b.ethernet(b.ipv4(b.udp(b"hi"))) + bytes(18))
    assert (row.payload_bytes, row.payload_wire_bytes) == (2, 2)


def test_snapped_payload_keeps_its_wire_length() -> None:
    frame = b.ethernet(b.ipv4(b.udp(bytes(500))))
    row = decode_one(frame[:100], wire=len(frame))
    assert (row.payload_bytes, row.payload_wire_bytes, row.flags) == (100 - 42, 500, 4)


def test_addresses_are_hashed() -> None:
    row = decode_one(b.ethernet(b.ipv4(b.udp(), source=b"abcd", target=b"efgh")))
    assert (row.src_key, row.dst_key) == (hash_address(b"abcd"), hash_address(b"efgh"))
    row6 = decode_one(b.ipv6(b.udp(), source=b"abcdabcdabcdabcd"), link_type=101)
    assert row6.src_key == hash_address(b"abcdabcdabcdabcd") != row.src_key


def test_ipv4_options_are_stepped_over() -> None:
    row = decode_one(b.ethernet(b.ipv4(b.udp(SIP), options=bytes(40))))
    assert (row.src_port, row.payload_bytes) == (5060, len(SIP))


def test_ipv4_length_left_to_the_network_card() -> None:
    row = decode_one(b.ethernet(b.ipv4(b.tcp(SIP), 6, total=0)))
    assert (row.payload_bytes, row.flags) == (len(SIP), 0)


@pytest.mark.parametrize("total", [1, 19, 24, 400])
def test_ipv4_length_that_cannot_be(total: int) -> None:
    assert decode_one(b.ethernet(b.ipv4(b.udp(SIP), total=total))).flags == 8


def test_ipv4_fragments() -> None:
    """The first fragment has ports, a later one has not; both are fragments."""
    first = decode_one(b.ethernet(b.ipv4(b.udp(SIP, length=4000), fragment=0x2000)))
    later = decode_one(b.ethernet(b.ipv4(b.udp(SIP), fragment=185)))
    whole = decode_one(b.ethernet(b.ipv4(b.udp(SIP), fragment=0x4000)))
    assert (first.flags, first.src_port, first.payload_bytes) == (1, 5060, len(SIP))
    assert (later.flags, later.src_port, later.payload_bytes, later.ip_protocol) == (3, 0, 0, 17)
    assert later.payload_wire_bytes == 0
    assert whole.flags == 0


EXTENSIONS = {
    "hop by hop": [(0, bytes(7))],
    "routing": [(43, bytes([2]) + bytes(22))],
    "destination": [(60, bytes([1]) + bytes(14))],
    "authentication": [(51, bytes([4]) + bytes(22))],
    "mobility": [(135, bytes(7))],
    "chain": [(0, bytes(7)), (60, bytes(7)), (43, bytes(7)), (51, bytes([1]) + bytes(10))],
    "atomic fragment": [(44, bytes(7))],
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_extension_headers(name: str) -> None:
    row = decode_one(b.ipv6(b.udp(SIP), extensions=EXTENSIONS[name]), link_type=101)
    assert (row.ip_protocol, row.src_port, row.flags) == (17, 5060, 0)
    assert row.payload_bytes == len(SIP)


def test_ipv6_fragments() -> None:
    first = decode_one(b.ipv6(b.udp(SIP), extensions=[(44, b"\0\0\1abcd")]), link_type=101)
    later = decode_one(b.ipv6(b.udp(SIP), extensions=[(44, b"\0\5\xa0abcd")]), link_type=101)
    assert (first.flags, first.ip_protocol, first.src_port) == (1, 17, 5060)
    assert (later.flags, later.ip_protocol, later.src_port) == (3, 17, 0)


def test_ipv6_extension_that_does_not_fit() -> None:
    row = decode_one(b.ipv6(b.udp(), extensions=[(60, bytes([255]) + bytes(6))]), link_type=101)
    assert (row.flags, row.ip_protocol) == (8, 60)


def test_authentication_header_in_ipv4() -> None:
    header = bytes([17, 1]) + bytes(10)
    row = decode_one(b.ethernet(b.ipv4(header + b.udp(SIP), 51)))
    assert (row.ip_protocol, row.src_port) == (17, 5060)


def test_tcp_fields() -> None:
    segment = b.tcp(SIP, numbers=(0xDEADBEEF, 0xCAFEBABE), flags=0x12, options=bytes(12))
    row = decode_one(b.ethernet(b.ipv4(segment, 6)))
    assert (row.tcp_seq, row.tcp_ack, row.tcp_flags) == (0xDEADBEEF, 0xCAFEBABE, 0x12)
    assert (row.src_port, row.dst_port, row.payload_bytes) == (40000, 5060, len(SIP))


@pytest.mark.parametrize("words", [0, 4, 15])
def test_tcp_data_offset_that_cannot_be(words: int) -> None:
    segment = bytearray(b.tcp())
    segment[12] = words << 4
    row = decode_one(b.ethernet(b.ipv4(bytes(segment), 6)))
    assert (row.flags, row.dst_port, row.payload_bytes) == (8, 5060, 0)


@pytest.mark.parametrize(
    ("length", "flags", "payload"),
    [(0, 0, 26), (7, 8, 26), (8, 0, 0), (18, 0, 10), (34, 0, 26), (35, 8, 26)],
)
def test_udp_length(length: int, flags: int, payload: int) -> None:
    """0 leaves the length to IP; shorter cuts the payload; what cannot be is marked."""
    row = decode_one(b.ethernet(b.ipv4(b.udp(bytes(26), length=length))))
    assert (row.flags, row.payload_bytes) == (flags, payload)


def test_sctp_payload_is_its_chunks() -> None:
    row = decode_one(b.ethernet(b.ipv4(b.sctp(b"chunkchunk"), 132)))
    assert (row.src_port, row.dst_port, row.payload_bytes) == (2905, 2906, 10)


@pytest.mark.parametrize("protocol", [1, 58])
def test_icmp_type_and_code(protocol: int) -> None:
    message = b.icmp(UDP4, kind=1, code=4)
    packet = b.ipv4(message, 1) if protocol == 1 else b.ipv6(message, 58)
    row = decode_one(packet, link_type=101)
    assert (row.icmp_type, row.icmp_code, row.src_port) == (1, 4, 0)
    assert (row.ip_protocol, row.payload_bytes) == (protocol, len(UDP4))


@pytest.mark.parametrize("protocol", [2, 50, 89])
def test_other_protocols_have_addresses_only(protocol: int) -> None:
    row = decode_one(b.ethernet(b.ipv4(bytes(40), protocol)))
    assert (row.ip_protocol, row.payload_bytes, row.flags) == (protocol, 0, 0)
    assert row.src_key != 0


def test_captured_more_than_wire_is_taken_as_captured() -> None:
    row = decode_one(b.ethernet(UDP4), wire=10)
    assert (row.payload_bytes, row.flags, row.wire_bytes) == (len(SIP), 0, 10)
