import dataclasses
import math

import numpy as np
import pytest

from tests.simulate.normal import PLACE, normal_bins
from traffic_siamese.baseline import estimate_baseline, learn_baseline, log_view
from traffic_siamese.features.schema import FEATURE_NAMES, FEATURES
from traffic_siamese.simulate.faults import VirtualFault, apply_fault, draw_fault
from traffic_siamese.simulate.mechanisms import Surge


def test_the_log_view_is_log_of_one_plus_value_over_floor() -> None:
    """0 is 0, a floor is log 2, and a floor times e - 1 is 1."""
    floors = np.array([feature.floor for feature in FEATURES], np.float32)
    np.testing.assert_array_equal(log_view(floors * 0), 0)
    np.testing.assert_allclose(log_view(floors), math.log(2), rtol=1e-6)
    np.testing.assert_allclose(log_view(floors * (math.e - 1)), 1, rtol=1e-6)
    assert log_view(np.ones((2, 3, len(FEATURES)))).dtype == np.float32


def slow_baseline(values: np.ndarray) -> np.ndarray:
    """Feature by feature: sort, cut a twentieth at either end, mean and deviation."""
    out = np.zeros((2, values.shape[1]))
    for i, feature in enumerate(FEATURES):
        logs = sorted(math.log1p(float(v) / feature.floor) for v in values[:, i])
        cut = len(logs) // 20
        core = logs[cut : len(logs) - cut]
        mean = math.fsum(core) / len(core)
        out[:, i] = mean, math.sqrt(math.fsum((x - mean) ** 2 for x in core) / len(core))
    return out


@pytest.mark.parametrize("n_bins", [1, 7, 19, 20, 41, 300])
def test_a_baseline_is_what_a_slow_loop_says(n_bins: int) -> None:
    values = normal_bins(n_bins, seed=n_bins)
    learned = learn_baseline(values)
    assert learned.shape == (2, len(FEATURE_NAMES))
    assert learned.dtype == np.float32
    np.testing.assert_allclose(learned, slow_baseline(values), rtol=1e-4, atol=1e-4)


def test_a_hiccup_does_not_move_the_baseline() -> None:
    """Four seconds in two hundred with nothing but trouble."""
    calm = normal_bins(200)
    hiccup = calm.copy()
    hiccup[60:64] = 0
    hiccup[100:104, PLACE["from_service_answer_overload"]] = 500
    moved = np.abs(learn_baseline(hiccup)[0] - learn_baseline(calm)[0])
    plain = np.abs(log_view(hiccup).mean(axis=0) - log_view(calm).mean(axis=0))
    assert moved.max() < 0.05
    assert plain.max() > 0.1


FAULTS = {
    "answers lost": {"family": "lost_beyond", "share": 0.8},
    "no answers at all": {"family": "lost_beyond", "share": 1.0},
    "blocked before": {"family": "lost_before", "share": 1.0},
    "silence": {"family": "lost_both", "share": 1.0},
    "packet loss": {"family": "loss", "loss_share": 0.3},
    "little capacity": {"family": "capacity", "loss_share": 0.3, "added_s": 0.5},
    "long delay": {"family": "delay", "added_s": 1.0},
    "registrations fail": {
        "family": "failing",
        "kind": "registration",
        "answer": "forbidden",
        "share": 0.9,
    },
    "sessions fail": {
        "family": "failing",
        "kind": "session_start",
        "answer": "overload",
        "share": 0.7,
    },
    "refused": {"family": "refused", "share": 0.8},
}


def faulty_log(changes: dict[str, object], *, seed: int, share: float, start: float) -> np.ndarray:
    """Return 600 bins of normal traffic of which a share, from another share on, is faulty."""
    values = normal_bins(600, seed=seed)
    drawn: VirtualFault = draw_fault(np.random.default_rng(seed))
    fault = dataclasses.replace(drawn, profile="steady", direction=0, **changes)
    part = slice(round(600 * start), round(600 * (start + share)))
    values[part] = apply_fault(fault, values[None, part], np.random.default_rng(seed))[0]
    return values


@pytest.mark.parametrize("name", FAULTS)
def test_the_normal_part_of_a_mostly_faulty_log_is_found(name: str) -> None:
    """60 % of the log is faulty; the estimate stays near what normal traffic alone would give."""
    for seed, start in enumerate((0, 0.2, 0.4)):
        values = faulty_log(FAULTS[name], seed=seed, share=0.6, start=start)
        assert_near_normal(values, seed)


def assert_near_normal(values: np.ndarray, seed: int) -> None:
    truth = learn_baseline(normal_bins(600, seed=seed))[0]
    found = np.abs(estimate_baseline(values)[0] - truth)
    whole = np.abs(learn_baseline(values)[0] - truth)
    assert found.max() < 0.35, FEATURE_NAMES[int(found.argmax())]
    assert found.max() < 0.5 * whole.max()


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_surge_is_not_taken_for_normal(share: float) -> None:
    """However long it lasts: only its volume gives it away."""
    wave = Surge("registration", success_share=0.5, spread=0.5, concentration=0.3)
    changes = {"family": "surge", "factor": 20.0, "wave": wave}
    for seed, start in enumerate((0, 0.2, 0.4)):
        assert_near_normal(faulty_log(changes, seed=seed, share=share, start=start), seed)


@pytest.mark.parametrize("share", [0.2, 0.3, 0.5, 0.7])
def test_an_outage_without_a_packet_is_never_normal(share: float) -> None:
    """Nothing fails in it, and it is still no traffic."""
    for start in (0, 0.15, 0.3):
        values = normal_bins(600)
        gone = slice(round(600 * start), round(600 * (start + share)))
        values[gone] = 0
        values[gone, [PLACE["to_service_idle_share"], PLACE["from_service_idle_share"]]] = 1
        assert_near_normal(values, 0)


def test_failures_count_by_the_requests_made() -> None:
    """Three failures in 29 requests a second are calmer than 2.7 in 16."""
    rng = np.random.default_rng(0)
    busy, quiet = normal_bins(300, load=1.8), normal_bins(300, seed=1)
    busy[:, PLACE["from_service_answer_not_found"]] += rng.poisson(3.0, 300)
    quiet[:, PLACE["from_service_answer_not_found"]] += rng.poisson(2.7, 300)
    place = PLACE["to_service_packets"]
    for parts in ((busy, quiet), (quiet, busy)):
        found = estimate_baseline(np.concatenate(parts))[0, place]
        assert found == pytest.approx(learn_baseline(busy)[0, place], abs=0.1)


def test_normal_traffic_is_its_own_estimate() -> None:
    values = normal_bins(300)
    np.testing.assert_allclose(estimate_baseline(values)[0], learn_baseline(values)[0], atol=0.3)


@pytest.mark.parametrize("n_bins", [1, 5, 29, 30, 31])
def test_a_short_log_is_used_whole(n_bins: int) -> None:
    """30 bins at least, where there are so many."""
    values = normal_bins(n_bins)
    expected = slow_baseline(values) if n_bins <= 30 else None
    found = estimate_baseline(values)
    if expected is not None:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.isfinite(found).all()
