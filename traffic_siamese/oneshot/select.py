"""Choose which windows of a label stand for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray, Int64Array, StringArray

_LLOYD_STEPS = 5


def select_prototypes(
    embeddings: FloatArray,
    labels: StringArray,
    *,
    groups: StringArray,
    n_per_label: int,
    seed: int = 0,
) -> Int64Array:
    """Choose windows that cover each label, spread over its captures or networks.

    Within a label, the first is the window nearest the mean and each next one the window farthest
    from those chosen; a few Lloyd steps then move each to the window nearest the mean of the
    windows it is nearest to. Every group gives as many as any other, as far as it has them.

    Parameters
    ----------
    embeddings : ndarray of shape (n, embedding_dim), float32
        Candidate windows.
    labels : ndarray of shape (n,), str
        Their labels; rows with an empty one are never chosen.
    groups : ndarray of shape (n,), str
        Where each was seen.
    n_per_label : int, >= 1
        How many to choose of each label.
    seed : int, default 0
        Decides which groups give one more when they cannot all give the same number.

    Returns
    -------
    ndarray of int64
        Row numbers, ascending; of each label min(n_per_label, its windows).

    Raises
    ------
    ValueError
        If ``n_per_label`` is below 1.

    References
    ----------
    Gonzalez 1985, Clustering to minimize the maximum intercluster distance, section 2
    (farthest first).
    """
    if n_per_label < 1:
        raise ValueError(f"n_per_label is {n_per_label}, expected at least 1")
    rng = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels[labels != ""]):
        rows = np.flatnonzero(labels == label)
        group_index = np.unique(groups[rows], return_inverse=True)[1].reshape(-1)
        quota = _quotas(np.bincount(group_index), n_per_label, rng)
        points = embeddings[rows].astype(np.float64)
        picks = _farthest_first(points, group_index, quota)
        chosen.append(rows[_lloyd(points, group_index, picks)])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def _quotas(sizes: NDArray[Any], total: int, rng: np.random.Generator) -> Int64Array:
    """Deal ``total`` out one by one in rounds, no group beyond its size."""
    quota = np.zeros(len(sizes), np.int64)
    left = min(total, int(sizes.sum()))
    while left:
        open_groups = rng.permutation(np.flatnonzero(quota < sizes))[:left]
        quota[open_groups] += 1
        left -= len(open_groups)
    return quota


def _farthest_first(
    points: NDArray[np.float64], group_index: NDArray[Any], quota: Int64Array
) -> Int64Array:
    left = quota.copy()
    free = left[group_index] > 0
    picks: list[int] = []
    gap = -_squared(points, points.mean(axis=0))  # so that the first is the nearest to the mean
    for _ in range(int(quota.sum())):
        pick = int(np.where(free, gap, -np.inf).argmax())
        distance = _squared(points, points[pick])
        gap = np.minimum(gap, distance) if picks else distance
        picks.append(pick)
        free[pick] = False
        left[group_index[pick]] -= 1
        if not left[group_index[pick]]:
            free[group_index == group_index[pick]] = False
    return np.array(picks, np.int64)


def _lloyd(points: NDArray[np.float64], group_index: NDArray[Any], picks: Int64Array) -> Int64Array:
    """Move each pick to the middle of its cluster, within its own group and cluster."""
    for _ in range(_LLOYD_STEPS):
        distances = np.stack([_squared(points, points[pick]) for pick in picks])
        nearest = distances.argmin(axis=0)
        nearest[picks] = np.arange(len(picks))  # equal points stay picks of their own
        moved = picks.copy()
        for cluster, pick in enumerate(picks):
            members = np.flatnonzero(nearest == cluster)
            mean = points[members].mean(axis=0)
            same = members[group_index[members] == group_index[pick]]
            moved[cluster] = same[_squared(points[same], mean).argmin()]
        if np.array_equal(moved, picks):
            break
        picks = moved
    return picks


def _squared(points: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    difference = points - to
    squared: NDArray[np.float64] = np.sum(difference * difference, axis=1)
    return squared
