"""Record formats: every header variant gives the same packets."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tracemalloc
from pathlib import Path

import pytest

from tests import builders as b
from tests.captures.reading import chunk_rows, read_rows
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.errors import CaptureError

START = 1_700_000_000_123_456_000
PACKETS = [
    b.Packet(b.ethernet(b.ipv4(b.udp(bytes(n)))), START + n * 1_000_000, 42 + n + n % 2 * 100)
    for n in range(40)
]


def times_and_lengths(capture: bytes, chunk_bytes: int = 1 << 16) -> list[tuple[int, int, int]]:
    rows, _ = read_rows(capture, chunk_bytes=chunk_bytes)
    return [(row.time_ns, row.captured_bytes, row.wire_bytes) for row in rows]


def expected(packets: list[b.Packet]) -> list[tuple[int, int, int]]:
    return [(p.time_ns, len(p.frame), p.wire) for p in packets]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [b.MICROSECONDS, b.NANOSECONDS, b.MODIFIED])
@pytest.mark.parametrize("chunk_bytes", [1, 100, 1 << 20])
def test_pcap_variants(order: str, magic: int, chunk_bytes: int) -> None:
    capture = b.pcap(PACKETS, order=order, magic=magic)
    assert times_and_lengths(capture, chunk_bytes) == expected(PACKETS)


def test_nanoseconds_are_kept() -> None:
    packet = b.Packet(b.ethernet(b""), 1_700_000_000_123_456_789)
    rows, _ = read_rows(b.pcap([packet], magic=b.NANOSECONDS))
    assert rows[0].time_ns == 1_700_000_000_123_456_789


@pytest.mark.parametrize("version", [(2, 2), (2, 3)])
def test_old_versions_store_the_wire_length_first(version: tuple[int, int]) -> None:
    frame = bytes(20)
    record = struct.pack("<IIII", 5, 6, 60, len(frame)) + frame
    rows, _ = read_rows(b.pcap_header(version=version) + record)
    assert (rows[0].captured_bytes, rows[0].wire_bytes) == (20, 60)


def test_unsigned_seconds_reach_beyond_2038() -> None:
    packet = b.Packet(b"", 4_000_000_000 * 10**9)
    rows, _ = read_rows(b.pcap([packet]))
    assert rows[0].time_ns == packet.time_ns


def test_header_only_capture_has_no_packets_and_no_warnings() -> None:
    for capture in (b.pcap([]), b.section(), b.section() + b.interface()):
        rows, stats = read_rows(capture)
        assert (rows, stats.n_packets, stats.warnings) == ([], 0, [])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("writer", [b.enhanced, b.obsolete])
@pytest.mark.parametrize("chunk_bytes", [1, 200, 1 << 20])
def test_pcapng_packets(order: str, writer: object, chunk_bytes: int) -> None:
    blocks = [writer(p, p.time_ns // 1000, order=order) for p in PACKETS]  # type: ignore[operator]
    capture = b.section(order=order) + b.interface(order=order) + b"".join(blocks)
    assert times_and_lengths(capture, chunk_bytes) == expected(PACKETS)


@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns"),
    [
        (0, 17, 17 * 10**9),
        (3, 17_001, 17_001 * 10**6),
        (6, 17_000_001, 17_000_001 * 10**3),
        (9, 17_000_000_001, 17_000_000_001),
        (12, 17_000_000_001_999, 17_000_000_001),
        (0x80, 17, 17 * 10**9),
        (0x80 | 10, 17 * 1024 + 512, 17_500_000_000),
        (0x80 | 32, (17 << 32) + (1 << 30), 17_250_000_000),
        (0x80 | 63, (1 << 63) + (1 << 62), 1_500_000_000),
        (0x80 | 127, (1 << 64) - 1, 0),
        (127, (1 << 64) - 1, 0),
        (0, (1 << 64) - 1, (1 << 63) - 1),
        (6, (1 << 64) - 1, (1 << 63) - 1),
    ],
)
def test_clock_resolution(resolution: int, ticks: int, time_ns: int) -> None:
    """Powers of ten and of two; a time outside the int64 range stays at its edge."""
    capture = b.section() + b.interface(resolution=resolution) + b.enhanced(PACKETS[0], ticks)
    assert times_and_lengths(capture)[0][0] == time_ns


@pytest.mark.parametrize("offset_s", [0, 1_700_000_000, -3_600, 1 << 62, -(1 << 62)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_clock_offset(offset_s: int, order: str) -> None:
    head = b.section(order=order) + b.interface(order=order, resolution=9, offset_s=offset_s)
    limited = max(min(offset_s * 10**9 + 5, (1 << 63) - 1), -(1 << 63))
    capture = head + b.enhanced(PACKETS[0], 5, order=order)
    assert times_and_lengths(capture)[0][0] == limited


def test_sections_have_their_own_byte_order_and_interfaces() -> None:
    capture = (
        b.section(order="<")
        + b.interface(order="<", link_type=101, resolution=9)
        + b.enhanced(b.Packet(b.ipv4(b.udp())), 1_000, order="<")
        + b.section(order=">", length=1234)
        + b.interface(order=">", link_type=1)
        + b.interface(order=">", link_type=113, resolution=3)
        + b.enhanced(b.Packet(b.ethernet(b"")), 2_000, order=">", number=0)
        + b.obsolete(b.Packet(bytes(16)), 3_000, order=">", number=1)
    )
    rows, stats = read_rows(capture)
    assert [(r.time_ns, r.link_type) for r in rows] == [
        (1_000, 101),
        (2_000_000, 1),
        (3 * 10**9, 113),
    ]
    assert stats.link_types == {101: 1, 1: 1, 113: 1}


def test_simple_packets_take_snaplen_and_the_time_before() -> None:
    """A simple packet stores only its wire length; the interface's snaplen cuts it."""
    cut = b.Packet(bytes(20), 0, 100)
    whole = b.Packet(bytes(7), 0)
    capture = (
        b.section()
        + b.interface(snaplen=20)
        + b.enhanced(PACKETS[0], 77)
        + b.simple(cut)
        + b.simple(whole)
    )
    rows, stats = read_rows(capture)
    assert [(r.time_ns, r.captured_bytes, r.wire_bytes) for r in rows[1:]] == [
        (77_000, 20, 100),
        (77_000, 7, 7),
    ]
    assert "2 packets carry no time" in stats.warnings[0]


@pytest.mark.parametrize("kind", [4, 5, 10, 0xBAD, 0x40000BAD, 0x0A0D0A0A])
def test_other_blocks_are_skipped(kind: int) -> None:
    """Names, statistics, secrets, custom and unknown blocks carry no packets."""
    other = b.block(kind, bytes(200))
    capture = b.section() + other + b.interface() + other + b.enhanced(PACKETS[0], 5) + other
    rows, stats = read_rows(capture)
    assert (len(rows), stats.warnings) == (1, [])


def test_packet_larger_than_the_chunk_grows_the_buffer() -> None:
    big = b.Packet(bytes(range(256)) * 4000)
    for capture in (
        b.pcap([PACKETS[0], big, PACKETS[1]], snaplen=1 << 24),
        b.section() + b.interface() + b.enhanced(big, 5) + b.enhanced(PACKETS[1], 6),
    ):
        reader = read_packets(io.BytesIO(capture), chunk_bytes=4096)
        sizes = [row.captured_bytes for chunk in reader for row in chunk_rows(chunk)]
        assert len(big.frame) in sizes
        assert sizes[-1] == len(PACKETS[1].frame)


def test_many_small_packets_are_handed_out_in_limited_chunks() -> None:
    capture = b.pcap([b.Packet(b"", n * 1000) for n in range(1, 70_001)])
    reader = read_packets(io.BytesIO(capture), chunk_bytes=4 << 20)
    lengths = [len(chunk) for chunk in reader]
    assert sum(lengths) == 70_000
    assert max(lengths) == 65_536


def test_stats_count_what_was_read() -> None:
    late = [b.Packet(b.ethernet(b"", 0x0806), t * 1000) for t in (5, 9, 3, 9, 8)]
    short = b.Packet(b.ethernet(b.ipv4(b.udp(bytes(50))))[:40], 10_000, 92)
    _, stats = read_rows(b.pcap([*late, short]))
    assert (stats.format, stats.compression, stats.link_types) == ("pcap", "none", {1: 6})
    assert (stats.n_packets, stats.n_bytes) == (6, 5 * 14 + 40)
    assert (stats.n_truncated, stats.n_malformed, stats.n_undecoded) == (1, 1, 5)
    assert (stats.n_out_of_order, stats.first_ns, stats.last_ns) == (2, 3_000, 10_000)


def test_reads_paths_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wrong-suffix.txt"
    path.write_bytes(b.pcap(PACKETS))
    with read_packets(path) as reader:
        assert sum(len(chunk) for chunk in reader) == 40
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes())
    os.close(writing)
    with io.TextIOWrapper(os.fdopen(reading, "rb")) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        reader = read_packets("-")
        assert sum(len(chunk) for chunk in reader) == 40
        assert reader.stats.name == "-"
        monkeypatch.undo()


def test_stream_that_gives_a_byte_at_a_time() -> None:
    class Drip(io.RawIOBase):
        """Gives one byte a read, as a slow network might."""

        def __init__(self, data: bytes) -> None:
            self.data = data

        def readinto(self, view: object) -> int:
            n = min(1, len(self.data))
            view[:n] = self.data[:n]  # type: ignore[index]
            self.data = self.data[n:]
            return n

    reader = read_packets(Drip(b.pcap(PACKETS)))  # type: ignore[arg-type]
    assert sum(len(chunk) for chunk in reader) == 40


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_memory_does_not_grow_with_the_log(compress: object) -> None:
    """A log a hundred times the chunk size needs a few chunks of memory."""
    capture = compress(b.pcap([b.Packet(bytes(1400), n * 1000) for n in range(1, 74_000)]))  # type: ignore[operator]
    tracemalloc.start()
    try:
        for chunk in read_packets(io.BytesIO(capture), chunk_bytes=1 << 20):
            last = chunk.time_ns[-1]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last == 73_999_000
    assert peak < 8 << 20


def test_closing_early_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b.pcap(PACKETS))
    with read_packets(path, chunk_bytes=100) as reader:
        next(reader)
    assert list(reader) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "missing", "no such file"),
        (lambda path: path, "is a directory"),
        (lambda path: f"{path}/\0", "cannot be read"),
        (lambda path: f"{path}/{'x' * 5000}", "cannot be read"),
    ],
)
def test_unreadable_paths(tmp_path: Path, make: object, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        read_packets(make(tmp_path))  # type: ignore[operator]
