"""Statistics of many small samples: median, 95th percentile and deviation per bin and slot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STATISTICS = ("median", "p95", "std", "mean")


def grouped_statistics(
    group: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Describe each group of values.

    Parameters
    ----------
    group : ndarray of shape (n,), int64, 0 to 2**32 - 1
    value : ndarray of shape (n,), float64, >= 0
        Taken to seven digits (float32).

    Returns
    -------
    groups : ndarray of shape (n_groups,), int64
        Sorted.
    statistics : ndarray of shape (n_groups, 4), float64
        In the order of STATISTICS. Percentiles are interpolated linearly (type 7 of Hyndman and
        Fan 1996); the deviation divides by n.
    """
    # The bits of non-negative floats sort as the floats do: one word sorts by group, then value.
    words = (group.astype(np.uint64) << np.uint64(32)) | value.astype(np.float32).view(np.uint32)
    words.sort()
    group = (words >> np.uint64(32)).astype(np.int64)
    value = words.astype(np.uint32).view(np.float32).astype(np.float64)
    groups, first, size = np.unique(group, return_index=True, return_counts=True)
    statistics = np.empty((len(groups), 4))
    for column, share in enumerate((0.5, 0.95)):
        place = share * (size - 1)
        below = place.astype(np.int64)
        above = np.minimum(below + 1, size - 1)
        low, high = value[first + below], value[first + above]
        statistics[:, column] = low + (high - low) * (place - below)
    if len(groups):
        mean = np.add.reduceat(value, first) / size
        deviation = value - np.repeat(mean, size)
        statistics[:, 2] = np.sqrt(np.add.reduceat(deviation * deviation, first) / size)
        statistics[:, 3] = mean
    return groups, statistics


class SampleTable:
    """Samples by row and slot, described once their bin is closed.

    Memory stays bounded: when many samples wait, closed bins are described and their samples
    dropped. What comes for a closed bin after that is too late and is counted in ``n_late``.
    """

    def __init__(self, n_slots: int) -> None:
        self.n_slots = n_slots
        self.n_late = 0
        self.n_waiting = 0
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def add(
        self,
        rows: NDArray[np.int64],
        slot: NDArray[np.int64],
        value: NDArray[np.float64],
        is_closed: NDArray[np.bool_],
    ) -> None:
        """Add samples; ``is_closed`` tells of each row whether it was described already."""
        late = is_closed[rows]
        self.n_late += int(late.sum())
        keep = ~late
        self._waiting.append((rows[keep] * self.n_slots + slot[keep], value[keep]))
        self.n_waiting += int(keep.sum())

    def describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe the samples of the rows that close now."""
        group = np.concatenate([g for g, _ in self._waiting] or [np.empty(0, np.int64)])
        value = np.concatenate([v for _, v in self._waiting] or [np.empty(0)])
        now = closes[group // self.n_slots]
        self._done.append(grouped_statistics(group[now], value[now]))
        self._waiting = [(group[~now], value[~now])]
        self.n_waiting = int((~now).sum())

    def statistics(self, n_rows: int) -> NDArray[np.float64]:
        """Return what was described, shape (n_rows, n_slots, 4); NaN where nothing was."""
        out = np.full((n_rows * self.n_slots, 4), np.nan)
        for group, statistics in self._done:
            out[group] = statistics
        return out.reshape(n_rows, self.n_slots, 4)
