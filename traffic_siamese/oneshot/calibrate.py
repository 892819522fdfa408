"""Learn a calibration from windows that the encoder was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.oneshot.calibration import LEVELS, Calibration, softmax
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.types import FloatArray, StringArray

_ENOUGH_WINDOWS = 30
_BETA_RANGE = (1e-3, 1e6)  # of 1 / temperature
_BISECTIONS = 25  # of the logarithm: to a millionth part


def calibrate(
    embeddings: FloatArray,
    labels: StringArray,
    prototypes: FloatArray,
    prototype_labels: StringArray,
    *,
    false_unknown_share: float = 0.01,
    min_radius: float | Callable[[float], float] = 0.05,
) -> Calibration:
    """Learn radii and temperature from windows that the encoder was not trained on.

    The radius of a label is the split-conformal quantile of the distances from its windows to its
    nearest prototype: of n windows, the ceil((n + 1)(1 - share))-th smallest, so that the share
    holds for windows to come and not only for these (with fewer than 1 / share windows, the
    largest). Labels with fewer than 30 windows have the pooled radius.

    The pooled radius is meant for a label known by one example, and one example is farther from
    its fellows than the nearest of several. It is therefore the median over labels of the same
    quantile of the distances to *any* prototype of the own label.

    The temperature maximises the likelihood of the own labels under softmax(-distance^2 /
    temperature), every label counting the same however many windows it has. Targets are smoothed
    by 1 / (n + 2), so that n flawless windows do not make it sure without limit.

    Parameters
    ----------
    embeddings : ndarray of shape (n, embedding_dim), float32
        Held-out windows of known labels.
    labels : ndarray of shape (n,), str
        Their labels; each has prototypes.
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
        The examples that classifying will use.
    prototype_labels : ndarray of shape (n_prototypes,), str
        Their labels.
    false_unknown_share : float, in (0, 1), default 0.01
        Share of known windows that may be called unknown.
    min_radius : float, > 0, or callable, default 0.05
        No radius is smaller: an encoder that sends all windows of a label to one corner of the
        cube would otherwise call the slightest drift unknown. A callable is asked for the least
        distance that a share of windows exceeds.

    Raises
    ------
    ValueError
        If there are no windows, a window's label has no prototype, or a setting is out of range.

    References
    ----------
    Angelopoulos, Bates 2021, A Gentle Introduction to Conformal Prediction, arXiv:2107.07511,
    section 1 (quantile). Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2
    (temperature).
    """
    each = np.arange(len(prototypes))
    return calibrate_distances(
        nearest_labels(embeddings, prototypes, each, len(prototypes)),
        labels,
        prototype_labels,
        false_unknown_share=false_unknown_share,
        min_radius=min_radius,
    )


def calibrate_distances(
    distances: FloatArray,
    labels: StringArray,
    prototype_labels: StringArray,
    *,
    false_unknown_share: float = 0.01,
    min_radius: float | Callable[[float], float] = 0.05,
) -> Calibration:
    """Learn radii and temperature as `calibrate` does, from distances.

    Parameters
    ----------
    distances : ndarray of shape (n, n_prototypes), float32
        From each window to each prototype. Infinite where the two are not to be compared; a
        window's own label has a prototype that is not.
    labels, prototype_labels, false_unknown_share, min_radius
        As for `calibrate`.

    Raises
    ------
    ValueError
        As `calibrate`.
    """
    names, prototype_index = label_index(prototype_labels)
    own = _own_label(labels, names)
    _check_settings(len(own), false_unknown_share, min_radius)
    nearest = _nearest(distances, prototype_index, len(names))
    own_distance = nearest[np.arange(len(own)), own]
    counts = np.bincount(own, minlength=len(names))
    rich = np.flatnonzero(counts >= _ENOUGH_WINDOWS)
    least = min_radius if callable(min_radius) else (lambda _: min_radius)
    mine = {str(names[k]): own_distance[own == k] for k in rich}
    to_each = [
        _finite(distances[np.ix_(own == k, prototype_index == k)])
        for k in (rich if len(rich) else np.flatnonzero(counts))
    ]

    def reach(values: FloatArray, share: float) -> float:
        return max(_conformal(values, share), least(share))

    def pooled(share: float) -> float:
        return float(np.median([reach(values, share) for values in to_each]))

    temperature = _fit_temperature(_squared(nearest), own)
    reaches = {name: _levels(partial(reach, values)) for name, values in mine.items()}
    return Calibration(
        {name: reach(values, false_unknown_share) for name, values in mine.items()},
        pooled(false_unknown_share),
        temperature,
        false_unknown_share,
        {**reaches, "": _levels(pooled)},
    )


def _nearest(
    distances: FloatArray, prototype_index: NDArray[np.int64], n_labels: int
) -> FloatArray:
    """Distance to the nearest prototype of each label, (n, n_labels)."""
    out = np.empty((len(distances), n_labels), distances.dtype)
    for label in range(n_labels):
        out[:, label] = distances[:, prototype_index == label].min(axis=1)
    return out


def _finite(distances: FloatArray) -> FloatArray:
    return np.asarray(distances[np.isfinite(distances)])


def _squared(nearest: FloatArray) -> NDArray[np.float64]:
    """Squared distances to labels; one that cannot be compared is as far as any."""
    farthest = nearest[np.isfinite(nearest)].max(initial=0.0)
    return np.asarray(np.square(np.minimum(nearest, farthest, dtype=np.float64)))


def _levels(reach: Callable[[float], float]) -> tuple[float, ...]:
    return tuple(reach(share) for share in LEVELS)


def _own_label(labels: StringArray, names: StringArray) -> NDArray[np.int64]:
    missing = sorted(set(labels.tolist()) - set(names.tolist()))
    if missing:
        raise ValueError(f"windows of {missing} have no prototype; prototypes: {names.tolist()}")
    return np.searchsorted(names, labels).astype(np.int64)


def _check_settings(
    n_windows: int, share: float, min_radius: float | Callable[[float], float]
) -> None:
    if not n_windows:
        raise ValueError("got 0 windows to calibrate on, expected at least one")
    if not 0 < share < 1:
        raise ValueError(f"false_unknown_share is {share}, expected a number between 0 and 1")
    if not callable(min_radius) and not min_radius > 0:
        raise ValueError(f"min_radius is {min_radius}, expected a positive number")


def _conformal(distances: FloatArray, share: float) -> float:
    rank = int(np.ceil((len(distances) + 1) * (1 - share)))
    rank = min(rank, len(distances)) - 1
    return float(np.partition(distances, rank)[rank])


def _fit_temperature(squared: NDArray[np.float64], own: NDArray[np.int64]) -> float:
    """Bisect on log(1 / temperature): the negative log-likelihood is convex in it."""
    n, n_labels = squared.shape
    if n_labels < 2:
        return 1.0
    smoothing = 1 / (n + 2)
    target = np.full((n, n_labels), smoothing / (n_labels - 1))
    target[np.arange(n), own] = 1 - smoothing
    counts = np.bincount(own, minlength=n_labels)
    weight = 1 / counts[own]
    wanted = weight @ np.sum(target * squared, axis=1)
    low, high = np.log(_BETA_RANGE)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        expected = weight @ np.sum(softmax(-np.exp(middle) * squared) * squared, axis=1)
        low, high = (middle, high) if expected > wanted else (low, middle)
    return float(np.exp(-(low + high) / 2))
