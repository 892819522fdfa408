"""How sure a figure is: 95 % intervals from few values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

REPEATS = 2000
LEVEL = 0.95
_BISECTIONS = 80


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and from where to where it may lie.

    Attributes
    ----------
    mean : float
        NaN where nothing was measured.
    low, high : float
        95 % interval; NaN where a single value was measured, which says nothing of its spread.
    n : int
        Values that the mean is over.
    """

    mean: float
    low: float
    high: float
    n: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether there is a mean."""
        return bool(np.isfinite(self.mean))

    @property
    def has_spread(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def bootstrap(
    runs: Sequence[Sequence[float]], *, rng: np.random.Generator, repeats: int = REPEATS
) -> Interval:
    """Mean over runs of the mean over the values of each, with its 95 % interval.

    Runs are drawn with replacement, and within each its values: values of one run (draws of
    examples with one encoder, say) are not independent of each other. A plain percentile interval
    of few runs is too narrow, by the factor sqrt(n / (n - 1)) of a standard deviation that divides
    by n, and by normal quantiles where Student's are due. Percentiles are therefore taken farther
    out, as many as make up for both; from four runs or fewer that is the range of the runs.

    Parameters
    ----------
    runs : sequence of sequence of float
        Values of each run; runs without values are left out.
    rng : numpy.random.Generator
    repeats : int

    Returns
    -------
    Interval

    References
    ----------
    Efron, Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13.
    Hesterberg 2015, What Teachers Should Know About the Bootstrap, The American Statistician 69,
    section 4.2 (expanded percentile interval).
    """
    filled = [np.asarray(run, np.float64) for run in runs if len(run)]
    n = sum(map(len, filled))
    if not n:
        return NOTHING
    mean = float(np.mean([run.mean() for run in filled]))
    if n == 1:
        return Interval(mean, float("nan"), float("nan"), 1)
    means = np.stack(
        [run[rng.integers(len(run), size=(repeats, len(run)))].mean(axis=1) for run in filled]
    )
    picks = rng.integers(len(filled), size=(len(filled), repeats))
    sampled = means[picks, np.arange(repeats)].mean(axis=0)
    tail = expanded_tail(len(filled) if len(filled) > 1 else n)
    low, high = np.quantile(sampled, (tail, 1 - tail))
    return Interval(mean, float(low), float(high), n)


def expanded_tail(n: int, *, level: float = LEVEL) -> float:
    """Share of bootstrap samples beyond each end of the interval of a mean of n values.

    Phi(-sqrt(n / (n - 1)) t), with t the quantile of Student's distribution with n - 1 degrees
    of freedom.

    Raises
    ------
    ValueError
        If n is below 2.
    """
    if n < 2:
        raise ValueError(f"n is {n}, expected 2 or more")
    t = student_quantile((1 + level) / 2, n - 1)
    return NormalDist().cdf(-t * float(np.sqrt(n / (n - 1))))


def student_quantile(p: float, degrees: int) -> float:
    """Quantile of Student's distribution; p in (0.5, 1), degrees of freedom 1 or more."""
    low, high = 0.0, 1e4
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_cdf(middle, degrees) < p else (low, middle)
    return (low + high) / 2


def _student_cdf(t: float, degrees: int) -> float:
    """Finite series of Abramowitz, Stegun 1964, 26.7.3 and 26.7.4; t not negative."""
    theta = np.arctan(t / np.sqrt(degrees))
    cosine, odd = np.cos(theta), degrees % 2
    k = np.arange(1, (degrees - odd) // 2)
    ratios = (2 * k / (2 * k + 1) if odd else (2 * k - 1) / (2 * k)) * cosine**2
    series = 1 + np.cumprod(ratios).sum()
    if not odd:
        return float((1 + np.sin(theta) * series) / 2)
    tail = np.sin(theta) * cosine * series if degrees > 1 else 0.0
    return float((1 + 2 / np.pi * (theta + tail)) / 2)


def share_interval(
    hits: Sequence[NDArray[np.float64]],
    totals: Sequence[NDArray[np.float64]],
    *,
    rng: np.random.Generator,
    repeats: int = REPEATS,
) -> Interval:
    """Mean over groups of the share of hits, with whole captures drawn again.

    Windows of one capture are alike, so that it is captures that count. A group (a label) whose
    windows come from one capture adds nothing to the interval.

    Parameters
    ----------
    hits, totals : sequence of ndarray of shape (n_captures_of_the_group,), float64
        Windows found and asked about in each capture.
    rng : numpy.random.Generator
    repeats : int

    Returns
    -------
    Interval
        Without an interval where no group has two captures.
    """
    groups = [(h, t) for h, t in zip(hits, totals, strict=True) if t.sum() > 0]
    if not groups:
        return NOTHING
    mean = float(np.mean([h.sum() / t.sum() for h, t in groups]))
    most = max(len(h) for h, _ in groups)
    n = int(sum(t.sum() for _, t in groups))
    if most < 2:
        return Interval(mean, float("nan"), float("nan"), n)
    sampled = np.mean([_resampled(h, t, rng, repeats) for h, t in groups], axis=0)
    tail = expanded_tail(sum(len(h) for h, _ in groups if len(h) > 1))
    low, high = np.quantile(sampled, (tail, 1 - tail))
    return Interval(mean, float(low), float(high), n)


def _resampled(
    hits: NDArray[np.float64], totals: NDArray[np.float64], rng: np.random.Generator, repeats: int
) -> NDArray[np.float64]:
    picks = rng.integers(len(hits), size=(repeats, len(hits)))
    return np.asarray(hits[picks].sum(axis=1) / totals[picks].sum(axis=1), np.float64)


def poisson_interval(n_events: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Where the expected number of events may lie when so many were seen: exact, equal tails.

    References
    ----------
    Garwood 1936, Fiducial Limits for the Poisson Distribution, Biometrika 28.
    """
    tail = (1 - level) / 2
    if n_events == 0:  # nothing can lie below: the whole error is above, as in the rule of three
        return 0.0, float(-np.log(1 - level))
    return _solve_poisson(n_events - 1, 1 - tail), _solve_poisson(n_events, tail)


def _solve_poisson(n: int, chance: float) -> float:
    """Return the mean at which n events or fewer have this chance."""
    low, high = 0.0, 10.0 * (n + 2)
    steps = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        found = np.exp(np.arange(n + 1) * np.log(middle) - middle - steps).sum()
        low, high = (middle, high) if found > chance else (low, middle)
    return (low + high) / 2
