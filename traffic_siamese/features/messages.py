"""Signalling messages as columns, read from packets by the native kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.native import kernel, pointer

_PACKET_COLUMNS = (
    ("time_ns", np.int64),
    ("ip_protocol", np.uint8),
    ("flags", np.uint8),
    ("tcp_flags", np.uint8),
    ("src_key", np.uint64),
    ("dst_key", np.uint64),
    ("src_port", np.uint16),
    ("dst_port", np.uint16),
    ("tcp_seq", np.uint32),
    ("payload_offset", np.int64),
    ("payload_bytes", np.uint32),
    ("payload_wire_bytes", np.uint32),
)
_MESSAGE_COLUMNS = (
    ("packet", np.int64),
    ("request_kind", np.uint8),
    ("answer_class", np.uint8),
    ("answered_kind", np.uint8),
    ("status", np.uint16),
    ("transaction_key", np.uint64),
    ("session_key", np.uint64),
    ("target_key", np.uint64),
    ("content_key", np.uint64),
)


class _Packets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name, _ in _PACKET_COLUMNS]


class _Messages(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name, _ in _MESSAGE_COLUMNS),
        ("retransmitted_segment", ctypes.c_void_p),
        ("capacity", ctypes.c_int64),
        ("n", ctypes.c_int64),
    ]


kernel.ts_messages_new.restype = ctypes.c_void_p
kernel.ts_messages_new.argtypes = []
kernel.ts_messages_free.argtypes = [ctypes.c_void_p]
kernel.ts_messages_read.restype = ctypes.c_int64
kernel.ts_messages_read.argtypes = [
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.POINTER(_Packets),
    ctypes.POINTER(_Messages),
]


@dataclass(frozen=True, slots=True, eq=False)
class MessageChunk:
    """Messages of one packet chunk, in capture order; arrays of shape (n_messages,).

    Attributes
    ----------
    packet : ndarray of int64
        Row, in the packet chunk, of the packet that completed the message.
    request_kind, answer_class : ndarray of uint8
        Slots (see ``slots``); 255 where the message is not of that sort.
    answered_kind : ndarray of uint8
        The request kind that an answer answers; a request's own kind.
    status : ndarray of uint16
        The protocol's own answer code; 0 in requests.
    transaction_key, session_key : ndarray of uint64
        Equal in all messages of one transaction (RFC 3261 17.1.3), of one session (Call-ID).
    target_key : ndarray of uint64
        Whom a request is for: hash of the Request-URI's user; 0 in answers.
    content_key : ndarray of uint64
        Hash of the message's head: equal in exact copies.
    """

    packet: NDArray[np.int64]
    request_kind: NDArray[np.uint8]
    answer_class: NDArray[np.uint8]
    answered_kind: NDArray[np.uint8]
    status: NDArray[np.uint16]
    transaction_key: NDArray[np.uint64]
    session_key: NDArray[np.uint64]
    target_key: NDArray[np.uint64]
    content_key: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.packet)

    def moved(self, packet: NDArray[np.int64]) -> MessageChunk:
        """Return the same messages at other packet rows."""
        return replace(self, packet=packet)

    @staticmethod
    def joined(parts: Sequence[MessageChunk]) -> MessageChunk:
        """Return the messages of one or more chunks as one."""
        return MessageChunk(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name, _ in _MESSAGE_COLUMNS
            )
        )


class MessageReader:
    """Reads SIP messages from packet chunks, joining TCP segments across chunks.

    SIP is known by its start line (RFC 3261 section 7), whatever the port.
    """

    def __init__(self) -> None:
        self._state: int | None = kernel.ts_messages_new()
        if not self._state:
            raise MemoryError("no memory for the table of TCP streams")

    def __enter__(self) -> MessageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the stream table."""
        if self._state:
            kernel.ts_messages_free(self._state)
        self._state = None

    def read(self, chunk: PacketChunk) -> tuple[MessageChunk, NDArray[np.bool_]]:
        """Read the messages that end in this chunk.

        Returns
        -------
        messages : MessageChunk
        retransmitted_segment : ndarray of shape (n_packets,), bool
            TCP segments whose bytes all lie behind those due next, and repeated SYNs.
        """
        retransmitted = np.zeros(len(chunk.time_ns), np.uint8)
        parts = list(self._parts(chunk, retransmitted))
        columns = (
            np.concatenate([part[i] for part in parts]) for i in range(len(_MESSAGE_COLUMNS))
        )
        return MessageChunk(*columns), retransmitted.astype(bool)

    def _parts(
        self, chunk: PacketChunk, retransmitted: NDArray[np.uint8]
    ) -> Iterator[list[NDArray[np.generic]]]:
        columns = [
            np.ascontiguousarray(getattr(chunk, name), dtype) for name, dtype in _PACKET_COLUMNS
        ]
        packets = _Packets(*(pointer(column) for column in columns))
        n_packets = len(chunk.time_ns)
        largest = int(chunk.payload_bytes.max(initial=0))
        capacity = max(2 * n_packets, largest // 4 + 16)  # the kernel asks for payload / 4 + 2
        first = 0
        while True:
            out = [np.empty(capacity, dtype) for _, dtype in _MESSAGE_COLUMNS]
            messages = _Messages(
                *(pointer(column) for column in out), pointer(retransmitted), capacity, 0
            )
            first = kernel.ts_messages_read(
                self._state, pointer(chunk.data), first, n_packets, packets, messages
            )
            yield [column[: messages.n].copy() for column in out]
            if first >= n_packets:
                return
