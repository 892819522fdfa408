"""Random captures read like the slow decoder; random damage never surprises."""

from __future__ import annotations

import ctypes
import gzip
import io

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import builders as b
from tests.captures.reading import chunk_rows, drain, frames
from tests.captures.slow_decoder import decode
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.captures.records import RecordState
from traffic_siamese.native import kernel

PORTS = st.tuples(st.integers(0, 65535), st.integers(0, 65535))
PAYLOADS = st.binary(max_size=60)
OPTIONS = st.integers(0, 10).map(lambda n: bytes(4 * n))
TRANSPORTS = st.one_of(
    st.builds(b.udp, PAYLOADS, ports=PORTS, length=st.integers(-1, 70)).map(lambda p: (17, p)),
    st.builds(b.tcp, PAYLOADS, ports=PORTS, flags=st.integers(0, 255), options=OPTIONS).map(
        lambda p: (6, p)
    ),
    st.builds(b.sctp, PAYLOADS, ports=PORTS).map(lambda p: (132, p)),
    st.builds(b.icmp, PAYLOADS, kind=st.integers(0, 255), code=st.integers(0, 255)).map(
        lambda p: (1, p)
    ),
    st.builds(b.icmp, PAYLOADS, kind=st.integers(0, 255)).map(lambda p: (58, p)),
    st.tuples(st.integers(0, 255), PAYLOADS),
)
EXTENSIONS = st.lists(
    st.tuples(
        st.sampled_from([0, 43, 44, 51, 60, 135]),
        st.tuples(st.integers(0, 3), st.binary(min_size=6, max_size=22)).map(
            lambda parts: bytes([parts[0]]) + parts[1]
        ),
    ),
    max_size=3,
)


@st.composite
def ip_packets(draw: st.DrawFn) -> tuple[int, bytes]:
    """Return an Ethernet type and an IP packet of that type."""
    protocol, payload = draw(TRANSPORTS)
    if draw(st.booleans()):
        length = draw(st.none() | st.integers(0, 150))
        extensions = draw(EXTENSIONS)
        return 0x86DD, b.ipv6(payload, protocol, extensions=extensions, length=length)
    fragment = draw(st.sampled_from([0, 0, 0x4000, 0x2000, 0x2005, 185]))
    total = draw(st.none() | st.integers(0, 150))
    return 0x800, b.ipv4(payload, protocol, fragment=fragment, options=draw(OPTIONS), total=total)


def label_stack(packet: bytes, bottom: bytes) -> bytes:
    """Put an MPLS label before a packet."""
    return b"\0\1" + bottom + b"\x40" + packet


TUNNELS = {
    "ip in ip": lambda kind, p: (41 if kind == 0x86DD else 4, p),
    "gre": lambda kind, p: (47, b"\0\0" + kind.to_bytes(2, "big") + p),
    "gre key": lambda kind, p: (47, b"\x30\0\x65\x58" + bytes(8) + b.ethernet(p, kind)),
    "erspan": lambda kind, p: (47, b"\x10\0\x88\xbe" + bytes(12) + b.ethernet(p, kind)),
    "gtp-u": lambda kind, p: (17, b.udp(b.gtp_u(p), ports=(2152, 2152))),
    "gtp-u extended": lambda kind, p: (
        17,
        b.udp(b.gtp_u(p, extensions=[(0x85, b"\0\1")]), ports=(9, 2152)),
    ),
    "vxlan": lambda kind, p: (17, b.udp(b.vxlan(b.ethernet(p, kind)), ports=(5, 4789))),
    "geneve": lambda kind, p: (
        17,
        b.udp(b"\1\0" + kind.to_bytes(2, "big") + bytes(8) + p, ports=(5, 6081)),
    ),
    "teredo": lambda kind, p: (17, b.udp(bytes(8) + p, ports=(3544, 6))),
    "mpls in udp": lambda kind, p: (17, b.udp(label_stack(p, b"\1"), ports=(6, 6635))),
    "pseudowire": lambda kind, p: (137, label_stack(bytes(4) + b.ethernet(p, kind), b"\1")),
}


@st.composite
def tunnelled(draw: st.DrawFn) -> tuple[int, bytes]:
    """Return an Ethernet type and an IP packet with up to three packets around it."""
    kind, packet = draw(ip_packets())
    for name in draw(st.lists(st.sampled_from(sorted(TUNNELS)), max_size=3)):
        protocol, payload = TUNNELS[name](kind, packet)
        kind = draw(st.sampled_from([0x800, 0x86DD]))
        packet = b.ipv4(payload, protocol) if kind == 0x800 else b.ipv6(payload, protocol)
    return kind, packet


@st.composite
def framed(draw: st.DrawFn) -> tuple[int, bytes]:
    """Return a link type and a frame, possibly with damage in its headers."""
    kind, packet = draw(tunnelled())
    family = b"\2\0\0\0" if kind == 0x800 else b"\0\0\0\x1e"
    tags = draw(st.lists(st.sampled_from([0x8100, 0x88A8]), max_size=3))
    link_type, frame = draw(
        st.sampled_from(
            [
                (1, b.ethernet(packet, kind, tags=tags)),
                (1, b.ethernet(label_stack(label_stack(packet, b"\1"), b"\0"), 0x8847)),
                (101, packet),
                (0, family + packet),
                (108, family[::-1] + packet),
                (113, bytes(14) + kind.to_bytes(2, "big") + packet),
                (276, kind.to_bytes(2, "big") + bytes(18) + packet),
                (147, packet),
            ]
        )
    )
    frame += bytes(draw(st.integers(0, 20)))
    for at in draw(st.lists(st.integers(0, len(frame) - 1), max_size=2)):
        frame = frame[:at] + draw(st.binary(min_size=1, max_size=1)) + frame[at + 1 :]
    return link_type, frame


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, b.Packet]:
    """Return a link type and a packet, whole or snapped."""
    link_type, frame = draw(framed())
    captured = draw(st.just(len(frame)) | st.integers(0, len(frame)))
    time_ns = draw(st.integers(1, (1 << 32) - 1)) * 10**9 + draw(st.integers(0, 999_999)) * 1000
    return link_type, b.Packet(frame[:captured], time_ns, len(frame))


ORDERS = st.sampled_from(["<", ">"])
CHUNK_BYTES = st.sampled_from([1, 64, 300, 1 << 16])


def as_pcapng(items: list[tuple[int, b.Packet]], order: str) -> bytes:
    """Write each packet on an interface of its own, in random-looking block types."""
    out = b.section(order=order)
    for number, (link_type, packet) in enumerate(items):
        writer = b.obsolete if number % 3 == 2 else b.enhanced
        out += b.interface(order=order, link_type=link_type, resolution=9)
        out += writer(packet, packet.time_ns, order=order, number=number)
    return out


def check(capture: bytes, items: list[tuple[int, b.Packet]], chunk_bytes: int) -> None:
    wanted = [decode(p.frame, p.wire, link_type, p.time_ns) for link_type, p in items]
    reader = read_packets(io.BytesIO(capture), chunk_bytes=chunk_bytes)
    got = []
    for chunk in reader:
        rows = chunk_rows(chunk)
        got += rows
        for row, start in zip(rows, chunk.payload_offset.tolist(), strict=True):
            assert 0 <= start <= start + row.payload_bytes <= len(chunk.data)
    assert got == wanted
    assert all("have a link type" in warning for warning in reader.stats.warnings)


@settings(max_examples=300, deadline=None)
@given(st.lists(packets(), max_size=6), ORDERS, CHUNK_BYTES)
def test_pcapng_equals_the_slow_decoder(
    items: list[tuple[int, b.Packet]], order: str, chunk_bytes: int
) -> None:
    """Any mix of link types, headers, cuts and header damage decodes to the same columns."""
    check(as_pcapng(items, order), items, chunk_bytes)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(packets(), max_size=6),
    ORDERS,
    st.sampled_from([b.MICROSECONDS, b.NANOSECONDS, b.MODIFIED]),
    CHUNK_BYTES,
)
def test_pcap_equals_the_slow_decoder(
    items: list[tuple[int, b.Packet]], order: str, magic: int, chunk_bytes: int
) -> None:
    """The same holds for classic pcap, whose packets share one link type."""
    items = [(items[0][0], packet) for _, packet in items]  # one link type for all
    written = [packet for _, packet in items]
    link_type = items[0][0] if items else 1
    capture = b.pcap(written, order=order, magic=magic, link_type=link_type)
    check(capture, items, chunk_bytes)


FLIPS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=4)
COMPRESSORS = st.sampled_from([bytes, gzip.compress, zstandard.compress])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(packets(), min_size=1, max_size=5),
    st.sampled_from(["pcap", "pcapng"]),
    COMPRESSORS,
    FLIPS,
    st.integers(0, 300),
)
def test_random_damage_gives_packets_or_a_capture_error(
    items: list[tuple[int, b.Packet]], kind: str, compress: object, flips: object, cut: int
) -> None:
    """Flipped bytes and cuts, plain or compressed: every row still fits its bytes."""
    capture = as_pcapng(items, "<") if kind == "pcapng" else b.pcap([p for _, p in items])
    data = bytearray(compress(capture))  # type: ignore[operator]
    for at, value in flips:  # type: ignore[attr-defined]
        data[at % len(data)] = value
    reader = read_packets(io.BytesIO(bytes(data[: len(data) - cut % len(data)])), chunk_bytes=100)
    rows, found, _ = drain(reader)
    assert len(rows) == reader.stats.n_packets
    for row, frame in zip(rows, found, strict=True):
        assert row == decode(frame, row.wire_bytes, row.link_type, row.time_ns)


def test_offsets_stay_inside_the_data() -> None:
    capture = b.pcap([b.Packet(b.ethernet(b.ipv4(b.udp(b"x" * 9))), 1000)])
    for chunk in read_packets(io.BytesIO(capture)):
        assert frames(chunk)[0].endswith(b"x" * 9)


def test_the_state_has_the_size_that_the_kernel_expects() -> None:
    kernel.ts_records_state_bytes.restype = ctypes.c_uint64
    assert ctypes.sizeof(RecordState) == kernel.ts_records_state_bytes()
