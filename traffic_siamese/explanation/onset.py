"""From when on a feature is different: one change point, by least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_EXPLAINED = 0.3
"""Share of the variance that one step must take away; below it nothing began at one moment."""
_BY_CHANCE = 12.0
"""Over the number of bins: the share that the best step of mere noise hardly ever takes away."""
_LEAST_STEP = 1 / 2  # of the largest step: smaller ones are waves of normal traffic


def change_point(values: NDArray[np.floating], *, margin: int = 4) -> int | None:
    """Split a stretch in two, each around its own mean, as tightly as possible.

    Parameters
    ----------
    values : ndarray of shape (n_bins,)
        One feature, in its view.
    margin : int, >= 1
        Bins at least in each part.

    Returns
    -------
    int or None
        The first bin of the second part. None where the stretch is too short, does not vary, or
        where even the best step takes less than three tenths of the variance away, or in less than
        40 bins less than twelve over their number.

    References
    ----------
    Hawkins 1977, Testing a Sequence of Observations for a Shift in Location, JASA 72, section 1.
    """
    n = len(values)
    if n < 2 * margin:
        return None
    centred = np.asarray(values, np.float64) - np.mean(values, dtype=np.float64)
    total = float(centred @ centred)
    first = np.arange(1, n)
    sums = np.cumsum(centred)[:-1]
    gained = sums**2 * n / (first * (n - first))
    gained[: margin - 1] = gained[n - margin :] = 0
    best = int(gained.argmax())
    return best + 1 if gained[best] > max(_LEAST_EXPLAINED, _BY_CHANCE / n) * total else None


def first_change(values: NDArray[np.floating], *, rises: bool, margin: int = 4) -> int | None:
    """Find where a change begins that may come in several steps.

    Parameters
    ----------
    values : ndarray of shape (n_bins,)
        One feature, in its view.
    rises : bool
        Whether steps upwards are looked for, or downwards.
    margin : int, >= 1
        As in `change_point`.

    Returns
    -------
    int or None
        The first bin of the earliest step in that direction: the best one, or the best one of what
        is before it if that is half as high, and so on. None where the best step is none, or
        goes the other way.
    """
    found, end, least = None, len(values), 0.0
    while (split := change_point(values[:end], margin=margin)) is not None:
        step = float(values[split:end].mean() - values[:split].mean()) * (1 if rises else -1)
        if step <= least:
            break
        found, end, least = split, split, max(least, _LEAST_STEP * step)
    return found
