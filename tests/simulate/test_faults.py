import dataclasses
from collections import Counter

import numpy as np
import pytest

from tests.simulate.normal import PLACE, WHOLE, column, normal_windows
from traffic_siamese.simulate.faults import VirtualFault, apply_fault, draw_fault
from traffic_siamese.simulate.profiles import PROFILES

FAMILIES = {
    "lost_beyond",
    "lost_before",
    "lost_both",
    "loss",
    "capacity",
    "delay",
    "failing",
    "surge",
    "refused",
    "scatter",
}
IDLE = [PLACE["to_service_idle_share"], PLACE["from_service_idle_share"]]


def drawn(seed: int, **changes: object) -> VirtualFault:
    return dataclasses.replace(draw_fault(np.random.default_rng(seed)), **changes)


def test_a_fault_depends_on_its_seed_alone() -> None:
    assert [drawn(seed) for seed in range(30)] == [drawn(seed) for seed in range(30)]
    assert drawn(0) != drawn(1)


def test_drawn_faults_cover_all_families_and_profiles_within_their_ranges() -> None:
    """1200 faults: weights 1 and 2 of 12 families give about 100 and 200."""
    faults = [drawn(seed) for seed in range(1200)]
    families = Counter(fault.family for fault in faults)
    assert set(families) == FAMILIES
    for family, n in families.items():
        assert 0.6 < n / (200 if family in ("failing", "scatter") else 100) < 1.4
    assert {fault.profile for fault in faults} == set(PROFILES)
    assert np.mean([fault.direction for fault in faults]) == pytest.approx(0.35, abs=0.07)
    for fault in faults:
        assert 0.25 <= fault.share <= 1
        assert 0.05 <= fault.loss_share <= 0.35
        assert 0.04 <= fault.added_s <= 2
        assert 2 <= len(fault.features) == len(fault.shifts) == len(set(fault.features)) <= 9
        assert all(0.6 <= abs(shift) <= 2.5 for shift in fault.shifts)
    total = [fault.share == 1 for fault in faults if fault.family in ("lost_beyond", "lost_before")]
    assert np.mean(total) == pytest.approx(0.5, abs=0.18)


def test_faulty_windows_stay_possible() -> None:
    """Counts are whole and not negative, idle shares are shares, the windows given are kept."""
    normal = normal_windows(6, n_timesteps=16)
    before = normal.copy()
    for seed in range(250):
        fault = drawn(seed)
        faulty = apply_fault(fault, normal, np.random.default_rng(seed))
        assert faulty.shape == normal.shape
        assert np.isfinite(faulty).all()
        assert (faulty >= 0).all()
        np.testing.assert_array_equal(faulty[..., WHOLE] % 1, 0)
        assert (faulty != normal).any(), fault
        if fault.family == "scatter":
            continue
        assert (faulty[..., IDLE] <= 1).all()
        assert faulty[..., PLACE["busiest_source_share"]].max() <= 1
        for way in (0, 1):
            silent = column(faulty, way, "packets") == 0
            assert (column(faulty, way, "idle_share")[silent] == 1).all()
            assert (column(faulty, way, "bytes")[silent] == 0).all()
            size = column(faulty, way, "bytes")[~silent] / column(faulty, way, "packets")[~silent]
            np.testing.assert_allclose(column(faulty, way, "mean_size_bytes")[~silent], size)
            assert size.min() >= 60
    np.testing.assert_array_equal(normal, before)


def test_the_same_chance_gives_the_same_windows() -> None:
    normal = normal_windows(5, n_timesteps=16)
    for seed in range(20):
        first, again = (
            apply_fault(drawn(seed), normal, np.random.default_rng(7)) for _ in range(2)
        )
        np.testing.assert_array_equal(first, again)


def test_cases_run_over_both_transports_each_over_one() -> None:
    """A refused case shows resets or ICMP, never both; the number over TCP is drawn evenly."""
    normal = normal_windows(10)
    fault = drawn(3, family="refused", profile="steady", share=1.0, direction=0)
    shares = []
    for seed in range(60):
        faulty = apply_fault(fault, normal, np.random.default_rng(seed))
        reset = column(faulty, 1, "tcp_rst").sum(axis=1) > 0
        unreachable = column(faulty, 1, "icmp_unreachable").sum(axis=1) > 0
        np.testing.assert_array_equal(reset, ~unreachable)
        shares.append(reset.mean())
    assert min(shares) == 0
    assert max(shares) == 1
    assert np.mean(shares) == pytest.approx(0.5, abs=0.15)


def test_what_is_cut_altogether_is_cut_in_every_case() -> None:
    """At most three per cent of the answers come, however mild the case."""
    normal = normal_windows(60)
    fault = drawn(1, family="lost_beyond", profile="steady", share=1.0, direction=0)
    faulty = apply_fault(fault, normal, np.random.default_rng(0))
    answered = column(faulty, 1, "answer_success").sum(axis=1)
    usual = column(normal, 1, "answer_success").sum(axis=1)
    assert (answered / usual).max() < 0.12  # some 3 of 120 expected: 13 are five deviations away
    assert answered.sum() / usual.sum() < 0.03


def test_cases_of_one_fault_differ_in_severity() -> None:
    """A delay's cases span 0.6 ** 3 to 1.15 ** 3 of it."""
    normal = normal_windows(200, n_timesteps=8)
    fault = drawn(2, family="delay", profile="steady", added_s=0.3, direction=0)
    faulty = apply_fault(fault, normal, np.random.default_rng(0))
    name = "first_answer_delay_median_s"
    added = (column(faulty, 0, name) - column(normal, 0, name)).mean(axis=1) / 0.3
    assert 0.9 * 0.6**3 < added.min() < 0.3
    assert 1.3 < added.max() < 1.1 * 1.15**3


def test_a_fault_that_comes_and_goes_leaves_bins_as_they_were() -> None:
    normal = normal_windows(8)
    fault = drawn(4, family="lost_beyond", profile="on_off", share=0.9, direction=0)
    faulty = apply_fault(fault, normal, np.random.default_rng(0))
    untouched = np.isclose(faulty, normal, rtol=1e-6).all(axis=2)
    assert 0.2 < untouched.mean() < 0.8
