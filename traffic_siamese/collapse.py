"""Tell whether an embedding separates labels, does so partly, or has collapsed onto one point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray, Int64Array, StringArray

_COLLAPSED_SPREAD = 0.01
_SEPARATED = 2.0
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class EmbeddingMeasures:
    """How a set of labelled embeddings lies in the cube.

    Attributes
    ----------
    spread : float
        Mean over the axes of the standard deviation of all points.
    radius : float
        Greatest Euclidean distance of a point from the mean of all points.
    within, between : float
        Mean Euclidean distance of two points of one label, and of two labels; NaN without a pair.
    active_triplets : float
        Share of triplets whose negative is not farther than the positive by the margin (squared
        distances); NaN without a triplet.
    """

    spread: float
    radius: float
    within: float
    between: float
    active_triplets: float

    @property
    def separation(self) -> float:
        """Mean distance between labels over mean distance within one; 1 where both are 0."""
        if self.within == 0 == self.between:
            return 1.0
        return self.between / max(self.within, 1e-6)


def measure(
    embeddings: FloatArray, label: StringArray, *, triplets: Int64Array, margin: float
) -> EmbeddingMeasures:
    """Measure a set of labelled embeddings.

    Parameters
    ----------
    embeddings : ndarray of shape (n_points, embedding_dim), float32
        Where the points stand.
    label : ndarray of shape (n_points,), str
        What they show.
    triplets : ndarray of shape (n_triplets, 3), int64
        Rows of anchor, positive and negative, see ``sample_triplets``.
    margin : float
        As a squared distance.
    """
    points = embeddings.astype(np.float64)
    within, between = _mean_distances(points, label)
    active = triplet_gaps(embeddings, triplets) < margin
    return EmbeddingMeasures(
        spread=float(points.std(axis=0).mean()),
        radius=float(np.linalg.norm(points - points.mean(axis=0), axis=1).max()),
        within=within,
        between=between,
        active_triplets=float(active.mean()) if len(active) else float("nan"),
    )


def _mean_distances(points: NDArray[np.float64], label: StringArray) -> tuple[float, float]:
    """Return the mean distance within labels and between them; NaN where there is no pair."""
    number = np.unique(label, return_inverse=True)[1]
    totals, counts = np.zeros(2), np.zeros(2)
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        distance = _distances(points[part], points)
        same = number[part, None] == number[None]
        within = (distance * same).sum()
        totals += within, distance.sum() - within
        counts += same.sum() - len(points[part]), (~same).sum()  # a point is no pair with itself
    within, between = np.divide(totals, counts, out=np.full(2, np.nan), where=counts > 0)
    return float(within), float(between)


def _distances(some: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """All distances, by one product of matrices instead of a difference for each pair and axis."""
    squares = np.square(some).sum(1)[:, None] + np.square(points).sum(1)
    return np.asarray(np.sqrt(np.maximum(squares - 2 * (some @ points.T), 0)))


def triplet_gaps(embeddings: FloatArray, triplets: Int64Array) -> NDArray[np.float64]:
    """Return by how much each negative is farther than its positive, in squared distance."""
    anchor, positive, negative = embeddings.astype(np.float64)[triplets].transpose(1, 0, 2)
    far, near = np.square(anchor - negative).sum(-1), np.square(anchor - positive).sum(-1)
    return np.asarray(far - near)


def sample_triplets(label: StringArray, *, n_triplets: int, seed: int) -> Int64Array:
    """Draw triplets of rows: the labels are even among anchors and among negatives.

    Parameters
    ----------
    label : ndarray of shape (n_points,), str
        What the points show.
    n_triplets : int
        How many to draw.
    seed : int
        The same seed gives the same triplets.

    Returns
    -------
    ndarray of shape (n_triplets, 3), int64
        Rows of anchor, positive, negative; empty if no label has two points or there is one label.
    """
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(label == name) for name in np.unique(label)]
    anchors = [number for number, mine in enumerate(rows) if len(mine) > 1]
    if not anchors or len(rows) < 2:
        return np.empty((0, 3), np.int64)
    out = np.empty((n_triplets, 3), np.int64)
    for triplet in out:
        mine = int(rng.choice(anchors))
        other = (mine + int(rng.integers(1, len(rows)))) % len(rows)
        triplet[:2] = rng.choice(rows[mine], 2, replace=False)
        triplet[2] = rng.choice(rows[other])
    return out


def is_collapsed(measures: EmbeddingMeasures) -> bool:
    """Tell whether all points lie so near to each other that no distance means anything."""
    return measures.spread < _COLLAPSED_SPREAD


def describe(measures: EmbeddingMeasures) -> str:
    """Say in one sentence how the embeddings lie, and what to do about it.

    Parameters
    ----------
    measures : EmbeddingMeasures
        From ``measure``.
    """
    if is_collapsed(measures):
        return (
            f"all embeddings lie within {measures.radius:.2g} of one point: collapsed; "
            "lower the margin or the learning rate"
        )
    if np.isnan(measures.separation):
        return "the labels cannot be compared: two labels with two windows each are needed"
    if measures.separation < _SEPARATED:
        return (
            f"windows of two labels lie only {measures.separation:.1f} times as far apart as "
            "windows of one: not separated; train longer, or look for labels that mean the same"
        )
    return (
        f"windows of two labels lie {measures.separation:.1f} times as far apart as windows of "
        f"one, and {measures.active_triplets:.0%} of the triplets violate the margin: separated"
    )
