"""How far from its examples a label reaches, and how sure a verdict is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.tail import NormalTail
from traffic_siamese.types import StringArray

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


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponentials along the last axis, divided by their sum; safe for any finite logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    total: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return total
