"""What a cumulative counter counted from row to row: a wrap is no reset, and a gap no zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import Int64Array

_WRAP_BITS = (32, 64)
_PLAUSIBLE = 4.0  # times the usual rate, and what came after a wrap or a reset is still believed
_USUAL_QUANTILE = 0.95
_NEAR_END = 0.9  # of a counter's range, where nothing is known of its usual rate
_CORRECTION = 0.5  # of the value before: a smaller fall is a correction, not a reset


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """What one counter counted.

    Attributes
    ----------
    amount : ndarray of shape (n_rows,), float64
        Counted since the row before, NaN where that is not known. A value after missing ones is
        shared out over their rows by time.
    n_wraps, n_resets, n_falls : int
        How often it wrapped, started again at zero, or fell in another way, which is not counted.
    """

    amount: NDArray[np.float64]
    n_wraps: int
    n_resets: int
    n_falls: int


def counter_differences(
    time_ns: Int64Array, values: NDArray[np.float64], *, max_gap_ns: int
) -> Differences:
    """Difference a cumulative counter.

    A counter that falls has wrapped where 2^32 or 2^64 more makes the difference one that was
    usual (at most four times the rate that 95 % of its rises stay within); it was reset where
    the new value itself is (it counted from zero); otherwise the difference is not known.

    Parameters
    ----------
    time_ns : ndarray of shape (n_rows,), int64
        Strictly ascending.
    values : ndarray of shape (n_rows,), float64
        NaN where missing.
    max_gap_ns : int
        What was counted over more time than this is not known: it may be a matter of minutes or
        of the gap's end.
    """
    amount = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return Differences(amount, 0, 0, 0)
    step_ns = np.diff(time_ns[known]).astype(np.float64)
    rise = np.diff(values[known])
    fell = np.flatnonzero(rise < 0)
    usual = _usual_rate(rise, step_ns) * step_ns[fell]
    before, after = values[known[:-1]][fell], values[known[1:]][fell]
    resolved, how = _resolve(before, after, usual)
    rise[fell] = resolved
    rise[step_ns > max_gap_ns] = np.nan
    _share_out(amount, known, rise, time_ns)
    n_wraps, n_resets, n_falls = (int(np.count_nonzero(how == code)) for code in (0, 1, 2))
    return Differences(amount, n_wraps, n_resets, n_falls)


def _usual_rate(rise: NDArray[np.float64], step_ns: NDArray[np.float64]) -> float:
    """Rate per nanosecond that most rises stay within; 0 where there are none."""
    up = rise > 0
    return float(np.quantile(rise[up] / step_ns[up], _USUAL_QUANTILE)) if up.any() else 0.0


def _resolve(
    before: NDArray[np.float64], after: NDArray[np.float64], usual: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what each fall counted, and whether it was a wrap (0), a reset (1) or else (2)."""
    amount = np.full(len(before), np.nan)
    how = np.full(len(before), 2, np.int64)
    limit = _PLAUSIBLE * usual
    for bits in _WRAP_BITS:
        size = 2.0**bits
        wrapped = (size - before) + after
        near = (before > _NEAR_END * size) & (after < (1 - _NEAR_END) * size)
        is_wrap = (how == 2) & (before <= size) & np.where(usual > 0, wrapped <= limit, near)
        amount[is_wrap], how[is_wrap] = wrapped[is_wrap], 0
    is_reset = (how == 2) & (after < _CORRECTION * before) & (after >= 0)
    how[is_reset] = 1
    believed = is_reset & (after <= limit)
    amount[believed] = after[believed]
    return amount, how


def _share_out(
    amount: NDArray[np.float64],
    known: Int64Array,
    rise: NDArray[np.float64],
    time_ns: Int64Array,
) -> None:
    """Put each rise into the rows that it covers, by their share of the time."""
    amount[known[1:]] = rise
    for i in np.flatnonzero(np.diff(known) > 1).tolist():
        rows = np.arange(known[i] + 1, known[i + 1] + 1)
        steps = (time_ns[rows] - time_ns[rows - 1]).astype(np.float64)
        amount[rows] = rise[i] * steps / steps.sum()
