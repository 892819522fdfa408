"""Change points, against trying every split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.explanation.onset import change_point, first_change


def explained(values: list[float], at: int) -> float:
    """Share of the variance that two means, before and from a bin on, take away."""

    def around_mean(part: list[float]) -> float:
        mean = sum(part) / len(part)
        return sum((value - mean) ** 2 for value in part)

    total = around_mean(values)
    left = around_mean(values[:at]) + around_mean(values[at:])
    return 1 - left / total if total > 0 else 0.0


@given(st.lists(st.integers(0, 9), min_size=8, max_size=60), st.integers(1, 4))
def test_the_split_is_the_best_of_all_and_not_by_chance(values: list[int], margin: int) -> None:
    """Several splits may be equally good."""
    bins = [float(value) for value in values]
    best = max(explained(bins, at) for at in range(margin, len(bins) - margin + 1))
    found = change_point(np.array(bins), margin=margin)
    if found is None:
        assert best <= max(0.3, 12 / len(bins)) + 1e-9
    else:
        assert margin <= found <= len(bins) - margin
        assert explained(bins, found) == pytest.approx(best, abs=1e-9)


def test_a_step_is_found_where_it_is_in_noise() -> None:
    rng = np.random.default_rng(1)
    for place in (20, 64, 100):
        values = rng.normal(0, 0.3, 128)
        values[place:] += 2
        assert change_point(values) == place


def test_noise_has_no_step() -> None:
    rng = np.random.default_rng(2)
    found = [change_point(rng.normal(size=n)) for n in (24, 64, 128) for _ in range(100)]
    assert sum(one is not None for one in found) <= 3


@pytest.mark.parametrize("n", [0, 1, 7])
def test_what_is_too_short_has_none(n: int) -> None:
    assert change_point(np.arange(n, dtype=np.float64)) is None


def test_what_does_not_vary_has_none() -> None:
    assert change_point(np.ones(50)) is None


def test_of_several_steps_one_way_the_first_is_the_beginning() -> None:
    """Half of it stops at 40, the rest at 60; what grows does not fall."""
    values = np.repeat([8.0, 4.0, 0.0], [40, 20, 60])
    assert first_change(values, rises=False) == 40
    assert first_change(values, rises=True) is None


def test_a_wave_of_normal_traffic_before_is_not_the_beginning() -> None:
    values = np.repeat([4.4, 4.0, 0.0], [30, 30, 60])
    assert first_change(values, rises=False) == 60
