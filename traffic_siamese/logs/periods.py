"""Amounts that were measured over a period, spread evenly over the bins that it covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """From when to when each of some amounts was measured, laid over bins.

    Attributes
    ----------
    bins : ndarray of shape (n_bins,), int64
        Numbers (time over bin length) of the bins that some period touches, sorted.
    first, last : ndarray of shape (n_periods,), int64
        Where in ``bins`` each period starts and ends; all bins between are there.
    first_share, full_share, last_share : ndarray of shape (n_periods,), float64
        Shares of a period's amount that fall into its first bin, into each bin between, and into
        its last bin.
    """

    bins: Int64Array
    first: Int64Array
    last: Int64Array
    first_share: Float64Array
    full_share: Float64Array
    last_share: Float64Array

    def spread(self, amount: Float64Array) -> Float64Array:
        """Return how much falls into each bin, shape (n_bins,).

        What lies between first and last bins is summed as differences, in extended precision: no
        bin costs anything, however long the periods are. Where no period is under way the sum is
        zero, not a rest of rounding.
        """
        n = len(self.bins)
        out: Float64Array = np.bincount(self.first, amount * self.first_share, n).astype(np.float64)
        out += np.bincount(self.last, amount * self.last_share, minlength=n)
        steps = np.zeros(n + 1, np.longdouble)
        inner = self.last - self.first >= 2
        rate = (amount * self.full_share)[inner].astype(np.longdouble)
        np.add.at(steps, self.first[inner] + 1, rate)
        np.add.at(steps, self.last[inner], -rate)
        under_way = np.cumsum(self._steps(inner, self.first + 1, self.last))[:n] > 0
        out[under_way] += np.cumsum(steps)[:n][under_way].astype(np.float64)
        return out

    def active(self) -> Float64Array:
        """Return how many periods touch each bin, shape (n_bins,)."""
        everyone = np.ones(len(self.first), bool)
        n_active = np.cumsum(self._steps(everyone, self.first, self.last + 1))
        return n_active[: len(self.bins)].astype(np.float64)

    def starts(self, counted: NDArray[np.bool_] | None = None) -> Float64Array:
        """Return how many of the periods counted start in each bin, shape (n_bins,)."""
        first = self.first if counted is None else self.first[counted]
        return np.bincount(first, minlength=len(self.bins)).astype(np.float64)

    def _steps(self, mask: NDArray[np.bool_], up: Int64Array, down: Int64Array) -> Int64Array:
        room = len(self.bins) + 2
        return np.bincount(up[mask], minlength=room) - np.bincount(down[mask], minlength=room)


def lay_over_bins(start_ns: Int64Array, end_ns: Int64Array, bin_ns: int) -> Periods:
    """Lay periods over the bins that they touch; bins that none touches take no memory.

    Parameters
    ----------
    start_ns, end_ns : ndarray of shape (n_periods,), int64
        Nanoseconds since the epoch; a period without length lies in the bin of its start.
    bin_ns : int
        Length of a bin; bins are aligned to the epoch.

    Returns
    -------
    Periods
    """
    length = np.maximum(end_ns - start_ns, 0)
    first = start_ns // bin_ns
    last = np.maximum((start_ns + length - 1) // bin_ns, first)
    bins = _union(first, last)
    safe = np.maximum(length, 1).astype(np.float64)
    first_ns = np.minimum(length, (first + 1) * bin_ns - start_ns)
    last_ns = start_ns + length - last * bin_ns
    single = first == last
    return Periods(
        bins,
        np.searchsorted(bins, first),
        np.searchsorted(bins, last),
        np.where(single, 1.0, first_ns / safe),
        bin_ns / safe,
        np.where(single, 0.0, last_ns / safe),
    )


def n_bins_touched(start_ns: Int64Array, end_ns: Int64Array, bin_ns: int) -> int:
    """Return how many bins the periods touch together."""
    first = start_ns // bin_ns
    starts, ends = _runs(first, np.maximum((end_ns - 1) // bin_ns, first))
    return int((ends - starts + 1).sum())


def _runs(first: Int64Array, last: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Merge ranges of bins that overlap or touch; both ends are included."""
    if not len(first):
        return first, last
    order = np.argsort(first, kind="stable")
    starts, reach = first[order], np.maximum.accumulate(last[order])
    opens = np.flatnonzero(np.append(True, starts[1:] > reach[:-1] + 1))
    return starts[opens], reach[np.append(opens[1:], len(starts)) - 1]


def _union(first: Int64Array, last: Int64Array) -> Int64Array:
    starts, ends = _runs(first, last)
    sizes = ends - starts + 1
    offsets = np.cumsum(sizes) - sizes
    union: Int64Array = np.arange(int(sizes.sum())) + np.repeat(starts - offsets, sizes)
    return union
