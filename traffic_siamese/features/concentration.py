"""Who is behind the traffic of a bin: distinct keys, the busiest one's share, entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.bins import run_starts

_KEY_BITS = np.uint64(40)
_MERGE_WORDS = 1 << 17


class KeyTable:
    """Counts keys (hosts, request targets) per row, and describes closed rows.

    A row and 40 bits of a key share one 64-bit word: among 10,000 keys of a bin two fall together
    once in 20,000 bins. Sorting brings equal words together.

    Parameters
    ----------
    with_shares : bool
        False: only distinct keys are asked for.
    """

    def __init__(self, *, with_shares: bool = False) -> None:
        self.n_waiting = 0
        self._with_shares = with_shares
        self._n_fresh = 0
        self._fresh: list[NDArray[np.uint64]] = []
        self._merged: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def add(self, words: NDArray[np.uint64]) -> None:
        """Count one for each word: the row above 40 bits of the key."""
        self._fresh.append(words)
        self._n_fresh += len(words)
        self.n_waiting += len(words)
        if self._n_fresh >= _MERGE_WORDS:
            self._merge()

    def _merge(self) -> None:
        """Let fresh words that are equal wait as one, with their number."""
        fresh = np.concatenate([*self._fresh, np.empty(0, np.uint64)])
        fresh.sort()
        first = run_starts(fresh)
        self._merged.append((fresh[first], np.diff(first, append=len(fresh))))
        self.n_waiting += len(first) - len(fresh)
        self._fresh, self._n_fresh = [], 0

    def describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe the rows that close now."""
        self._merge()
        words, counts = (np.concatenate(parts) for parts in zip(*self._merged, strict=True))
        order = np.argsort(words, kind="stable")  # nearly sorted: rows come in order of time
        first = run_starts(words[order])
        words = words[order[first]]
        counts = np.add.reduceat(counts[order], first) if len(first) else counts
        rows = (words >> _KEY_BITS).astype(np.int64)
        now = closes[rows]
        self._done.append(_describe(rows[now], counts[now], with_shares=self._with_shares))
        self._merged = [(words[~now], counts[~now])]
        self.n_waiting = len(words) - int(np.count_nonzero(now))

    def statistics(self, n_rows: int) -> NDArray[np.float64]:
        """Return (n_rows, 3): distinct keys, share of the busiest, entropy in bits.

        They are 0 where there was no key, the last two where shares are not asked for.
        """
        out = np.zeros((n_rows, 3))
        for rows, statistics in self._done:
            out[rows] = statistics
        return out


def _describe(
    rows: NDArray[np.int64], counts: NDArray[np.int64], *, with_shares: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    first = run_starts(rows)
    n_keys = np.diff(first, append=len(rows))
    statistics = np.zeros((len(first), 3))
    statistics[:, 0] = n_keys
    if with_shares and len(first):
        total = np.add.reduceat(counts, first)
        share = counts / np.repeat(total, n_keys)
        statistics[:, 1] = np.maximum.reduceat(counts, first) / total
        statistics[:, 2] = np.maximum(np.add.reduceat(-share * np.log2(share), first), 0)
    return rows[first], statistics
