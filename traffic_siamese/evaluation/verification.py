"""Same fault or not, by distance alone: pairs of windows of two captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.evaluation.spaces import Distances, Space
from traffic_siamese.metrics import cohens_d, equal_error
from traffic_siamese.types import Int64Array, StringArray
from traffic_siamese.windows import WindowSet

PAIRED_PER_LABEL = 40


@dataclass(frozen=True, slots=True)
class Verification:
    """How well distances tell pairs of one label from pairs of two.

    Attributes
    ----------
    cohens_d : float
        How many pooled standard deviations pairs of two labels are farther apart.
    error, threshold : float
        Equal error rate, and the distance up to which pairs are taken for one label.
    n_same, n_different : int
        Pairs.
    """

    cohens_d: float
    error: float
    threshold: float
    n_same: int
    n_different: int


def verify(windows: WindowSet, space: Space, groups: Sequence[Int64Array]) -> Verification | None:
    """Measure verification on pairs of windows of two captures, both in one group.

    Labels of a group (a network) count equally: so many windows of each, drawn once.

    Parameters
    ----------
    windows : WindowSet
        The rows that the space knows.
    space : Space
    groups : sequence of ndarray of int64
        Rows to pair.

    Returns
    -------
    Verification or None
        None where no two captures show one label, or none show two.
    """
    alike: list[Distances] = [np.empty(0)]
    unlike: list[Distances] = [np.empty(0)]
    for rows in groups:
        chosen = _even(windows, rows)
        if not len(chosen):
            continue
        same, different = pairs(
            space.distances(chosen, chosen), windows.label[chosen], windows.capture[chosen]
        )
        alike.append(same)
        unlike.append(different)
    same, different = np.concatenate(alike), np.concatenate(unlike)
    if min(len(same), len(different)) < 2:
        return None
    error, threshold = equal_error(same, different)
    return Verification(cohens_d(same, different), error, threshold, len(same), len(different))


def _even(windows: WindowSet, rows: Int64Array) -> Int64Array:
    rng = np.random.default_rng(0)
    labels = windows.label[rows]
    picks = [
        rng.permutation(rows[labels == label])[:PAIRED_PER_LABEL] for label in np.unique(labels)
    ]
    return np.concatenate([np.empty(0, np.int64), *picks])


def pairs(
    distances: Distances, labels: StringArray, captures: StringArray
) -> tuple[Distances, Distances]:
    """Distances of pairs of one label, and of two; never two windows of one capture."""
    upper = np.triu(np.ones(distances.shape, bool), 1)
    allowed = upper & (captures[:, None] != captures)
    alike = labels[:, None] == labels
    return distances[allowed & alike], distances[allowed & ~alike]
