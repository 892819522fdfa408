"""Figures of merit: how often labels are right, and how well distances keep apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import StringArray


def recall_per_label(true: StringArray, called: StringArray) -> dict[str, float]:
    """Share of each true label's windows that was called by its name.

    Parameters
    ----------
    true, called : ndarray of shape (n,), str
        What each window shows, and what it was called; ``unknown`` counts as wrong.

    Returns
    -------
    dict of str to float
        Sorted by label; empty without windows.
    """
    return {str(name): float(np.mean(called[true == name] == name)) for name in np.unique(true)}


def balanced_accuracy(true: StringArray, called: StringArray) -> float:
    """Mean recall over the true labels, however many windows each has; NaN without any."""
    recalls = list(recall_per_label(true, called).values())
    return float(np.mean(recalls)) if recalls else float("nan")


def auroc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """Area under the receiver operating characteristic.

    The chance that a positive scores higher than a negative; a tie counts one half.

    Parameters
    ----------
    positive, negative : ndarray of shape (n,), float
        Scores, such as the distance to the nearest prototype; no NaN.

    Returns
    -------
    float, in [0, 1]

    Raises
    ------
    ValueError
        If either is empty.

    References
    ----------
    Hanley, McNeil 1982, The Meaning and Use of the Area under a ROC Curve, section III.
    """
    _check_filled(positive=positive, negative=negative)
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float(np.mean(below + not_above) / (2 * len(ordered)))


def false_positive_rate(
    positive: NDArray[Any], negative: NDArray[Any], *, recall: float = 0.95
) -> float:
    """Share of negatives at or above the highest threshold that reaches a recall.

    Parameters
    ----------
    positive, negative : ndarray of shape (n,), float
        Scores; a score at or above the threshold is called positive.
    recall : float, in (0, 1], default 0.95
        Share of the positives that must be found.

    Returns
    -------
    float, in [0, 1]

    Raises
    ------
    ValueError
        If either is empty, or the recall is outside its range.
    """
    _check_filled(positive=positive, negative=negative)
    if not 0 < recall <= 1:
        raise ValueError(f"recall is {recall}, expected more than 0 and at most 1")
    # The tolerance: 0.95 * 20 is a hair above 19 in binary, and 19 of 20 are enough.
    n_found = max(1, int(np.ceil(recall * len(positive) - 1e-9)))
    threshold = np.sort(positive)[len(positive) - n_found]
    return float(np.mean(negative >= threshold))


def cohens_d(first: NDArray[Any], second: NDArray[Any]) -> float:
    """How many standard deviations the second mean lies above the first.

    d = (mean(second) - mean(first)) / s, with s the pooled standard deviation of both.

    Parameters
    ----------
    first, second : ndarray of shape (n,), float
        Such as distances within labels and between labels.

    Returns
    -------
    float
        Infinite where the means differ and nothing varies; 0 where they do not differ.

    Raises
    ------
    ValueError
        If either has fewer than two values.

    References
    ----------
    Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, section 2.5.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"got {len(first)} and {len(second)} values, expected at least 2 of each")
    apart = float(np.mean(second, dtype=np.float64) - np.mean(first, dtype=np.float64))
    degrees = len(first) - 1, len(second) - 1
    variances = (np.var(values, ddof=1, dtype=np.float64) for values in (first, second))
    pooled = sum(n * v for n, v in zip(degrees, variances, strict=True)) / sum(degrees)
    if pooled > 0:
        return apart / float(np.sqrt(pooled))
    return float(np.copysign(np.inf, apart)) if apart else 0.0


def equal_error_rate(same: NDArray[Any], different: NDArray[Any]) -> float:
    """Error of verification by distance, where both kinds of error are about equal.

    A pair is taken for the same label up to a threshold distance. The threshold is the one at
    which the larger of the two errors (same pairs rejected, different pairs accepted) is smallest.

    Parameters
    ----------
    same, different : ndarray of shape (n,), float
        Distances of pairs of one label, and of two labels; no NaN.

    Returns
    -------
    float, in [0, 1]
        The larger of the two errors there; 0.5 is chance.

    Raises
    ------
    ValueError
        If either is empty.
    """
    return equal_error(same, different)[0]


def equal_error(same: NDArray[Any], different: NDArray[Any]) -> tuple[float, float]:
    """Error of verification as in `equal_error_rate`, and the threshold distance that has it.

    Returns
    -------
    error : float, in [0, 1]
    threshold : float
        Pairs at most so far apart are taken for one label; of several thresholds that are as
        good, the smallest distance that occurs.

    Raises
    ------
    ValueError
        If either is empty.
    """
    _check_filled(same=same, different=different)
    thresholds = np.unique(np.concatenate([same, different]))
    rejected = 1 - np.searchsorted(np.sort(same), thresholds, side="right") / len(same)
    accepted = np.searchsorted(np.sort(different), thresholds, side="right") / len(different)
    errors = np.maximum(rejected, accepted)
    best = int(errors.argmin())
    return float(errors[best]), float(thresholds[best])


def _check_filled(**values: NDArray[Any]) -> None:
    for name, array in values.items():
        if not len(array):
            raise ValueError(f"{name} has 0 values, expected at least one")
