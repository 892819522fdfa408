"""Phases of a fault: its onset, its steady state, its recovery."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.oneshot.nearest import nearest_labels
from traffic_siamese.types import NORMAL, FloatArray, StringArray

ONSET, STEADY, RECOVERY = PHASES = ("onset", "steady", "recovery")
DEFAULT_PHASES = (STEADY, RECOVERY)
"""Onset is left out: with it, other faults' onsets are called by this one's name more often than
its own are told sooner; the window that leaves a fault helps at both ends."""
_SLIGHT = 0.5  # of the farthest window's distance from normal


def straddling_starts(
    first: int, last: int, *, n_timesteps: int, phases: Collection[str] = DEFAULT_PHASES
) -> dict[str, int]:
    """Place the windows that a fault's start, or its end, goes through the middle of.

    Parameters
    ----------
    first, last : int
        First bin of the fault, and the first one after it.
    n_timesteps : int
        Bins in a window.
    phases : collection of str
        Which are wanted; the steady state is in any window between, and not among them.

    Returns
    -------
    dict of str to int
        First bin of each one's window; it may lie outside the series. Empty where the fault is
        shorter than a window, which then shows all phases at once.
    """
    if last - first < n_timesteps:
        return {}
    starts = {ONSET: first - n_timesteps // 2, RECOVERY: last - n_timesteps // 2}
    return {phase: start for phase, start in starts.items() if phase in phases}


def distances_from_normal(
    embeddings: FloatArray, prototypes: FloatArray, labels: StringArray
) -> FloatArray:
    """Distance of each window to the nearest example of normal, (n,); infinite without one."""
    normal = prototypes[labels == NORMAL]
    index = np.zeros(len(normal), np.int64)
    distances: FloatArray = nearest_labels(embeddings, normal, index, 1)
    return distances[:, 0]


def shows_fault(
    phases: StringArray, distances: FloatArray, calibration: Calibration
) -> NDArray[np.bool_]:
    """Tell which windows of an example show the fault, and not the normal traffic beside it.

    People mark a fault's times roughly; a window of normal traffic among the examples would make
    normal traffic a fault from then on. A steady window has to be beyond the reach of normal, or
    for a slight fault at least half as far from it as the farthest one; a window that straddles
    the start or the end has to be beyond it in any case.

    Parameters
    ----------
    phases : ndarray of shape (n,), str
        One of ``PHASES`` for each window; at least one is steady.
    distances : ndarray of shape (n,), float32
        From `distances_from_normal`.
    calibration : Calibration
    """
    reach = reach_of_normal(calibration)
    steady = phases == STEADY
    limit = min(reach, _SLIGHT * float(distances[steady].max()))
    return np.where(steady, distances >= limit, distances > reach)


def reach_of_normal(calibration: Calibration) -> float:
    """Distance from an example of normal within which a window is normal."""
    return float(calibration.radius_of(np.array([NORMAL]))[0])
