"""Bins and their counters: rows for the bins that were seen, however far apart they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class BinTable:
    """Rows by bin number, each with a fixed number of counters.

    Only bins that hold a packet take memory, so a jump of years costs nothing.
    """

    def __init__(self, bin_ns: int, n_counters: int) -> None:
        self.bin_ns = bin_ns
        self._row_of: dict[int, int] = {}
        self._counts = np.zeros((256, 2, n_counters))
        self._tenths = np.zeros((256, 2), np.uint16)
        self._closed = np.zeros(256, bool)

    def __len__(self) -> int:
        """Return the number of bins seen."""
        return len(self._row_of)

    @property
    def bins(self) -> NDArray[np.int64]:
        """Bin number of each row, shape (n_rows,)."""
        return np.fromiter(self._row_of, np.int64, len(self._row_of))

    @property
    def counts(self) -> NDArray[np.float64]:
        """Counters by direction, shape (n_rows, 2, n_counters)."""
        return self._counts[: len(self)]

    @property
    def tenths(self) -> NDArray[np.uint16]:
        """A bit for each tenth of the bin that held a packet, shape (n_rows, 2)."""
        return self._tenths[: len(self)]

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Rows that were described already and take no more samples, shape (n_rows,)."""
        return self._closed[: len(self)]

    def rows(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each bin number, making rows for new ones."""
        firsts = run_starts(bins)  # packets of one bin mostly stand together
        row_of = self._row_of
        found = [row_of.setdefault(number, len(row_of)) for number in bins[firsts].tolist()]
        self._grow()
        return np.repeat(np.array(found, np.int64), np.diff(firsts, append=len(bins)))

    def _grow(self) -> None:
        if len(self) > len(self._counts):
            room = 8 * len(self)  # zeroed memory that is never written to costs nothing
            self._counts = _wider(self._counts, room)
            self._tenths = _wider(self._tenths, room)
            self._closed = _wider(self._closed, room)

    def add(
        self, rows: NDArray[np.int64], direction: NDArray[np.uint8], counter: NDArray[np.int64]
    ) -> None:
        """Add one to a counter of each row."""
        np.add.at(self.counts, (rows, direction, counter), 1.0)


def run_starts(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each run of equal values begins, shape (n_runs,)."""
    starts = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=starts[1:])
    return np.flatnonzero(starts)


def _wider(array: NDArray[Any], room: int) -> NDArray[Any]:
    wider = np.zeros((room, *array.shape[1:]), array.dtype)
    wider[: len(array)] = array
    return wider
