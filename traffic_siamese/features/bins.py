"""Bins and their counters: rows for the bins that were seen, however far apart they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class BinTable:
    """Rows by bin number, each with a fixed number of counters.

    Only bins that hold a packet take memory, so a jump of years costs nothing.
    """

    def __init__(self, n_counters: int) -> None:
        self.n_counters = n_counters
        self._row_of: dict[int, int] = {}
        self._counts = np.zeros((256, n_counters))

    def __len__(self) -> int:
        """Return the number of bins seen."""
        return len(self._row_of)

    @property
    def bins(self) -> NDArray[np.int64]:
        """Bin number of each row, shape (n_rows,)."""
        return np.fromiter(self._row_of, np.int64, len(self._row_of))

    @property
    def counts(self) -> NDArray[np.float64]:
        """Counters, shape (n_rows, n_counters)."""
        return self._counts[: len(self)]

    def rows(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each bin number, making rows for new ones."""
        changes = np.flatnonzero(np.diff(bins)) + 1  # packets of one bin mostly stand together
        firsts = np.concatenate([[0], changes]) if len(bins) else changes
        row_of = self._row_of
        found = [row_of.setdefault(number, len(row_of)) for number in bins[firsts].tolist()]
        self._grow()
        lengths = np.diff(np.concatenate([firsts, [len(bins)]]))
        return np.repeat(np.asarray(found, np.int64), lengths)

    def _grow(self) -> None:
        if len(self) > len(self._counts):
            wider = np.zeros((2 * len(self), self.n_counters))
            wider[: len(self._counts)] = self._counts
            self._counts = wider

    def add(self, cells: NDArray[np.int64], weight: NDArray[np.float64] | float = 1.0) -> None:
        """Add to cells, numbered row by row: ``row * n_counters + counter``."""
        np.add.at(self._counts.reshape(-1), cells, weight)
