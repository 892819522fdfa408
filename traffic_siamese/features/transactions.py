"""Transactions: answers matched to requests by the native kernel, whatever the protocol."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.messages import MessageChunk
from traffic_siamese.native import kernel, pointer

IS_FIRST, IS_RETRANSMISSION, IS_DUPLICATE = 1, 2, 4
PATIENCE_S = (0.5, 4.0)
"""A request unanswered for this long is reported: T1, and 8 T1 (RFC 3261 section 17.1.1.1)."""

_INPUTS = (
    ("time_ns", np.int64),
    ("direction", np.uint8),
    ("request_kind", np.uint8),
    ("answer_class", np.uint8),
    ("answered_kind", np.uint8),
    ("transaction_key", np.uint64),
    ("session_key", np.uint64),
    ("content_key", np.uint64),
)
_EVENTS = (("time_ns", np.int64), ("patience", np.uint8), ("direction", np.uint8))
_MIN_EVENTS = 4096


class _Messages(ctypes.Structure):
    _fields_ = [
        ("n", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name, _ in _INPUTS),
    ]


class _Results(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("flags", "first_delay_ns", "final_delay_ns", "session_ns")
    ]


class _Events(ctypes.Structure):
    _fields_ = [
        ("capacity", ctypes.c_int64),
        ("n", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name, _ in _EVENTS),
    ]


kernel.ts_transactions_new.restype = ctypes.c_void_p
kernel.ts_transactions_new.argtypes = []
kernel.ts_transactions_free.argtypes = [ctypes.c_void_p]
kernel.ts_transactions_match.restype = ctypes.c_int64
kernel.ts_transactions_match.argtypes = [
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.POINTER(_Messages),
    ctypes.POINTER(_Results),
    ctypes.POINTER(_Events),
]
kernel.ts_transactions_pass.restype = ctypes.c_int64
kernel.ts_transactions_pass.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(_Events)]


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """What matching tells of the messages, and of requests whose answer did not come.

    Attributes
    ----------
    flags : ndarray of shape (n_messages,), uint8
        IS_FIRST: opens a transaction. IS_RETRANSMISSION: the same content as the transaction's
        last message of its sort, 50 ms or more later. IS_DUPLICATE: the same, sooner than any
        retransmission timer fires (a mirrored or looped packet).
    first_delay_s, final_delay_s : ndarray of shape (n_messages,), float64
        In the answer that ends the wait: seconds since the request was first seen; NaN elsewhere.
    session_s : ndarray of shape (n_messages,), float64
        In the request that ends a session: its length in seconds; NaN elsewhere.
    unanswered_ns, unanswered_patience, unanswered_direction : ndarray of shape (n_events,)
        When a request's patience ran out, which (place in PATIENCE_S), and which way it went.
    """

    flags: NDArray[np.uint8]
    first_delay_s: NDArray[np.float64]
    final_delay_s: NDArray[np.float64]
    session_s: NDArray[np.float64]
    unanswered_ns: NDArray[np.int64]
    unanswered_patience: NDArray[np.uint8]
    unanswered_direction: NDArray[np.uint8]


def _seconds(delay_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(delay_ns < 0, np.nan, delay_ns * 1e-9)


class TransactionMatcher:
    """Follows transactions and sessions over all messages of a log, in bounded memory."""

    def __init__(self) -> None:
        self._state: int | None = kernel.ts_transactions_new()
        if not self._state:
            raise MemoryError("no memory for the table of transactions")

    def close(self) -> None:
        """Free the tables."""
        if self._state:
            kernel.ts_transactions_free(self._state)
        self._state = None

    def match(
        self,
        messages: MessageChunk,
        time_ns: NDArray[np.int64],
        direction: NDArray[np.uint8],
        now_ns: int,
    ) -> Matched:
        """Match a chunk of messages, then let time pass to the end of the chunk.

        Parameters
        ----------
        messages : MessageChunk
        time_ns : ndarray of shape (n_messages,), int64
        direction : ndarray of shape (n_messages,), uint8
            0 towards the service, 1 from it.
        now_ns : int
            Latest packet time so far: without messages, too, patience runs out.
        """
        n = len(messages)
        named = {"time_ns": time_ns, "direction": direction}
        columns = [
            np.ascontiguousarray(named.get(name, getattr(messages, name, None)), dtype)
            for name, dtype in _INPUTS
        ]
        inputs = _Messages(n, *(pointer(column) for column in columns))
        flags = np.zeros(n, np.uint8)
        delays = [np.full(n, -1, np.int64) for _ in range(3)]
        results = _Results(pointer(flags), *(pointer(delay) for delay in delays))
        events = self._run(inputs, results, n, now_ns)
        return Matched(flags, *(_seconds(delay) for delay in delays), *events)

    def _run(
        self, inputs: _Messages, results: _Results, n: int, now_ns: int
    ) -> list[NDArray[np.generic]]:
        parts: list[list[NDArray[np.generic]]] = []
        first, done = 0, False
        while not done:
            out = [np.empty(n + _MIN_EVENTS, dtype) for _, dtype in _EVENTS]
            events = _Events(n + _MIN_EVENTS, 0, *(pointer(column) for column in out))
            if first < n:
                first = kernel.ts_transactions_match(self._state, first, inputs, results, events)
            if first >= n:
                done = bool(kernel.ts_transactions_pass(self._state, now_ns, events))
            parts.append([column[: events.n].copy() for column in out])
        return [np.concatenate(column) for column in zip(*parts, strict=True)]
