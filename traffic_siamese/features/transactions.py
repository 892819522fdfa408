"""Transactions: answers matched to requests by the native kernel, whatever the protocol."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.batches import PacketBatch
from traffic_siamese.features.bins import BinTable
from traffic_siamese.features.counting import Counters, WordBuffer, Words, counters_of
from traffic_siamese.native import kernel, pointer

FIRST_DELAY, FINAL_DELAY, SESSION_LENGTH, N_SAMPLE_SLOTS = 0, 2, 4, 5
"""Slots of the samples, in seconds; a delay's slot is this plus the direction of its request."""

PATIENCE_S = (0.5, 4.0)
"""A request unanswered for this long is reported: T1, and 8 T1 (RFC 3261 section 17.1.1.1)."""

_EVENTS = (("time_ns", np.int64), ("patience", np.uint8), ("direction", np.uint8))
_MIN_EVENTS = 4096


class _Matching(ctypes.Structure):
    """Mirror of ``ts_matching``."""

    _fields_ = (
        ("packets", ctypes.c_void_p),
        ("messages", ctypes.c_void_p),
        ("n", ctypes.c_int64),
        ("to", Counters),
        ("samples", ctypes.POINTER(Words)),
        ("requesters", ctypes.POINTER(Words)),
        ("targets", ctypes.POINTER(Words)),
    )


class _Events(ctypes.Structure):
    _fields_ = (
        ("capacity", ctypes.c_int64),
        ("n", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name, _ in _EVENTS),
    )


kernel.ts_transactions_new.restype = ctypes.c_void_p
kernel.ts_transactions_new.argtypes = ()
kernel.ts_transactions_free.restype = None
kernel.ts_transactions_free.argtypes = (ctypes.c_void_p,)
kernel.ts_transactions_match.restype = ctypes.c_int64
kernel.ts_transactions_match.argtypes = (
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.POINTER(_Matching),
    ctypes.POINTER(_Events),
)
kernel.ts_transactions_pass.restype = ctypes.c_int64
kernel.ts_transactions_pass.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(_Events))


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
    """What matching tells of the messages, beside the counters.

    Attributes
    ----------
    samples : ndarray of shape (n_samples,), uint64
        Words (see `SampleTable`): delays, in the bin of the answer that ended the wait, and lengths
        of the sessions that ended.
    requesters, targets : ndarray of shape (n_requests,), uint64
        Words (see `KeyTable`): the sender and the target of each request.
    n_late : int
        Samples left out, since their bin was closed.
    unanswered : Unanswered
        Requests whose patience ran out meanwhile.
    """

    samples: NDArray[np.uint64]
    requesters: NDArray[np.uint64]
    targets: NDArray[np.uint64]
    n_late: int
    unanswered: Unanswered


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

    def match(self, batch: PacketBatch, table: BinTable) -> Matched:
        """Match and count the messages of a batch whose packets were counted.

        A retransmission has the same content as the transaction's last message of its sort, 50 ms
        or more later; a duplicate comes sooner than any retransmission timer fires (a mirrored or
        looped packet).
        """
        n = len(batch.messages)
        samples, requesters, targets = WordBuffer(2 * n), WordBuffer(n), WordBuffer(n)
        matching = _Matching(
            pointer(batch.packets),
            pointer(batch.messages),
            n,
            counters_of(table),
            *(ctypes.pointer(words.filled) for words in (samples, requesters, targets)),
        )
        place = 0

        def step(events: _Events) -> bool:
            nonlocal place
            place = kernel.ts_transactions_match(self._state, place, matching, events)
            return bool(place >= n)

        unanswered = _collect(step, n)
        return Matched(
            samples.take(), requesters.take(), targets.take(), samples.filled.n_late, unanswered
        )

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
