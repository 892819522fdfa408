"""Compressed logs: found by their bytes, streamed, and honest about cuts and damage."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import zstandard

from tests import builders as b
from tests.captures.reading import drain, read_rows
from traffic_siamese.captures import compression
from traffic_siamese.captures.compression import open_log
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.errors import CaptureError

NOISE = np.random.default_rng(1).integers(0, 256, 600_000, np.uint8).tobytes()
PACKETS = [
    b.Packet(b.ethernet(NOISE[n * 1400 :][:1400], 0x0806), n * 1000 + 1000) for n in range(200)
]
CAPTURE = b.pcap(PACKETS)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESSORS = {"gzip": gzip.compress, "zstd": zstd}
SKIPPABLE = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"


def read_all(data: bytes, **options: int) -> tuple[bytes, list[str]]:
    stream = open_log(io.BytesIO(data), **options)
    out = io.BytesIO()
    view = memoryview(bytearray(777))
    while n := stream.readinto(view):
        out.write(view[:n])
    return out.getvalue(), stream.warnings


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compression_is_found_by_magic_not_suffix(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(COMPRESSORS[kind](CAPTURE))
    reader = read_packets(path)
    rows, _, error = drain(reader)
    assert (len(rows), error, reader.stats.compression) == (200, "", kind)
    assert reader.stats.warnings == []


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("n_members", [1, 2, 7])
def test_concatenated_members(kind: str, n_members: int) -> None:
    parts = [CAPTURE[at : at + 9_000] for at in range(0, 9_000 * n_members, 9_000)]
    data = b"".join(COMPRESSORS[kind](part) for part in parts)
    assert read_all(data) == (b"".join(parts), [])


def test_empty_members_and_zero_padding() -> None:
    data = gzip.compress(b"") + gzip.compress(b"abc") + bytes(100) + gzip.compress(b"def")
    assert read_all(data + bytes(9)) == (b"abcdef", [])


def test_skippable_zstd_frames() -> None:
    data = SKIPPABLE + zstd(b"abc") + SKIPPABLE + zstd(b"def") + SKIPPABLE
    assert read_all(data) == (b"abcdef", [])


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_highly_compressible_data_is_complete(kind: str) -> None:
    """More output than one piece holds comes from a few input bytes."""
    data = bytes(20 << 20)
    packed = COMPRESSORS[kind](data)
    assert read_all(packed + packed) == (data + data, [])


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_other_bytes_behind_the_last_member_are_reported(kind: str) -> None:
    out, warnings = read_all(COMPRESSORS[kind](b"abc") + b"garbage")
    assert out == b"abc"
    assert "was ignored" in warnings[0]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_cut_anywhere_gives_what_was_decompressed(kind: str) -> None:
    """Each prefix yields a prefix of the data and one warning, and never an exception."""
    data = NOISE[:300] + bytes(300)
    packed = COMPRESSORS[kind](data)
    for n in range(4, len(packed)):
        out, warnings = read_all(packed[:n])
        assert data.startswith(out)
        assert len(warnings) == 1
        assert f"ends in the middle at compressed byte {n}" in warnings[0]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_cut_capture_yields_whole_packets_first(kind: str) -> None:
    packed = COMPRESSORS[kind](CAPTURE)
    reader = read_packets(io.BytesIO(packed[: len(packed) * 2 // 3]))
    _, data, error = drain(reader)
    assert error == ""
    assert data == [p.frame for p in PACKETS[: len(data)]]
    assert len(data) > 60
    assert "compressed byte" in reader.stats.warnings[0]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_any_flipped_byte_is_reported_or_harmless(kind: str) -> None:
    """Whole packets come first, then at worst a CaptureError; nothing else is raised."""
    capture = b.pcap(PACKETS[:3])
    packed = COMPRESSORS[kind](capture)
    for at in range(4, len(packed)):
        damaged = bytearray(packed)
        damaged[at] ^= 0xFF
        reader = read_packets(io.BytesIO(bytes(damaged)))
        rows, _, error = drain(reader)
        assert len(rows) <= 3 or error or reader.stats.warnings


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_damage_in_the_checksum_raises_after_the_packets(kind: str) -> None:
    packed = bytearray(COMPRESSORS[kind](CAPTURE))
    packed[-8 if kind == "gzip" else -1] ^= 1
    with pytest.raises(CaptureError, match=f"the {kind} data is damaged"):
        read_all(bytes(packed))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_bomb_stops_at_the_limit(kind: str) -> None:
    packed = COMPRESSORS[kind](bytes(8 << 20))
    assert len(read_all(packed, max_bytes=8 << 20)[0]) == 8 << 20
    with pytest.raises(CaptureError, match=r"more than the limit of 1000000 bytes.*--max-bytes"):
        read_all(packed, max_bytes=1_000_000)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_bomb_stops_by_default(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 bytes for each compressed byte, and some for free; a stated limit goes before both."""
    packed = COMPRESSORS[kind](bytes(30 << 20))
    monkeypatch.setattr(compression, "FREE_BYTES", 1 << 20)
    limit = max(1 << 20, 200 * len(packed))
    with pytest.raises(CaptureError, match=f"{len(packed)} compressed.*limit of {limit} bytes"):
        read_all(packed)
    monkeypatch.setenv(compression.MAX_BYTES_VARIABLE, str(30 << 20))
    assert len(read_all(packed)[0]) == 30 << 20
    monkeypatch.setenv(compression.MAX_BYTES_VARIABLE, "10G")
    with pytest.raises(CaptureError, match="is '10G', expected a number of bytes"):
        read_all(packed)


def test_a_zstd_bomb_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one repeated byte hold 128 KiB in four bytes: read a little at a time."""
    monkeypatch.setattr(compression, "FREE_BYTES", 64 << 20)
    packed = zstd(bytes(256 << 20))
    tracemalloc.start()
    with pytest.raises(CaptureError, match="decompression bombs"):
        read_all_pieces(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20


def read_all_pieces(data: bytes) -> None:
    """Read to the end and keep nothing."""
    stream, view = open_log(io.BytesIO(data)), memoryview(bytearray(1 << 20))
    while stream.readinto(view):
        pass


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_nothing_is_said_to_be_empty(kind: str) -> None:
    _, _, error = drain(read_packets(io.BytesIO(COMPRESSORS[kind](b""))))
    assert f"its {kind} data holds not one byte" in error


def test_plain_logs_have_no_limit() -> None:
    rows, _ = read_rows(CAPTURE)
    reader = read_packets(io.BytesIO(CAPTURE), max_bytes=10)
    assert sum(len(chunk) for chunk in reader) == len(rows)


def test_source_that_only_reads() -> None:
    class Reader:
        """Has ``read`` and no ``readinto``."""

        def __init__(self, data: bytes) -> None:
            self.file = io.BytesIO(data)

        def read(self, n: int) -> bytes:
            return self.file.read(n)

    for data in (CAPTURE, gzip.compress(CAPTURE)):
        reader = read_packets(Reader(data))  # type: ignore[arg-type]
        assert sum(len(chunk) for chunk in reader) == 200
        assert reader.stats.name == "<stream>"


def test_failing_device_is_a_capture_error() -> None:
    class Broken(io.RawIOBase):
        """Fails as a pulled disk does."""

        def readinto(self, view: object) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(CaptureError, match="cannot be read: Input/output error"):
        read_packets(Broken())  # type: ignore[arg-type]
