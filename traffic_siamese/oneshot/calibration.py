"""How far from its examples a label reaches, and how sure a verdict is: learned from data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.oneshot.tail import NormalTail
from traffic_siamese.types import FloatArray, StringArray

_ENOUGH_WINDOWS = 30
_BETA_RANGE = (1e-3, 1e6)  # of 1 / temperature
_BISECTIONS = 25  # of the logarithm: to a millionth part
LEVELS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
"""Shares of a label's windows whose reach is kept: p-values, largest first."""
_BEYOND = 0.2  # least p-value over the share of unknowns, where nothing is known of it


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns distances into verdicts.

    Attributes
    ----------
    radii : mapping of str to float
        Per label, the distance from its nearest prototype beyond which a window is unknown.
    pooled_radius : float
        The same for labels that have no radius of their own: few windows, or a single example.
    temperature : float
        Of the softmax over squared distances; in squared embedding units.
    false_unknown_share : float
        Share of a known label's windows that the radii let fall to unknown.
    reaches : mapping of str to tuple of float
        Per label, and under the empty name for labels that have none of their own, the distances
        that the shares ``LEVELS`` of its windows exceed. Empty in models older than these.
    normal_tail : NormalTail, optional
        How far normal traffic strays; None in older models, and where there was too little.
    """

    radii: Mapping[str, float]
    pooled_radius: float
    temperature: float
    false_unknown_share: float = 0.01
    reaches: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    normal_tail: NormalTail | None = None

    def radius_of(self, labels: StringArray) -> NDArray[np.float64]:
        """Radius of each label, shape (n_labels,), float64."""
        values = [self.radii.get(str(label), self.pooled_radius) for label in labels]
        return np.array(values, np.float64)

    def p_value(self, distances: NDArray[Any], labels: StringArray) -> NDArray[np.float64]:
        """Share of a label's windows that lie at least so far from its examples.

        Between the levels it is interpolated, its logarithm in a straight line. It is no smaller
        than the last level, since so few windows tell no more; a known window's is no smaller than
        ``false_unknown_share``, an unknown one's is below it. Models without reaches know the
        radius alone, and everything else is interpolated from there.

        Parameters
        ----------
        distances : ndarray of shape (n,)
            To the nearest example of each one's label; NaN gives NaN.
        labels : ndarray of shape (n,), str
        """
        found = np.empty(len(distances))
        for label in np.unique(labels):
            mine = labels == label
            found[mine] = self._p_value(distances[mine].astype(np.float64), str(label))
        return found

    def _p_value(self, distances: NDArray[np.float64], label: str) -> NDArray[np.float64]:
        radius, share = self.radii.get(label, self.pooled_radius), self.false_unknown_share
        knots = dict(zip(LEVELS, self.reaches.get(label, self.reaches.get("", ())), strict=False))
        # The radius is never within the reach of a smaller share, nor beyond that of a larger.
        inner = {p: min(reach, radius) for p, reach in knots.items() if p > share}
        outer = {p: max(reach, radius) for p, reach in knots.items() if p < share}
        levels = [1.0, *inner, share, *(outer or {share * _BEYOND: 2 * radius})]
        places = [0.0, *inner.values(), radius, *(outer.values() or [2 * radius])]
        p_value = np.exp(np.interp(distances, places, np.log(levels)))
        known = np.maximum(p_value, share)
        unknown = np.minimum(p_value, np.nextafter(share, 0))
        return np.where(np.isnan(distances), np.nan, np.where(distances <= radius, known, unknown))

    def renamed(self, old: str, new: str) -> Calibration:
        """Return the same with another name for one label."""
        radii = {new if name == old else name: value for name, value in self.radii.items()}
        reaches = {new if name == old else name: value for name, value in self.reaches.items()}
        return replace(self, radii=radii, reaches=reaches)

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain values for ``json``."""
        plain: dict[str, Any] = {
            "radii": dict(self.radii),
            "pooled_radius": self.pooled_radius,
            "temperature": self.temperature,
            "false_unknown_share": self.false_unknown_share,
            "reaches": {name: list(reach) for name, reach in self.reaches.items()},
        }
        if self.normal_tail is not None:
            plain["normal_tail"] = self.normal_tail.to_json()
        return plain

    @classmethod
    def from_json(cls, data: object) -> Calibration:
        """Read what ``to_json`` wrote.

        Raises
        ------
        BundleError
            If a value is missing or is not a positive number.
        """
        try:
            if not isinstance(data, dict):
                raise TypeError(f"{type(data).__name__} instead of an object")
            radii = {str(label): _positive(value) for label, value in data["radii"].items()}
            rest = ("pooled_radius", "temperature", "false_unknown_share")
            pooled, temperature, share = (_positive(data[name]) for name in rest)
            reaches = {
                str(name): _reach_of(reach) for name, reach in data.get("reaches", {}).items()
            }
            tail = data.get("normal_tail")
            tail = NormalTail.from_json(tail) if tail is not None else None
            return cls(radii, pooled, temperature, share, reaches, tail)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise BundleError(
                f"calibration: found {err}, expected radii, pooled_radius, temperature and "
                "false_unknown_share, all positive. Train the model again."
            ) from err


def _reach_of(data: Any) -> tuple[float, ...]:
    reach = tuple(_positive(value) for value in data)
    if len(reach) != len(LEVELS) or sorted(reach) != list(reach):
        raise ValueError(f"a reach {list(reach)}")
    return reach


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < np.inf:
        raise ValueError(f"{number}")
    return number


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
    names, prototype_index = label_index(prototype_labels)
    own = _own_label(labels, names)
    _check_settings(len(own), false_unknown_share, min_radius)
    distances = nearest_labels(embeddings, prototypes, prototype_index, len(names))
    own_distance = distances[np.arange(len(own)), own]
    counts = np.bincount(own, minlength=len(names))
    rich = np.flatnonzero(counts >= _ENOUGH_WINDOWS)
    least = min_radius if callable(min_radius) else (lambda _: min_radius)
    mine = {str(names[k]): own_distance[own == k] for k in rich}
    to_each = [
        _distances_to_each(embeddings[own == k], prototypes[prototype_index == k])
        for k in (rich if len(rich) else np.flatnonzero(counts))
    ]

    def reach(values: FloatArray, share: float) -> float:
        return max(_conformal(values, share), least(share))

    def pooled(share: float) -> float:
        return float(np.median([reach(values, share) for values in to_each]))

    temperature = _fit_temperature(distances.astype(np.float64) ** 2, own)
    reaches = {name: _levels(partial(reach, values)) for name, values in mine.items()}
    return Calibration(
        {name: reach(values, false_unknown_share) for name, values in mine.items()},
        pooled(false_unknown_share),
        temperature,
        false_unknown_share,
        {**reaches, "": _levels(pooled)},
    )


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


def _distances_to_each(embeddings: FloatArray, prototypes: FloatArray) -> FloatArray:
    each = np.arange(len(prototypes))
    distances: FloatArray = nearest_labels(embeddings, prototypes, each, len(prototypes))
    return distances.ravel()


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


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponentials along the last axis, divided by their sum; safe for any finite logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    total: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return total
