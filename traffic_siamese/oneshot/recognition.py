"""From embeddings to labels: nearest prototype, rejection of the unknown, confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import LibraryError
from traffic_siamese.oneshot.calibration import Calibration, softmax
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.types import NORMAL, UNKNOWN, FloatArray, StringArray

AMBIGUOUS_ODDS = 0.5
"""Likelihood of the runner-up over the label's, from which on a window might be either."""


@dataclass(frozen=True, slots=True, eq=False)
class Recognition:
    """What each window was recognised as; all arrays have shape (n,).

    Attributes
    ----------
    label : ndarray of str
        The nearest label, or ``unknown`` beyond its radius.
    distance : ndarray of float32
        To the nearest prototype, of whatever label; embedding units.
    confidence : ndarray of float32, in [0, 1]
        See `recognise`.
    second_label : ndarray of str
        The label that comes next: the runner-up, or for ``unknown`` the nearest known label.
        Empty where there is none.
    second_distance : ndarray of float32
        To the nearest prototype of ``second_label``; NaN where there is none.
    p_value : ndarray of float64, in (0, 1]
        Share of the nearest label's windows that lie at least so far; below the calibration's
        ``false_unknown_share`` the window is ``unknown``.
    ambiguous : ndarray of bool
        Whether the runner-up is at least half as likely as the label: its share in
        softmax(-distance^2 / temperature). Never for ``unknown``.
    normal_distance : ndarray of float32
        To the nearest prototype of ``normal``; NaN where there is none.
    """

    label: StringArray
    distance: FloatArray
    confidence: FloatArray
    second_label: StringArray
    second_distance: FloatArray
    p_value: NDArray[np.float64]
    ambiguous: NDArray[np.bool_]
    normal_distance: FloatArray


def recognise(
    embeddings: FloatArray,
    prototypes: FloatArray,
    prototype_labels: StringArray,
    calibration: Calibration,
) -> Recognition:
    """Recognise windows by their nearest labelled example.

    With r the distance to the nearest label over that label's radius, and p the share of that
    label in softmax(-distance^2 / temperature) over all labels, the confidence is

    - ``p`` for r up to 1/2, from there falling in a straight line to ``p / 2`` at r = 1;
    - for ``unknown`` (r > 1): ``r / 2``, at most 1. It says how surely the window is none of the
      known labels: one half at the radius, certain from twice the radius on.

    Parameters
    ----------
    embeddings : ndarray of shape (n, embedding_dim), float32
        Windows asked about; a row with NaN is unknown.
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
        Examples of the fault library.
    prototype_labels : ndarray of shape (n_prototypes,), str
        Their labels.
    calibration : Calibration
        Radii and temperature.

    Raises
    ------
    LibraryError
        If there is no prototype.
    """
    if not len(prototypes):
        raise LibraryError(
            "the fault library holds no examples for this encoder, expected at least one. "
            "Train the model again, or add a fault."
        )
    names, index = label_index(prototype_labels)
    distances = nearest_labels(embeddings, prototypes, index, len(names))
    rows = np.arange(len(distances))
    best, second = _two_smallest(distances)
    nearest = distances[rows, best]
    ratio = nearest / calibration.radius_of(names)[best]
    known = ratio <= 1  # False for NaN
    shares = softmax(-(distances.astype(np.float64) ** 2) / calibration.temperature)
    share = shares[rows, best]
    runner_up = np.where(known, second, best)
    padded = np.column_stack([distances, np.full(len(distances), np.nan, distances.dtype)])
    second_share = np.column_stack([shares, np.zeros(len(shares))])[rows, second]
    is_normal = np.flatnonzero(names == NORMAL)
    return Recognition(
        label=np.where(known, names[best], UNKNOWN),
        distance=nearest,
        confidence=_confidence(share, ratio),
        second_label=np.append(names, "")[runner_up],
        second_distance=padded[rows, runner_up],
        p_value=calibration.p_value(nearest, names[best]),
        ambiguous=known & (second_share >= AMBIGUOUS_ODDS * share),
        normal_distance=padded[:, is_normal[0] if len(is_normal) else -1],
    )


def _confidence(share: NDArray[Any], ratio: NDArray[Any]) -> FloatArray:
    inside = share * (1.5 - np.clip(ratio, 0.5, 1.0))
    outside = np.where(np.isnan(ratio), 0.0, np.minimum(ratio / 2, 1.0))
    return np.where(ratio <= 1, inside, outside).astype(np.float32)


def _two_smallest(distances: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    best = distances.argmin(axis=1)
    if distances.shape[1] == 1:
        return best, np.ones_like(best)  # one past the last label: there is no second
    rest = distances.copy()
    rest[np.arange(len(rest)), best] = np.inf
    return best, rest.argmin(axis=1)
