"""The tail of normal traffic, against scipy and against draws where the rate is known."""

import json

import numpy as np
import pytest
from scipy import stats

from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.tail import NormalTail, SpanTail, fit_normal_tail, fit_pareto

SETTINGS = {"stride": 1, "bin_s": 1.0, "n_timesteps": 4}


@pytest.mark.parametrize(("scale", "shape"), [(0.1, 0.0), (2.0, 0.2), (0.03, 0.4)])
def test_the_fit_finds_what_the_values_were_drawn_from(scale, shape):
    drawn = stats.genpareto.rvs(shape, scale=scale, size=200_000, random_state=1)
    found = fit_pareto(drawn)
    assert found[0] == pytest.approx(scale, rel=0.03)
    assert found[1] == pytest.approx(shape, abs=0.02)


def test_a_tail_that_ends_is_given_none():
    """Uniform excesses have the shape -1; an exponential with their mean is the cautious answer."""
    scale, shape = fit_pareto(np.linspace(0, 1, 10_001)[1:])
    assert (scale, shape) == (pytest.approx(0.5, rel=0.01), 0)


@pytest.mark.parametrize("shape", [0.0, 0.3])
def test_rate_and_distance_are_those_of_the_distribution(shape):
    span = SpanTail(1, 0.2, 50.0, 0.1, shape)
    for distance in (0.25, 0.5, 1.0):
        expected = 50 * stats.genpareto.sf(distance - 0.2, shape, scale=0.1)
        assert span.rate(distance) == pytest.approx(expected)
        assert span.distance(expected) == pytest.approx(distance)
    assert span.rate(0.2) == np.inf
    assert span.distance(1000) == 0.2


def normal_walk(n, rng):
    """Draw moving maxima of exponential values: they come in clusters of four."""
    drawn = rng.exponential(0.1, n + 3).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(drawn, 4).max(axis=1)


def test_fresh_traffic_raises_as_often_as_said():
    """Learned from 2.8 hours, asked about 110; a draw is passed by one cluster of four windows."""
    rng = np.random.default_rng(0)
    counts = []
    fresh = normal_walk(400_000, rng)
    for _ in range(20):
        tail = fit_normal_tail([normal_walk(10_000, rng)], **SETTINGS, spans=[1])
        (level,) = tail.levels(20)
        beyond = np.flatnonzero(fresh > level)
        counts.append(1 + np.count_nonzero(np.diff(beyond) > 4))
    days = 400_000 / 86_400
    assert np.median(counts) / days == pytest.approx(20, rel=0.5)


def test_what_lasts_is_learned_apart_and_levels_never_rise():
    rng = np.random.default_rng(1)
    tail = fit_normal_tail([normal_walk(20_000, rng)], **SETTINGS, spans=[1, 3, 5])
    assert [span.n_windows for span in tail.spans] == [1, 3, 5]
    assert tail.hours == pytest.approx(20_000 / 3600)
    for rate in (0.1, 1, 10):
        assert list(tail.levels(rate)) == sorted(tail.levels(rate), reverse=True)
    assert tail.levels(0.1) > tail.levels(10)


def test_clusters_are_counted_in_windows_apart():
    """Twelve pairs of values, two apart: one cluster each; six windows apart are two."""
    quiet = np.zeros(4000, np.float32)
    near = quiet.copy()
    near[100:3700:300], near[102:3702:300] = 1, 2
    far = quiet.copy()
    far[100:3700:300], far[106:3706:300] = 1, 2
    days = 4000 / 86_400
    for values, n in ((near, 12), (far, 24)):
        found = fit_normal_tail([values], **SETTINGS, spans=[1])
        assert found.spans[0].per_day == pytest.approx(n / days)


@pytest.mark.parametrize(
    ("n_bins", "far", "factor"),
    [
        (1800, 0.9, 1),
        (1800, 1.3, 1.3),
        (1800, 5, 1.6),
        (20_000, 1, 1),
        (20_000, 2.5, 2.5),
        (20_000, 5, 3),
        (3600, 5, 1.6 * 2**0.5),
    ],
)
def test_a_network_that_strays_farther_is_asked_more_of(n_bins, far, factor):
    """Seen with distances ``far`` times as large, it raises as often.

    By how much at most, depends on how much there is: what looks normal may hide a fault.
    """
    seen = normal_walk(n_bins, np.random.default_rng(3))
    tail = fit_normal_tail([seen], **SETTINGS, spans=[1, 3])
    wide = tail.widened(far * seen)
    for rate in (0.1, 1, 10):
        assert wide.levels(rate) == pytest.approx([factor * d for d in tail.levels(rate)])
    least = [1.2 * d for d in tail.levels(1)]
    assert wide.rate([factor * d for d in least]) == pytest.approx(tail.rate(least))


def test_some_windows_more_do_not_widen_a_tail():
    """Some very far ones, as of a fault that is called normal, count for little."""
    seen = normal_walk(20_000, np.random.default_rng(4))
    tail = fit_normal_tail([seen], **SETTINGS, spans=[1])
    mixed = np.where(np.arange(20_000) % 25 == 0, 10, seen)
    assert tail.widened(mixed).levels(1)[0] < 1.7 * tail.levels(1)[0]
    assert tail.widened(5 * seen[:299]) is tail


def test_too_little_traffic_has_no_tail():
    assert fit_normal_tail([], **SETTINGS, spans=[1]) is None
    assert fit_normal_tail([np.ones(3, np.float32)], **SETTINGS, spans=[1, 5]) is None


def test_it_survives_json_and_malformed_json_is_refused():
    tail = NormalTail(2, 3.5, (SpanTail(1, 0.3, 400.0, 0.05, 0.1),))
    plain = json.loads(json.dumps(tail.to_json()))
    assert NormalTail.from_json(plain) == tail
    for change in ({"spans": []}, {"hours": 0}, {"spans": [{}]}, {"stride": "x"}):
        with pytest.raises(BundleError, match="normal_tail: found"):
            NormalTail.from_json({**plain, **change})
    with pytest.raises(BundleError, match="Train the model again"):
        NormalTail.from_json(7)
