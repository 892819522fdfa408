"""Which bins of a table are calm, when nobody knows what its columns mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_SPREAD = 0.3
"""Added to a feature's spread, in its view, so that what hardly varies does not shout."""
_ROBUST = 1.4826
_LIMIT = 8.0
_SMOOTH_BINS = 3


def table_trouble(view: NDArray[np.floating]) -> NDArray[np.float64]:
    """How odd each bin is: its root mean square distance from the columns' medians.

    Distances are in units of the median absolute deviation, a little more, and limited, so that
    one column alone does not decide. More than half of the bins have to be normal.

    Parameters
    ----------
    view : ndarray of shape (n_bins, n_features)
        As from `log_view`.

    Returns
    -------
    ndarray of shape (n_bins,), float64
    """
    middle = np.median(view, axis=0)
    away = np.abs(view - middle)
    spread = _ROBUST * np.median(away, axis=0) + LEAST_SPREAD
    distance = np.sqrt(np.mean(np.minimum(away / spread, _LIMIT) ** 2, axis=1))
    return _with_neighbours(np.asarray(distance, np.float64))


def _with_neighbours(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean with the neighbours: an episode counts as a whole, its weaker bins too."""
    half = _SMOOTH_BINS // 2
    padded = np.pad(distance, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH_BINS)
    return np.asarray(windows.mean(axis=1), np.float64)
