"""Who is behind the traffic of a bin: distinct keys, the busiest one's share, entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_KEY_BITS = np.uint64(40)
_KEY_MASK = np.uint64((1 << 40) - 1)


class KeyTable:
    """Counts keys (hosts, request targets) per row, and describes closed rows.

    A row and 40 bits of a key share one 64-bit word: among 10,000 keys of a bin two fall together
    once in 20,000 bins.
    """

    def __init__(self) -> None:
        self.n_waiting = 0
        self._waiting: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def add(
        self, rows: NDArray[np.int64], key: NDArray[np.uint64], is_closed: NDArray[np.bool_]
    ) -> None:
        """Count one of each key in its row; rows described already take no more."""
        keep = ~is_closed[rows]
        words = (rows[keep].astype(np.uint64) << _KEY_BITS) | (key[keep] & _KEY_MASK)
        unique, counts = np.unique(words, return_counts=True)
        self._waiting.append((unique, counts))
        self.n_waiting += len(unique)

    def describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe the rows that close now."""
        words = np.concatenate([w for w, _ in self._waiting] or [np.empty(0, np.uint64)])
        counts = np.concatenate([c for _, c in self._waiting] or [np.empty(0, np.int64)])
        unique, place = np.unique(words, return_inverse=True)
        total = np.bincount(place, counts, minlength=len(unique)).astype(np.int64)
        rows = (unique >> _KEY_BITS).astype(np.int64)
        now = closes[rows]
        self._done.append(_describe(rows[now], total[now]))
        self._waiting = [(unique[~now], total[~now])]
        self.n_waiting = int((~now).sum())

    def statistics(self, n_rows: int) -> NDArray[np.float64]:
        """Return (n_rows, 3): distinct keys, share of the busiest, entropy in bits; 0 if none."""
        out = np.zeros((n_rows, 3))
        for rows, statistics in self._done:
            out[rows] = statistics
        return out


def _describe(
    rows: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    present, first, n_keys = np.unique(rows, return_index=True, return_counts=True)
    if not len(present):
        return present, np.empty((0, 3))
    total = np.add.reduceat(counts, first)
    share = counts / np.repeat(total, n_keys)
    entropy = np.add.reduceat(-share * np.log2(share), first)
    busiest = np.maximum.reduceat(counts, first) / total
    return present, np.stack([n_keys, busiest, np.maximum(entropy, 0)], axis=1)
