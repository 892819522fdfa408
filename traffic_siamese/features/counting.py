"""Counting packets by the native kernel: what it counts, and where each counter lies."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.batches import PacketBatch
from traffic_siamese.features.bins import BinTable
from traffic_siamese.features.schema import COUNTER_INDEX, N_COUNTERS
from traffic_siamese.features.slots import ANSWER_CLASSES, REQUEST_KINDS
from traffic_siamese.native import kernel, pointer

COUNTED = (
    "packets",
    "bytes",
    "tcp_syn",
    "tcp_rst",
    "tcp_retransmissions",
    "icmp_unreachable",
    "fragments",
    "new_transactions",
    "retransmitted_requests",
    "retransmitted_answers",
    "duplicates",
    "started_sessions",
    "done_registrations",
    *(f"request_{kind}" for kind in REQUEST_KINDS),
    *(f"answer_{name}" for name in ANSWER_CLASSES),
)
"""The counters that the kernel counts, in the order of ``enum counted`` in native/counting.h."""

SUMS = {
    "repeats": ("retransmitted_requests", "retransmitted_answers", "tcp_retransmissions"),
    "refusals": ("tcp_rst", "icmp_unreachable"),
}
"""Counters that are the sum of others."""

_PLACE = np.array([COUNTER_INDEX[name] for name in COUNTED], np.int32)


class Counters(ctypes.Structure):
    """Mirror of ``ts_counters``."""

    _fields_ = (
        ("counts", ctypes.c_void_p),
        ("tenths", ctypes.c_void_p),
        ("closed", ctypes.c_void_p),
        ("place", ctypes.c_void_p),
        ("n_counters", ctypes.c_int64),
        ("bin_ns", ctypes.c_int64),
    )


class Words(ctypes.Structure):
    """Mirror of ``ts_words``."""

    _fields_ = (
        ("words", ctypes.c_void_p),
        ("n", ctypes.c_int64),
        ("n_late", ctypes.c_int64),
    )


kernel.ts_count_packets.restype = ctypes.c_int64
kernel.ts_count_packets.argtypes = (
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_void_p,
    ctypes.c_int64,
    *(ctypes.POINTER(kind) for kind in (Counters, Words, Words)),
)


def counters_of(table: BinTable) -> Counters:
    """Tell the kernel where to count; valid until the table gets another row."""
    arrays = (table.counts, table.tenths, table.closed, _PLACE)
    return Counters(*(pointer(array) for array in arrays), N_COUNTERS, table.bin_ns)


class WordBuffer:
    """Room for words that the kernel appends."""

    def __init__(self, room: int) -> None:
        self._array = np.empty(room, np.uint64)
        self.filled = Words(pointer(self._array), 0, 0)

    def take(self) -> NDArray[np.uint64]:
        """Return the words, shape (n_words,)."""
        return self._array[: self.filled.n].copy()


def count_packets(
    batch: PacketBatch, service: NDArray[np.uint64], table: BinTable
) -> tuple[int, NDArray[np.uint64], NDArray[np.uint64]]:
    """Count the packets of a batch, and tell each its row and its direction.

    Parameters
    ----------
    batch : PacketBatch
        Its ``row`` and ``direction`` are set: 0 towards the service, 1 from it. Where both ends
        serve, or neither, the lower port is taken for the server's.
    service : ndarray of shape (n_hosts,), uint64
        Hosts that serve.
    table : BinTable

    Returns
    -------
    n_on_signalling_ports : int
        Packets from or to ports of signalling.
    hosts, senders : ndarray of uint64
        Words (see `KeyTable`): the host outside the service of each packet; the sender of each
        packet to the service.
    """
    packets: NDArray[Any] = batch.packets
    packets["row"] = table.rows(packets["time_ns"] // table.bin_ns)
    hosts, senders = WordBuffer(len(packets)), WordBuffer(len(packets))
    n_on_signalling_ports = kernel.ts_count_packets(
        pointer(packets),
        len(packets),
        pointer(service),
        len(service),
        counters_of(table),
        hosts.filled,
        senders.filled,
    )
    return n_on_signalling_ports, hosts.take(), senders.take()
