"""Cut, damaged and foreign files: whole packets first, then a sentence that helps."""

from __future__ import annotations

import io
import struct

import pytest

from tests import builders as b
from tests.captures.reading import drain, read_until_error
from traffic_siamese.captures.reader import read_packets

PACKETS = [b.Packet(b.ethernet(bytes([n]) * (20 + n), 0x0806), 10**9 * (n + 1)) for n in range(4)]
FRAMES = [p.frame for p in PACKETS]
PCAP = b.pcap(PACKETS)
PCAPNG_BLOCKS = [
    b.section(),
    b.interface(),
    *(b.enhanced(p, p.time_ns // 1000) for p in PACKETS),
]
PCAPNG = b"".join(PCAPNG_BLOCKS)


def record_ends(head: int, sizes: list[int]) -> list[int]:
    return [head + sum(sizes[:n]) for n in range(len(sizes) + 1)]


CASES = {
    "pcap": (PCAP, record_ends(24, [16 + len(f) for f in FRAMES])),
    "pcapng": (
        PCAPNG,
        record_ends(len(PCAPNG_BLOCKS[0] + PCAPNG_BLOCKS[1]), [len(x) for x in PCAPNG_BLOCKS[2:]]),
    ),
}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 16])
def test_cut_at_every_byte(kind: str, chunk_bytes: int) -> None:
    """Before the first block's end it is an error; later, whole packets and a warning."""
    capture, ends = CASES[kind]
    opening = 24 if kind == "pcap" else len(PCAPNG_BLOCKS[0])
    for n in range(len(capture)):
        frames, stats, error = read_until_error(capture[:n], chunk_bytes=chunk_bytes)
        whole = sum(end <= n for end in ends[1:])
        assert stats is not None
        assert frames == FRAMES[:whole]
        assert bool(error) == (n < opening)
        clean = n in ends or n == opening
        assert len(stats.warnings) == (0 if error or clean else 1)


def test_words_of_a_cut_pcap() -> None:
    """The message says which packet, where, what it promises, and what is there."""
    _, stats, _ = read_until_error(PCAP[:-3])
    assert stats is not None
    start = 24 + sum(16 + len(f) for f in FRAMES[:3])
    size = 16 + len(FRAMES[3])
    assert stats.warnings == [
        f"<stream>: cut short: packet 4 at byte {start} promises {size} bytes, {size - 3} remain; "
        "the 3 whole packets before it were read"
    ]


def test_words_of_a_cut_record_header() -> None:
    _, stats, _ = read_until_error(PCAP[:30])
    assert stats is not None
    assert "packet 1 at byte 24 promises 16 bytes, 6 remain" in stats.warnings[0]


def bad_record(captured: int, *, snaplen: int = 65535) -> bytes:
    head = b.pcap(PACKETS[:2], snaplen=snaplen)
    return head + struct.pack("<IIII", 1, 2, captured, captured) + bytes(1000)


@pytest.mark.parametrize(
    ("captured", "snaplen", "limit"),
    [
        (262_145, 65_535, 262_144),
        (0xFFFFFFFF, 0, 262_144),
        (1_000_001, 1_000_000, 1_000_000),
        (0x80000000, 0xFFFFFFFF, 64 << 20),
    ],
)
def test_impossible_record_length(captured: int, snaplen: int, limit: int) -> None:
    frames, _, error = read_until_error(bad_record(captured, snaplen=snaplen))
    assert frames == FRAMES[:2]
    assert f"promises {captured} captured bytes, expected at most {limit}" in error
    assert "packet 3 at byte" in error
    assert "the 2 whole packets before it were read" in error


def test_longest_plausible_record_is_only_a_cut() -> None:
    frames, stats, error = read_until_error(bad_record(262_144))
    assert (frames, error) == (FRAMES[:2], "")
    assert stats is not None
    assert len(stats.warnings) == 1


def test_zeros_behind_the_packets() -> None:
    frames, _, error = read_until_error(PCAP + bytes(4096))
    assert frames == FRAMES
    assert "header of zeros" in error


def patched(block: bytes, at: int, value: int, *, form: str = "<I") -> bytes:
    out = bytearray(block)
    struct.pack_into(form, out, at, value)
    return bytes(out)


HEAD = b"".join(PCAPNG_BLOCKS[:3])
BLOCK = PCAPNG_BLOCKS[3]
BAD_BLOCKS = {
    "short length": (patched(BLOCK, 4, 8), "is 8 bytes long"),
    "odd length": (patched(BLOCK, 4, 61), "is 61 bytes long, expected a multiple of 4"),
    "huge length": (patched(BLOCK, 4, 0x7FFFFFFC), "is 2147483644 bytes long"),
    "trailer": (patched(BLOCK, len(BLOCK) - 4, 12), "ends with length 12, expected"),
    "interface": (patched(BLOCK, 8, 7), "names interface 7, expected one of the 1 described"),
    "captured": (patched(BLOCK, 20, 999), "promises 999 captured bytes, expected at most the"),
    "no body": (b.block(6, b""), "is 12 bytes long"),
    "short packet": (b.block(2, bytes(16)), "is 28 bytes long"),
    "short simple": (b.block(3, b""), "is 12 bytes long"),
    "short interface": (b.block(1, bytes(4)), "is 16 bytes long"),
    "simple too long": (b.block(3, struct.pack("<I", 50)), "promises 50 captured bytes"),
    "short section": (patched(b.section(), 4, 24), "is 24 bytes long"),
    "byte order": (patched(b.section(), 8, 0x01020304), "byte-order magic 0x04030201"),
    "version": (b.section(version=2), "a section of version 2, expected version 1"),
}


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_bad_pcapng_blocks(name: str) -> None:
    block, words = BAD_BLOCKS[name]
    frames, stats, error = read_until_error(HEAD + block + PCAPNG_BLOCKS[4])
    assert frames == FRAMES[:1]
    assert words in error
    assert f"damaged: the block after packet 1 at byte {len(HEAD)} " in error
    assert stats is not None
    assert stats.n_packets == 1


@pytest.mark.parametrize("writer", [b.simple, lambda p: b.enhanced(p, 1)])
def test_packet_without_an_interface(writer: object) -> None:
    _, _, error = read_until_error(b.section() + writer(PACKETS[0]))  # type: ignore[operator]
    assert "names interface 0, expected one of the 0 described before it" in error


def test_endless_interfaces_are_refused() -> None:
    many = b.section() + b.interface() * 65_536
    assert read_until_error(many)[2] == ""
    assert "more than the 65536" in read_until_error(many + b.interface())[2]


def test_nothing_follows_an_error() -> None:
    reader = read_packets(io.BytesIO(PCAP + bytes(40)))
    assert drain(reader)[2] != ""
    assert list(reader) == []


FOREIGN = {
    "": "is empty",
    "4865": "text that starts 'He'",
    "48656c6c6f2c20776f726c64210a": "text that starts 'Hello, world!",
    "7f454c460201": "an ELF program",
    "504b0304": "a zip archive",
    "89504e470d0a1a0a": "a PNG image",
    "fd377a585a00": "xz-compressed data",
    "425a6839": "bzip2-compressed data",
    "00000000000000": "7 zero bytes",
    "0102030405060708": "bytes 01 02 03 04 05 06 07 08",
    "c3a4c3b6c3": "text that starts 'äö'",
    "d4c3b2": "cut short inside the file header, 3 bytes long",
    "d4c3b2a102": "cut short inside the file header, 5 bytes long",
    "0a0d0d0a1c000000": "cut short inside the file header, 8 bytes long",
}


@pytest.mark.parametrize("start", FOREIGN)
def test_what_is_no_capture_is_described(start: str) -> None:
    _, _, error = read_until_error(bytes.fromhex(start))
    assert FOREIGN[start] in error
    assert "expected a pcap or pcapng capture" in error
