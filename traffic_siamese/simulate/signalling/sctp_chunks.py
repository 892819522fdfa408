"""SCTP's chunks: what they say to the other end, and how they are written.

References
----------
RFC 9260 section 3.3; RFC 6733 section 2.1.1 (payload protocol identifier of Diameter).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from traffic_siamese.simulate.signalling.clock import Action

(
    DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, _,
    COOKIE_ECHO, COOKIE_ACK, _, _, SHUTDOWN_COMPLETE,
) = range(15)  # fmt: skip
COMMON_HEADER_BYTES, DATA_HEADER_BYTES = 12, 16
RECEIVE_WINDOW_BYTES = 106_496
"""What an end has room for, as in Linux; signalling never fills it."""
N_STREAMS = 10
REFLECTED = 1
"""Flag T: the verification tag is the one that the other end used (sections 3.3.7, 3.3.13)."""
_WHOLE_MESSAGE = 3
_DIAMETER = 46
_STATE_COOKIE, _HEARTBEAT_INFO = 7, 1
_COOKIE_BYTES = 228
_MAX_GAPS = 40


class Message(NamedTuple):
    """A user message on its way: a DATA chunk carries it whole.

    Attributes
    ----------
    tsn : int
        Its number; counts on where 32 bits end, and only their rest is written.
    stream, ssn : int
        Its stream, and its number there.
    payload : bytes
    arrive : Action
        What happens where it is delivered, with ``subject``.
    subject : object
    """

    tsn: int
    stream: int
    ssn: int
    payload: bytes
    arrive: Action
    subject: object

    @property
    def n_bytes(self) -> int:
        """Length of its chunk, padded."""
        return DATA_HEADER_BYTES + len(self.payload) + -len(self.payload) % 4


class Chunk(NamedTuple):
    """A chunk: its type, how it is written, and what the other end makes of it."""

    kind: int
    wire: bytes
    content: object = None


class Acked(NamedTuple):
    """What a SACK tells: all up to a number, and blocks (first, last) of others behind it."""

    cumulative: int
    blocks: tuple[tuple[int, int], ...]


def chunk(kind: int, body: bytes = b"", *, flags: int = 0, content: object = None) -> Chunk:
    """Write a chunk, padded to four bytes."""
    head = struct.pack(">BBH", kind, flags, 4 + len(body))
    return Chunk(kind, head + body + bytes(-len(body) % 4), content)


def data(message: Message) -> Chunk:
    """Write a whole user message."""
    numbers = struct.pack(
        ">IHHI", message.tsn & 0xFFFFFFFF, message.stream, message.ssn & 0xFFFF, _DIAMETER
    )
    return chunk(DATA, numbers + message.payload, flags=_WHOLE_MESSAGE, content=message)


def init(tag: int, first_tsn: int, *, kind: int = INIT) -> Chunk:
    """Ask for an association, or grant one with a cookie; the content are both numbers."""
    numbers = tag, RECEIVE_WINDOW_BYTES, N_STREAMS, N_STREAMS, first_tsn & 0xFFFFFFFF
    body = struct.pack(">IIHHI", *numbers)
    if kind == INIT_ACK:
        body += struct.pack(">HH", _STATE_COOKIE, 4 + _COOKIE_BYTES) + cookie(tag)
    return chunk(kind, body, content=(tag, first_tsn))


def cookie(tag: int) -> bytes:
    """Return what the core wants to see again: nothing that can be read by others."""
    return struct.pack(">I", tag) * (_COOKIE_BYTES // 4)


def sack(acked: Acked, duplicates: Sequence[int]) -> Chunk:
    """Tell what has arrived, and what more than once."""
    first = acked.cumulative
    blocks = acked.blocks[:_MAX_GAPS]
    told = list(duplicates)[:_MAX_GAPS]
    body = struct.pack(">IIHH", first & 0xFFFFFFFF, RECEIVE_WINDOW_BYTES, len(blocks), len(told))
    body += b"".join(struct.pack(">HH", low - first, high - first) for low, high in blocks)
    body += b"".join(struct.pack(">I", tsn & 0xFFFFFFFF) for tsn in told)
    return chunk(SACK, body, content=Acked(first, blocks))


def heartbeat(kind: int, sent_s: float) -> Chunk:
    """Ask whether the path works, or answer: the same content comes back."""
    info = struct.pack(">HHQ", _HEARTBEAT_INFO, 12, int((sent_s + 1e6) * 1e9))
    return chunk(kind, info, content=sent_s)


def shutdown(cumulative: int) -> Chunk:
    """Ask for the end; tells also what has arrived."""
    return chunk(SHUTDOWN, struct.pack(">I", cumulative & 0xFFFFFFFF), content=cumulative)
