"""Transactions: answers matched to requests by the native kernel, whatever the protocol."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
_N_DELAYS = 3  # first, final, session
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
class Unanswered:
    """Requests whose answer did not come in time.

    Attributes
    ----------
    time_ns : ndarray of shape (n_events,), int64
        When the patience ran out.
    patience : ndarray of shape (n_events,), uint8
        Which: place in PATIENCE_S.
    direction : ndarray of shape (n_events,), uint8
        Which way the request went.
    """

    time_ns: NDArray[np.int64]
    patience: NDArray[np.uint8]
    direction: NDArray[np.uint8]


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
    unanswered : Unanswered
        Requests whose patience ran out meanwhile.
    """

    flags: NDArray[np.uint8]
    first_delay_s: NDArray[np.float64]
    final_delay_s: NDArray[np.float64]
    session_s: NDArray[np.float64]
    unanswered: Unanswered


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
        self, messages: MessageChunk, time_ns: NDArray[np.int64], direction: NDArray[np.uint8]
    ) -> Matched:
        """Match some messages, in capture order.

        Parameters
        ----------
        messages : MessageChunk
        time_ns : ndarray of shape (n_messages,), int64
        direction : ndarray of shape (n_messages,), uint8
            0 towards the service, 1 from it.
        """
        n = len(messages)
        named = {"time_ns": time_ns, "direction": direction}
        columns = [
            np.ascontiguousarray(named.get(name, getattr(messages, name, None)), dtype)
            for name, dtype in _INPUTS
        ]
        inputs = _Messages(n, *(pointer(column) for column in columns))
        flags = np.zeros(n, np.uint8)
        first, final, session = (np.full(n, -1, np.int64) for _ in range(_N_DELAYS))
        results = _Results(*(pointer(column) for column in (flags, first, final, session)))
        place = 0

        def step(events: _Events) -> bool:
            nonlocal place
            place = kernel.ts_transactions_match(self._state, place, inputs, results, events)
            return bool(place >= n)

        unanswered = _collect(step, n)
        return Matched(flags, _seconds(first), _seconds(final), _seconds(session), unanswered)

    def finish(self, now_ns: int) -> Unanswered:
        """Let time pass to the end of the log, without another message."""
        return _collect(
            lambda events: bool(kernel.ts_transactions_pass(self._state, now_ns, events)), 0
        )


def _collect(step: Callable[[_Events], bool], n_expected: int) -> Unanswered:
    """Take events until a step says that it is through."""
    parts: list[list[NDArray[Any]]] = []
    done = False
    while not done:
        out = [np.empty(n_expected + _MIN_EVENTS, dtype) for _, dtype in _EVENTS]
        events = _Events(len(out[0]), 0, *(pointer(column) for column in out))
        done = step(events)
        parts.append([column[: events.n].copy() for column in out])
    return Unanswered(*(np.concatenate(column) for column in zip(*parts, strict=True)))
