"""Header compression against RFC 7541's own examples, and against another library."""

from __future__ import annotations

import ctypes

import pytest
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_siamese.native import kernel


class _Text(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("n", ctypes.c_size_t))


_TAKE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _Text, _Text)
kernel.hpack_new.restype = ctypes.c_void_p
kernel.hpack_new.argtypes = (ctypes.c_int,)
kernel.hpack_free.argtypes = (ctypes.c_void_p,)
kernel.hpack_lose.argtypes = (ctypes.c_void_p,)
kernel.hpack_read.restype = ctypes.c_int
kernel.hpack_read.argtypes = (
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    _TAKE,
    ctypes.c_void_p,
)

Header = tuple[bytes | None, bytes | None]
NAMES = (b":path", b":status", b"location", b"x-trace", b"content-type", b":method")


def text(value: _Text) -> bytes | None:
    """Return a text's bytes, None where it is not known."""
    if value.at is None:
        return None
    return ctypes.string_at(value.at, value.n)


class Reader:
    """A table of the kernel's, and what it read."""

    def __init__(self, *, from_start: bool = True) -> None:
        self.table = kernel.hpack_new(int(from_start))

    def read(self, block: bytes) -> list[Header] | None:
        """Read one block; None where it is malformed."""
        seen: list[Header] = []

        def take(_to: int | None, name: _Text, value: _Text) -> None:
            seen.append((text(name), text(value)))

        is_read = kernel.hpack_read(self.table, block, len(block), _TAKE(take), None)
        return seen if is_read else None

    def lose(self) -> None:
        """Forget what was seen."""
        kernel.hpack_lose(self.table)

    def __del__(self) -> None:
        kernel.hpack_free(self.table)


GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
TO_EXAMPLE = (b":authority", b"www.example.com")
REQUESTS = [
    [*GET, TO_EXAMPLE],
    [*GET, TO_EXAMPLE, (b"cache-control", b"no-cache")],
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        TO_EXAMPLE,
        (b"custom-key", b"custom-value"),
    ],
]
PLAIN_REQUESTS = (  # appendix C.3
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
HUFFMAN_REQUESTS = (  # appendix C.4
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
WHEN = (b"date", b"Mon, 21 Oct 2013 20:13:21 GMT")
LATER = (b"date", b"Mon, 21 Oct 2013 20:13:22 GMT")
WHERE = (b"location", b"https://www.example.com")
COOKIE = b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
ANSWERS = [
    [(b":status", b"302"), (b"cache-control", b"private"), WHEN, WHERE],
    [(b":status", b"307"), (b"cache-control", b"private"), WHEN, WHERE],
    [
        (b":status", b"200"),
        (b"cache-control", b"private"),
        LATER,
        WHERE,
        (b"content-encoding", b"gzip"),
        (b"set-cookie", COOKIE),
    ],
]
HUFFMAN_ANSWERS = (  # appendix C.6: entries are evicted from a table of 256 bytes
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff"
    "6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335"
    "dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
)


@pytest.mark.parametrize("blocks", [PLAIN_REQUESTS, HUFFMAN_REQUESTS])
def test_requests_of_the_rfc(blocks: tuple[str, ...]) -> None:
    """Appendices C.3 and C.4: three requests that share a table."""
    reader = Reader()
    assert [reader.read(bytes.fromhex(block)) for block in blocks] == REQUESTS


def test_answers_of_the_rfc_evict_entries() -> None:
    """Appendix C.6 sets the table to 256 bytes, here by a size update in the first block."""
    reader = Reader()
    first, *rest = (bytes.fromhex(block) for block in HUFFMAN_ANSWERS)
    resize = b"\x3f\xe1\x01"  # section 6.3, the integer 256
    assert [reader.read(block) for block in (resize + first, *rest)] == ANSWERS


@pytest.mark.parametrize(
    ("block", "header"),
    [  # appendix C.2
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", (b"custom-key", b"custom-header")),
        ("040c2f73616d706c652f70617468", (b":path", b"/sample/path")),
        ("100870617373776f726406736563726574", (b"password", b"secret")),
        ("82", (b":method", b"GET")),
    ],
)
def test_header_fields_of_the_rfc(block: str, header: Header) -> None:
    """Each representation of a header field alone."""
    assert Reader().read(bytes.fromhex(block)) == [header]


headers = st.lists(
    st.tuples(st.sampled_from(NAMES), st.binary(max_size=300)), min_size=1, max_size=12
)


@settings(deadline=None)
@given(st.lists(headers, min_size=1, max_size=8), st.booleans())
def test_what_another_library_encodes_is_read_back(
    blocks: list[list[tuple[bytes, bytes]]], huffman: bool
) -> None:
    """Blocks of any headers, which share a table that overflows."""
    encoder, reader = Encoder(), Reader()
    for block in blocks:
        assert reader.read(encoder.encode(block, huffman=huffman)) == block


@settings(deadline=None)
@given(
    st.lists(st.tuples(headers, st.sampled_from([None, 0, 64, 500, 4096])), min_size=1, max_size=8)
)
def test_the_table_follows_size_updates(
    blocks: list[tuple[list[tuple[bytes, bytes]], int | None]],
) -> None:
    """The sender makes its table smaller and larger again: section 4.3."""
    encoder, reader = Encoder(), Reader()
    for block, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        assert reader.read(encoder.encode(block)) == block


@settings(deadline=None)
@given(st.lists(headers, min_size=2, max_size=8), st.integers(1, 7))
def test_a_block_read_from_the_middle_is_right_or_unknown(
    blocks: list[list[tuple[bytes, bytes]]], n_missed: int
) -> None:
    """Where the first blocks were not seen, no text is another's: each is right, or not known."""
    encoder, reader = Encoder(), Reader(from_start=False)
    encoded = [encoder.encode(block) for block in blocks]
    for block, wire in list(zip(blocks, encoded, strict=True))[n_missed:]:
        seen = reader.read(wire)
        assert seen is not None
        for (name, value), (true_name, true_value) in zip(seen, block, strict=True):
            assert name in (None, true_name)
            assert value in (None, true_value)


def test_what_was_said_again_after_a_loss_is_known() -> None:
    """A loss forgets the table; entries that come later are read by their index."""
    encoder, reader = Encoder(), Reader()
    first = [(b":path", b"/before"), (b":status", b"201")]
    second = [(b":path", b"/after")]
    reader.read(encoder.encode(first))
    reader.lose()
    assert reader.read(encoder.encode(second)) == second
    assert reader.read(encoder.encode(second + first)) == [*second, (None, None), (None, None)]


@pytest.mark.parametrize(
    "block",
    [
        "80",  # index 0
        "be",  # beyond a table that is empty since the connection began
        "418cf1e3",  # a string that is cut
        "410200",  # its length and one byte of two
        "4082ffff00",  # Huffman: a code of all ones is padding, of seven bits at most
        "7fffffffffff01",  # an integer beyond any table
    ],
)
def test_malformed_blocks_are_told(block: str) -> None:
    """What cannot have been sent so is no header."""
    assert Reader().read(bytes.fromhex(block)) is None


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(block: bytes) -> None:
    """Whatever comes, the reader comes back."""
    Reader().read(block)
    Reader(from_start=False).read(block)
