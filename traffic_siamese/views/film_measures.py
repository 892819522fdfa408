"""What a film measures on the axes that it draws: distances, triplets in order, and reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.collapse import sample_triplets
from traffic_siamese.oneshot.calibrate import calibrate
from traffic_siamese.types import FloatArray, StringArray

_N_TRIPLETS = 4096
_LEAST_RADIUS = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMeasures:
    """How the points lie on the drawn axes, epoch by epoch; each of shape (n_epochs + 1,).

    Attributes
    ----------
    within, between : ndarray of float64
        Mean distance of two windows of one label, and of two labels, in edges of the cube; every
        label counts the same. NaN where there is no such pair.
    out_of_order : ndarray of float64, in [0, 1]
        Share of triplets whose negative is not farther than the positive by the margin.
    """

    within: NDArray[np.float64]
    between: NDArray[np.float64]
    out_of_order: NDArray[np.float64]


def measure_drawn(
    positions: FloatArray, label: StringArray, *, margin: float, seed: int = 0
) -> DrawnMeasures:
    """Measure every epoch over the same triplets of windows.

    Parameters
    ----------
    positions : ndarray of shape (n_epochs + 1, n_points, 3), float32
        Where the points are drawn.
    label : ndarray of shape (n_points,), str
        What they show.
    margin : float
        As a squared distance in the cube.
    seed : int
        Which triplets are drawn.
    """
    triplets = sample_triplets(label, n_triplets=_N_TRIPLETS, seed=seed)
    if not len(triplets):
        nothing = np.full(len(positions), np.nan)
        return DrawnMeasures(nothing, nothing, nothing)
    anchor, positive, negative = triplets.T
    squared = np.empty((2, len(positions), len(triplets)))
    for side, other in enumerate((positive, negative)):
        for epoch, points in enumerate(positions):
            squared[side, epoch] = np.square(points[anchor] - points[other]).sum(axis=1)
    within, between = np.sqrt(squared).mean(axis=2)
    late = squared[1] - squared[0] < margin
    return DrawnMeasures(within, between, late.mean(axis=1))


def measured_reach(
    points: FloatArray,
    label: StringArray,
    prototype: NDArray[np.bool_],
    *,
    false_unknown_share: float,
) -> tuple[dict[str, float], float]:
    """Measure on the drawn axes how far a label's windows lie from its nearest prototype.

    The rule is the calibration's, applied to fewer axes.

    Parameters
    ----------
    points : ndarray of shape (n_points, 3), float32
        Where the points are drawn after the last epoch.
    label : ndarray of shape (n_points,), str
    prototype : ndarray of shape (n_points,), bool
    false_unknown_share : float, in (0, 1)
        Share of a label's windows beyond its reach.

    Returns
    -------
    radii : dict of str to float
        Per label with enough windows.
    pooled : float
        For the others, and for labels added later; NaN where there is nothing to measure on.
    """
    known = np.isin(label, label[prototype])
    rest = known & ~prototype
    if not rest.any():
        return {}, float("nan")
    found = calibrate(
        points[rest],
        label[rest],
        points[prototype],
        label[prototype],
        false_unknown_share=false_unknown_share,
        min_radius=_LEAST_RADIUS,
    )
    return dict(found.radii), found.pooled_radius
