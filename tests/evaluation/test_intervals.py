"""Intervals against scipy, slow loops, and what they promise: to hold the truth 95 times in 100."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from traffic_siamese.evaluation.intervals import (
    bootstrap,
    expanded_tail,
    poisson_interval,
    share_interval,
    student_quantile,
)


@given(st.floats(0.55, 0.995), st.integers(1, 60))
def test_students_quantile_is_that_of_scipy(p: float, degrees: int) -> None:
    assert student_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-6)


@pytest.mark.parametrize("n", [2, 4, 20, 1000])
def test_the_tail_is_that_of_the_expanded_percentile_interval(n: int) -> None:
    expected = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    assert expanded_tail(n) == pytest.approx(expected, rel=1e-5, abs=1e-12)


def test_one_value_has_no_tail() -> None:
    with pytest.raises(ValueError, match="n is 1, expected 2"):
        expanded_tail(1)


@given(st.integers(1, 60))
def test_the_interval_of_a_rate_is_garwoods(n: int) -> None:
    low, high = poisson_interval(n)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * n) / 2, rel=1e-6)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * n + 2) / 2, rel=1e-6)


def test_what_never_happened_leaves_room_for_three() -> None:
    """The rule of three: exp(-mu) = 0.05 at mu = 2.996."""
    assert poisson_interval(0) == (0, pytest.approx(2.9957, abs=1e-4))


def _holds(truth: float, runs: list[np.ndarray], rng: np.random.Generator) -> bool:
    found = bootstrap(runs, rng=rng, repeats=400)
    return found.low <= truth <= found.high


def test_an_interval_of_draws_holds_the_truth_95_times_in_100() -> None:
    """20 skewed draws of mean 1, 400 times: between 92 and 98 in 100."""
    rng = np.random.default_rng(0)
    held = [_holds(1.0, [rng.gamma(4, 0.25, 20)], rng) for _ in range(400)]
    assert 0.92 <= np.mean(held) <= 0.98


def test_an_interval_of_few_runs_holds_the_truth_as_often() -> None:
    """8 runs that differ, 5 draws in each; plain percentiles of 8 hold it 89 times in 100."""
    rng = np.random.default_rng(1)

    def runs() -> list[np.ndarray]:
        return [rng.normal(rng.normal(0, 1), 0.3, 5) for _ in range(8)]

    held = [_holds(0.0, runs(), rng) for _ in range(400)]
    assert 0.92 <= np.mean(held) <= 0.985


def test_four_runs_span_their_range() -> None:
    """A bootstrap of four runs without spread of their own goes from the least to the most."""
    found = bootstrap([[0.1], [0.4], [0.2], [0.9]], rng=np.random.default_rng(0))
    assert (found.low, found.high) == (0.1, 0.9)
    assert found.mean == pytest.approx(0.4)


def test_a_single_value_has_no_interval() -> None:
    found = bootstrap([[0.7], []], rng=np.random.default_rng(0))
    assert found.mean == 0.7
    assert not found.has_spread


def test_no_value_is_not_measured() -> None:
    assert not bootstrap([[], []], rng=np.random.default_rng(0)).is_measured
    assert not share_interval([], [], rng=np.random.default_rng(0)).is_measured


def test_a_share_is_over_windows_and_its_interval_over_captures() -> None:
    """9 of 10 and 5 of 30 windows are 14 of 40; each capture alone is 0.9 or 0.167."""
    hits, totals = [np.array([9.0, 5.0])], [np.array([10.0, 30.0])]
    found = share_interval(hits, totals, rng=np.random.default_rng(0))
    assert found.mean == pytest.approx(14 / 40)
    assert (found.low, found.high) == (pytest.approx(5 / 30), pytest.approx(0.9))


def test_groups_count_alike_however_many_windows_they_have() -> None:
    hits, totals = [np.array([100.0, 100.0]), np.array([0.0])], [np.array([100.0, 100.0]), [1.0]]
    found = share_interval(hits, [np.array(t) for t in totals], rng=np.random.default_rng(0))
    assert found.mean == found.low == found.high == 0.5


def test_one_capture_of_each_label_has_no_interval() -> None:
    found = share_interval([np.array([3.0])], [np.array([4.0])], rng=np.random.default_rng(0))
    assert found.mean == 0.75
    assert not found.has_spread


def test_shares_of_alike_captures_hold_the_truth() -> None:
    """12 captures of 20 windows, each with its own chance around 0.7: 300 times."""
    rng = np.random.default_rng(2)

    def held() -> bool:
        chances = np.clip(rng.normal(0.7, 0.1, 12), 0, 1)
        hits = rng.binomial(20, chances).astype(float)
        found = share_interval([hits], [np.full(12, 20.0)], rng=rng, repeats=400)
        return found.low <= 0.7 <= found.high

    assert 0.91 <= np.mean([held() for _ in range(300)]) <= 0.99
