"""Rows into bins: an amount is spread over the row's period, a state holds for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.logs.bins import BinGrid
from traffic_siamese.types import Int64Array

_LEAST_COVERED = 0.5
_BLOCK_CELLS = 2_000_000


def n_pieces(start_ns: Int64Array, end_ns: Int64Array, grid: BinGrid) -> int:
    """Return how many pieces of rows the bins cut: what `spread_rows` has to hold."""
    return int((grid.bins_of(end_ns - 1) - grid.bins_of(start_ns) + 1).sum())


def spread_rows(
    period_ns: tuple[Int64Array, Int64Array],
    values: NDArray[np.float64],
    is_amount: NDArray[np.bool_],
    grid: BinGrid,
) -> tuple[Int64Array, NDArray[np.float64]]:
    """Spread rows over the bins that their periods touch.

    Parameters
    ----------
    period_ns : pair of ndarray of shape (n_rows,), int64
        Start and end of each row's period; ascending, none overlaps the next.
    values : ndarray of shape (n_rows, n_columns), float64
        NaN where missing.
    is_amount : ndarray of shape (n_columns,), bool
        True: an amount, of which each bin gets its share of the period; False: a state, whose
        mean over time the bin gets.
    grid : BinGrid

    Returns
    -------
    bins : ndarray of shape (n_bins,), int64
        Bins touched, ascending.
    out : ndarray of shape (n_bins, n_columns), float64
        NaN where less than half of the bin is covered; an amount that covers more than half is
        scaled up to the whole bin.
    """
    start, end = period_ns
    first = grid.bins_of(start)
    n_bins = grid.bins_of(end - 1) - first + 1
    row = np.repeat(np.arange(len(start)), n_bins)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(n_bins) - n_bins, n_bins)
    piece_bin = first[row] + nth
    edge = grid.origin_ns + piece_bin * grid.bin_ns
    overlap = np.minimum(end[row], edge + grid.bin_ns) - np.maximum(start[row], edge)
    begins = np.flatnonzero(np.diff(piece_bin, prepend=piece_bin[:1] - 1))
    share = overlap / (end - start)[row]
    out = np.empty((len(begins), values.shape[1]))
    width = max(1, _BLOCK_CELLS // max(len(row), 1))
    for left in range(0, values.shape[1], width):
        part = slice(left, left + width)
        out[:, part] = _sums(values[row, part], is_amount[part], (overlap, share), begins, grid)
    return piece_bin[begins], out


def _sums(
    pieces: NDArray[np.float64],
    is_amount: NDArray[np.bool_],
    weights: tuple[NDArray[np.int64], NDArray[np.float64]],
    begins: Int64Array,
    grid: BinGrid,
) -> NDArray[np.float64]:
    overlap, share = (weight[:, None].astype(np.float64) for weight in weights)
    known = np.isfinite(pieces)
    covered = np.add.reduceat(np.where(known, overlap, 0), begins, axis=0)
    weighted = np.where(known, pieces, 0) * np.where(is_amount, share, overlap)
    sums = np.add.reduceat(weighted, begins, axis=0)
    scale = np.where(is_amount, grid.bin_ns, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(is_amount & (covered == grid.bin_ns), sums, sums * scale / covered)
    enough: NDArray[np.float64] = np.where(covered >= _LEAST_COVERED * grid.bin_ns, filled, np.nan)
    return enough


def count_events(
    time_ns: Int64Array, values: NDArray[np.float64], grid: BinGrid
) -> tuple[Int64Array, NDArray[np.float64]]:
    """Add events up in the bins of their moments; shapes as in `spread_rows`."""
    number = grid.bins_of(time_ns)
    begins = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    return number[begins], np.add.reduceat(np.nan_to_num(values), begins, axis=0)
