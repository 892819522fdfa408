"""Cut series into windows, by reference: a window is a row number until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray, Int64Array, StringArray


@dataclass(frozen=True, slots=True, eq=False)
class WindowSet:
    """Windows over several series of model inputs; rows of all arrays belong together.

    Overlapping windows share their bins' memory until ``gather`` copies the rows asked for, so a
    set may hold a window for every bin of a long capture.

    Attributes
    ----------
    inputs : tuple of ndarray of shape (n_bins, n_channels), float32
        Scaled series (see ``scaling``), or raw features; no NaN.
    n_timesteps : int
        Bins in one window.
    series_index : ndarray of shape (n_windows,), int64
        Which of ``inputs`` the window lies in.
    start_bin : ndarray of shape (n_windows,), int64
        First bin of the window in that series.
    start_ns : ndarray of shape (n_windows,), int64
        Start of the window, nanoseconds since the epoch, UTC.
    label, capture, network : ndarray of shape (n_windows,), str
        What the window shows (empty: unlabelled) and where it was seen.
    """

    inputs: tuple[FloatArray, ...]
    n_timesteps: int
    series_index: Int64Array
    start_bin: Int64Array
    start_ns: Int64Array
    label: StringArray
    capture: StringArray
    network: StringArray

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.start_bin)

    def gather(self, rows: NDArray[np.int64] | None = None) -> FloatArray:
        """Copy windows out.

        Parameters
        ----------
        rows : ndarray of int64, optional
            Which windows, in which order; all of them by default.

        Returns
        -------
        ndarray of shape (n_rows, n_timesteps, n_channels), float32
        """
        rows = np.arange(len(self)) if rows is None else np.asarray(rows)
        n_channels = self.inputs[0].shape[1] if self.inputs else 0
        out = np.empty((len(rows), self.n_timesteps, n_channels), np.float32)
        steps = np.arange(self.n_timesteps)
        for index in np.unique(self.series_index[rows]):
            mine = self.series_index[rows] == index
            out[mine] = self.inputs[index][self.start_bin[rows[mine], None] + steps]
        return out

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> WindowSet:
        """Return the set of only these windows (row numbers or a mask)."""
        return WindowSet(
            self.inputs,
            self.n_timesteps,
            self.series_index[rows],
            self.start_bin[rows],
            self.start_ns[rows],
            self.label[rows],
            self.capture[rows],
            self.network[rows],
        )


def stack_windows(
    X: FloatArray, *, label: StringArray, capture: StringArray, network: StringArray
) -> WindowSet:
    """Make a set of windows that were never part of a series.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_timesteps, n_channels), float32
    label, capture, network : ndarray of shape (n_windows,), str
    """
    n_windows, n_timesteps, n_channels = X.shape
    return WindowSet(
        inputs=(X.reshape(-1, n_channels),),
        n_timesteps=n_timesteps,
        series_index=np.zeros(n_windows, np.int64),
        start_bin=np.arange(n_windows, dtype=np.int64) * n_timesteps,
        start_ns=np.zeros(n_windows, np.int64),
        label=label,
        capture=capture,
        network=network,
    )


def join_windows(first: WindowSet, second: WindowSet) -> WindowSet:
    """Put two sets of the same window length into one; their series are shared, not copied."""

    def both(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    return WindowSet(
        inputs=first.inputs + second.inputs,
        n_timesteps=first.n_timesteps,
        series_index=np.concatenate([first.series_index, second.series_index + len(first.inputs)]),
        start_bin=both("start_bin"),
        start_ns=both("start_ns"),
        label=both("label"),
        capture=both("capture"),
        network=both("network"),
    )
