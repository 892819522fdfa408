"""Say, before a fault is added, what it will be confused with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traffic_siamese.oneshot.calibration import Calibration, softmax
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.types import FloatArray, StringArray


@dataclass(frozen=True, slots=True)
class ConfusionForecast:
    """What a new fault is near to.

    Attributes
    ----------
    nearest_label : str
        The known label that its example is nearest to; empty when nothing is known yet.
    distance : float
        From there to the nearest of the example's windows, embedding units; infinite when nothing
        is known yet.
    separation : float
        That distance over the pooled radius: below 1 the two overlap, above 2 they are apart.
    shares : dict of str to float, in [0, 1]
        For each known label, the share of the new fault's windows expected to be taken for it.
    """

    nearest_label: str
    distance: float
    separation: float
    shares: dict[str, float]

    def words(self) -> str:
        """Say it in one line."""
        if not self.nearest_label:
            return "Nothing else is known yet, so nothing can be confused with it."
        share = self.shares[self.nearest_label]
        return (
            f"{self._judgement()} {self.nearest_label!r}: {self.distance:.3f} away, "
            f"{self.separation:.1f} times the usual reach of one example; about "
            f"{share:.0%} of its windows may be taken for {self.nearest_label!r}."
        )

    def _judgement(self) -> str:
        if self.separation < 1:
            return "Will often be confused with"
        return "May be confused with" if self.separation < 2 else "Well apart from its nearest,"


def confusion_forecast(
    new_embeddings: FloatArray,
    prototypes: FloatArray,
    labels: StringArray,
    calibration: Calibration,
) -> ConfusionForecast:
    """Forecast what a fault will be confused with, from its example alone.

    Each of the example's windows stands for windows to come. One of those will lie about half a
    pooled radius from the example (or as far as the example's windows lie from one another, if
    that is more); the share of each known label is its mass in softmax(-distance^2 / temperature)
    against that, averaged over the windows.

    Parameters
    ----------
    new_embeddings : ndarray of shape (n, embedding_dim), float32, n >= 1
        The example's windows.
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
        Examples known so far, without those of the new fault.
    labels : ndarray of shape (n_prototypes,), str
        Their labels.
    calibration : Calibration
        Radii and temperature.

    Raises
    ------
    ValueError
        If there is no window.
    """
    if not len(new_embeddings):
        raise ValueError("got 0 windows of the new fault, expected at least one")
    if not len(prototypes):
        return ConfusionForecast("", float("inf"), float("inf"), {})
    names, index = label_index(labels)
    distances = nearest_labels(new_embeddings, prototypes, index, len(names))
    own = np.maximum(_nearest_fellow(new_embeddings), calibration.pooled_radius / 2)
    squared = np.column_stack([distances, own]).astype(np.float64) ** 2
    shares = softmax(-squared / calibration.temperature)[:, :-1].mean(axis=0)
    nearest = distances.min(axis=0)
    best = int(nearest.argmin())
    distance = float(nearest[best])
    return ConfusionForecast(
        nearest_label=str(names[best]),
        distance=distance,
        separation=distance / calibration.pooled_radius,
        shares={str(name): float(share) for name, share in zip(names, shares, strict=True)},
    )


def _nearest_fellow(embeddings: FloatArray) -> FloatArray:
    each = np.arange(len(embeddings))
    distances = nearest_labels(embeddings, embeddings, each, len(embeddings))
    np.fill_diagonal(distances, np.inf)
    nearest: FloatArray = distances.min(axis=1)
    return np.where(np.isfinite(nearest), nearest, 0)
