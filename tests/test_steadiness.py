"""How long a stretch has to be: against series whose answer is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.simulate.normal import PLACE, normal_bins
from traffic_siamese.baseline import LEAST_SPREAD, learn_baseline
from traffic_siamese.steadiness import measure_steadiness

PACKETS = PLACE["to_service_packets"]


def wavy(n_bins: int, *, seed: int, hold_bins: int, height: float = 1.0) -> np.ndarray:
    """One feature's logarithm is normal noise that holds each value for some bins; others rest."""
    rng = np.random.default_rng(seed)
    values = np.ones((n_bins, len(PLACE)), np.float32)
    noise = np.repeat(rng.normal(0, height, math.ceil(n_bins / hold_bins)), hold_bins)[:n_bins]
    values[:, PACKETS] = np.expm1(6 + noise)
    return values


@pytest.mark.parametrize("hold_bins", [1, 8, 30])
def test_the_length_is_that_of_the_closed_form(hold_bins: int) -> None:
    """The mean of L / hold independent values: its deviation is spread x sqrt(hold / L).

    Nine in ten such means are within 1.645 deviations, so L = hold x (1.645 x spread /
    (tolerance x (spread + 0.3)))^2; the median of ten series is within a factor of two of it.
    """
    spread = float(learn_baseline(wavy(60_000, seed=99, hold_bins=1))[1, PACKETS])
    needed = hold_bins * (1.645 / 0.25 * spread / (spread + LEAST_SPREAD)) ** 2
    found = [
        measure_steadiness(wavy(4000, seed=seed, hold_bins=hold_bins)).needed_bins or 0
        for seed in range(10)
    ]
    assert needed / 2 <= max(float(np.median(found)), 30) <= max(2 * needed, 60)


def test_too_short_a_stretch_says_how_much_more() -> None:
    """Values that hold for a minute: five of them are not enough, and the estimate says so."""
    found = [measure_steadiness(wavy(300, seed=seed, hold_bins=60)) for seed in range(10)]
    assert sum(one.is_enough for one in found) <= 2
    assert all(one.needed_bins > 300 for one in found if not one.is_enough)
    assert all(one.deviation > 0.25 for one in found if not one.is_enough)


def test_what_one_minute_promises_the_next_hour_keeps() -> None:
    """Stretches of the length that was called enough are within the tolerance of other traffic."""
    values = normal_bins(4000, seed=1)
    needed = measure_steadiness(values[:600]).needed_bins
    assert needed is not None
    assert needed <= 600
    truth = learn_baseline(values[600:])
    starts = range(600, 4000 - needed, needed)
    worst = [
        max(
            abs(float(learn_baseline(values[s : s + needed])[0, i] - truth[0, i]))
            / (float(truth[1, i]) + LEAST_SPREAD)
            for i in range(values.shape[1])
        )
        for s in starts
    ]
    assert np.mean(np.array(worst) <= 0.25) >= 0.75


def test_more_tolerance_needs_no_longer_a_stretch() -> None:
    values = wavy(2000, seed=5, hold_bins=20)
    needed = [
        measure_steadiness(values, tolerance=tolerance).needed_bins
        for tolerance in (0.05, 0.1, 0.2, 0.4, 0.8)
    ]
    assert needed == sorted(needed, reverse=True)


def test_traffic_that_does_not_vary_needs_the_least() -> None:
    still = measure_steadiness(np.ones((120, len(PLACE)), np.float32))
    assert still.needed_bins == 30
    assert still.deviation < 1e-4
    assert still.is_enough


@pytest.mark.parametrize("n_bins", [1, 30, 59])
def test_less_than_two_stretches_tell_nothing(n_bins: int) -> None:
    found = measure_steadiness(normal_bins(n_bins))
    assert found.needed_bins is None
    assert not found.is_enough
    assert math.isnan(found.deviation)
