"""Packets and the signalling messages in them, gathered by the native kernel into batches."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.native import kernel, pointer

BATCH_PACKETS = 1 << 14
_TCP, _UDP, _SCTP = 6, 17, 132
_SIGNALLING_PORTS = (
    ((_TCP, _UDP, _SCTP), (5060, 5061)),  # SIP, with TLS
    ((_TCP, _SCTP), (3868, 5658)),  # Diameter, with TLS
    ((_SCTP,), (2905, 36412, 38412)),  # M3UA, S1AP, NGAP
)
"""By IP protocol; mirrored in native/counting.c."""

PACKET = np.dtype(
    [
        ("time_ns", np.int64),
        ("src_key", np.uint64),
        ("dst_key", np.uint64),
        ("wire_bytes", np.uint32),
        ("row", np.uint32),
        ("src_port", np.uint16),
        ("dst_port", np.uint16),
        ("ip_protocol", np.uint8),
        ("flags", np.uint8),
        ("tcp_flags", np.uint8),
        ("icmp_type", np.uint8),
        ("retransmitted", np.uint8),
        ("direction", np.uint8),
    ],
    align=True,
)
"""An IP packet: the columns of `PacketChunk`; the row of its bin and its direction, set later;
and whether it is a TCP segment behind the bytes that were due next, or a repeated SYN; of SCTP, how
many of its chunks are so."""

MESSAGE = np.dtype(
    [
        ("transaction_key", np.uint64),
        ("session_key", np.uint64),
        ("target_key", np.uint64),
        ("content_key", np.uint64),
        ("packet", np.uint32),
        ("status", np.uint16),
        ("request_kind", np.uint8),
        ("answer_class", np.uint8),
        ("answered_kind", np.uint8),
        ("protocol", np.uint8),
        ("is_one_way", np.uint8),
        ("reuses_keys", np.uint8),
        ("is_repeated", np.uint8),
    ],
    align=True,
)
"""A message. ``transaction_key`` and ``session_key`` are equal in all messages of one transaction
(RFC 3261 17.1.3, say), of one session (Call-ID), 0 in answers that do not name theirs;
``target_key`` is whom a request is for (Request-URI's user), 0 in answers; ``content_key`` is equal
in exact copies; ``packet`` is the row of the packet that completed it; ``status`` is the protocol's
own answer code, 0 in requests; the next three are slots (see ``slots``), 255 where the message is
not of that sort, and ``answered_kind`` is the kind of the request that an answer answers (255: as
its request was), a request's own kind in requests. ``protocol`` is its place in `PROTOCOLS`;
``is_one_way`` tells a request that is not answered; ``reuses_keys``, that other content under its
transaction's key is another transaction; ``is_repeated``, a request that says itself that it was
sent before (Diameter's flag T)."""

_COLUMNS = (
    ("time_ns", np.int64),
    ("wire_bytes", np.uint32),
    ("ip_version", np.uint8),
    ("ip_protocol", np.uint8),
    ("flags", np.uint8),
    ("tcp_flags", np.uint8),
    ("icmp_type", np.uint8),
    ("src_key", np.uint64),
    ("dst_key", np.uint64),
    ("src_port", np.uint16),
    ("dst_port", np.uint16),
    ("tcp_seq", np.uint32),
    ("payload_offset", np.int64),
    ("payload_bytes", np.uint32),
    ("payload_wire_bytes", np.uint32),
    ("fragment_id", np.uint32),
)


class _Columns(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name, _ in _COLUMNS)


class _Batch(ctypes.Structure):
    _fields_ = (
        ("packets", ctypes.c_void_p),
        ("messages", ctypes.c_void_p),
        ("packet_room", ctypes.c_int64),
        ("message_room", ctypes.c_int64),
        ("n_packets", ctypes.c_int64),
        ("n_messages", ctypes.c_int64),
    )


kernel.ts_messages_new.restype = ctypes.c_void_p
kernel.ts_messages_new.argtypes = ()
kernel.ts_messages_free.restype = None
kernel.ts_messages_free.argtypes = (ctypes.c_void_p,)
kernel.ts_batch_fill.restype = ctypes.c_int64
kernel.ts_batch_fill.argtypes = (
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.POINTER(_Columns),
    ctypes.POINTER(_Batch),
)


@dataclass(frozen=True, slots=True, eq=False)
class PacketBatch:
    """Some IP packets, without their bytes, and the messages that end in them.

    Attributes
    ----------
    packets : ndarray of shape (n_packets,), PACKET
    messages : ndarray of shape (n_messages,), MESSAGE
        Both in capture order; overwritten when the next batch is gathered.
    """

    packets: NDArray[Any]
    messages: NDArray[Any]

    def on_signalling_ports(self) -> NDArray[np.bool_]:
        """Tell which packets go to or come from ports of signalling, shape (n_packets,)."""
        found = np.zeros(len(self.packets), bool)
        for ip_protocols, numbers in _SIGNALLING_PORTS:
            on_port = [np.isin(self.packets[end], numbers) for end in ("src_port", "dst_port")]
            found |= np.logical_or(*on_port) & np.isin(self.packets["ip_protocol"], ip_protocols)
        return found


class Batcher:
    """Gathers chunks into batches of equal size: how a log is cut into chunks does not show.

    Messages are known by their content (SIP's start line, Diameter's header), whatever the port, or
    by content and port where the content is too weak to tell: see native/messages.c. TCP segments
    and SCTP fragments are joined across chunks.
    """

    def __init__(self) -> None:
        self._packets = np.empty(BATCH_PACKETS, PACKET)
        self._messages = np.empty(2 * BATCH_PACKETS, MESSAGE)
        self._batch = _Batch()
        self._streams: int | None = kernel.ts_messages_new()
        if not self._streams:
            raise MemoryError("no memory for the tables of TCP streams and SCTP associations")

    def close(self) -> None:
        """Free the stream table."""
        if self._streams:
            kernel.ts_messages_free(self._streams)
        self._streams = None

    def add(self, chunk: PacketChunk) -> Iterator[PacketBatch]:
        """Take one chunk, and yield the batches that it fills.

        The chunk's bytes are not needed any more once all are taken.
        """
        columns = [np.ascontiguousarray(getattr(chunk, name), dtype) for name, dtype in _COLUMNS]
        addresses = _Columns(*(pointer(column) for column in columns))
        data = pointer(chunk.data)
        self._make_room(int(chunk.payload_bytes.max(initial=0)))
        first = 0
        while True:
            first = kernel.ts_batch_fill(
                self._streams, data, first, len(chunk), addresses, self._batch
            )
            if first >= len(chunk):
                return
            yield from self.rest()

    def _make_room(self, payload_bytes: int) -> None:
        """See to it that an empty batch takes the messages of a packet, and tell the kernel."""
        needed = payload_bytes // 4 + 2 + self._batch.n_messages  # what the kernel asks for
        if needed > len(self._messages):
            wider = np.empty(needed, MESSAGE)
            wider[: self._batch.n_messages] = self._messages[: self._batch.n_messages]
            self._messages = wider
        self._batch.packets, self._batch.packet_room = pointer(self._packets), len(self._packets)
        self._batch.messages, self._batch.message_room = (
            pointer(self._messages),
            len(self._messages),
        )

    def rest(self) -> Iterator[PacketBatch]:
        """Yield what was gathered, if anything was, and start the next batch."""
        n_packets, n_messages = self._batch.n_packets, self._batch.n_messages
        self._batch.n_packets = self._batch.n_messages = 0
        if n_packets:
            yield PacketBatch(self._packets[:n_packets], self._messages[:n_messages])
