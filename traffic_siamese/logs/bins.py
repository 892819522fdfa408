"""Where the bins of a table lie: their length, and the moment they start at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import Int64Array

_SAME_PHASE = 0.05  # of a bin
_REGULAR = 0.8  # of the rows
_DEFAULT_S = 1.0


@dataclass(frozen=True, slots=True)
class BinGrid:
    """Bins of one length, one after another: bin ``n`` starts at ``origin_ns + n * bin_ns``."""

    bin_ns: int
    origin_ns: int

    def bins_of(self, time_ns: NDArray[np.int64]) -> Int64Array:
        """Return the bin of each moment."""
        return np.asarray((time_ns - self.origin_ns) // self.bin_ns, np.int64)

    def start_ns(self, number: int) -> int:
        """Return when a bin starts."""
        return self.origin_ns + number * self.bin_ns


def granularity_ns(time_ns: NDArray[np.int64]) -> int | None:
    """Guess how long the period of a row is: the usual time from row to row, or None.

    Parameters
    ----------
    time_ns : ndarray of shape (n_rows,), int64
        Strictly ascending.
    """
    if len(time_ns) < 2:
        return None
    usual = int(np.quantile(np.diff(time_ns), 0.5, method="lower"))
    for unit in (10**9, 10**8, 10**7, 10**6):  # 9.98 s are 10 s
        rounded = round(usual / unit) * unit
        if rounded and abs(rounded - usual) <= usual * 0.01:
            return rounded
    return max(usual, 10**6)


def grid_of(times: list[NDArray[np.int64]], bin_ns: int) -> BinGrid:
    """Lay bins so that they end where most rows do, so that no row falls into two bins.

    Where rows come at odd moments, bins are aligned to the Unix epoch.

    Parameters
    ----------
    times : list of ndarray of int64
        Ends of the rows' periods, of each table.
    bin_ns : int
    """
    phase = np.concatenate(times) % bin_ns if times else np.zeros(0, np.int64)
    if not len(phase):
        return BinGrid(bin_ns, 0)
    middle = int(np.median((phase - phase[0] + bin_ns // 2) % bin_ns)) - bin_ns // 2 + int(phase[0])
    away = np.abs((phase - middle + bin_ns // 2) % bin_ns - bin_ns // 2)
    regular = np.mean(away <= _SAME_PHASE * bin_ns) >= _REGULAR
    return BinGrid(bin_ns, middle % bin_ns if regular else 0)


def default_bin_ns(granularities: list[int]) -> int:
    """Length of a bin where nobody asked for one: the coarsest table's granularity, or 1 s."""
    return max(granularities) if granularities else round(_DEFAULT_S * 1e9)
