"""Statistics of many small samples: median, 95th percentile and deviation per bin and slot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.bins import run_starts

STATISTICS = ("median", "p95", "std", "mean")
_VALUE_BITS = np.uint64(32)


def grouped_statistics(
    words: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Describe each group of values.

    Parameters
    ----------
    words : ndarray of shape (n,), uint64
        The group above, below it the 32 bits of its value, a float >= 0. The bits of such floats
        sort as the floats do, so one sort is by group, then value. Sorted in place.

    Returns
    -------
    groups : ndarray of shape (n_groups,), int64
        Sorted.
    statistics : ndarray of shape (n_groups, 4), float64
        In the order of STATISTICS. Percentiles are interpolated linearly (type 7 of Hyndman and
        Fan 1996); the deviation divides by n.
    """
    words.sort()
    group = words >> _VALUE_BITS
    value = words.astype(np.uint32).view(np.float32).astype(np.float64)
    first = run_starts(group)
    size = np.diff(first, append=len(group))
    statistics = np.empty((len(first), 4))
    for column, share in enumerate((0.5, 0.95)):
        place = share * (size - 1)
        below = place.astype(np.int64)
        above = np.minimum(below + 1, size - 1)
        low, high = value[first + below], value[first + above]
        statistics[:, column] = low + (high - low) * (place - below)
    if len(first):
        mean = np.add.reduceat(value, first) / size
        deviation = value - np.repeat(mean, size)
        statistics[:, 2] = np.sqrt(np.add.reduceat(deviation * deviation, first) / size)
        statistics[:, 3] = mean
    return group[first].astype(np.int64), statistics


class SampleTable:
    """Samples by row and slot, described once their bin is closed.

    Memory stays bounded: when many samples wait, closed bins are described and their samples
    dropped. What comes for a closed bin after that is too late.
    """

    def __init__(self, n_slots: int) -> None:
        self.n_slots = n_slots
        self.n_waiting = 0
        self._waiting: list[NDArray[np.uint64]] = []
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def add(self, words: NDArray[np.uint64]) -> None:
        """Add samples: ``row * n_slots + slot`` above the 32 bits of the value."""
        self._waiting.append(words)
        self.n_waiting += len(words)

    def describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe the samples of the rows that close now."""
        words = np.concatenate([*self._waiting, np.empty(0, np.uint64)])
        now, later = words, words[:0]
        if not closes.all():
            is_now = np.repeat(closes, self.n_slots)[words >> _VALUE_BITS]
            now, later = words[is_now], words[~is_now]
        self._done.append(grouped_statistics(now))
        self._waiting, self.n_waiting = [later], len(later)

    def statistics(self, n_rows: int) -> NDArray[np.float64]:
        """Return what was described, shape (n_rows, n_slots, 4); NaN where nothing was."""
        out = np.full((n_rows * self.n_slots, 4), np.nan)
        for group, statistics in self._done:
            out[group] = statistics
        return out.reshape(n_rows, self.n_slots, 4)
