"""Windows at the edges of a fault, windows that look normal, and what more examples do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.oneshot.phases import (
    DEFAULT_PHASES,
    ONSET,
    PHASES,
    RECOVERY,
    STEADY,
    distances_from_normal,
    shows_fault,
    straddling_starts,
)
from traffic_siamese.oneshot.recognition import recognise

REACH = 0.2
CALIBRATION = Calibration({"normal": REACH}, 0.5, 0.05, 0.01)


@given(
    first=st.integers(-50, 200),
    length=st.integers(1, 200),
    n_timesteps=st.integers(1, 60),
)
def test_an_edge_has_half_of_its_bins_in_the_fault(first, length, n_timesteps):
    """Counted bin by bin; half of an odd number is rounded down outside the end's window."""
    last = first + length
    starts = straddling_starts(first, last, n_timesteps=n_timesteps, phases=PHASES)
    if length < n_timesteps:
        assert starts == {}
        return
    assert set(starts) == {ONSET, RECOVERY}
    for phase, start in starts.items():
        inside = sum(first <= bin_ < last for bin_ in range(start, start + n_timesteps))
        half = n_timesteps // 2
        assert inside == (n_timesteps - half if phase == ONSET else half)
    assert starts[ONSET] < first or n_timesteps == 1
    assert starts[RECOVERY] + n_timesteps > last or n_timesteps == 1


def test_only_what_is_asked_for_is_placed():
    assert set(straddling_starts(0, 99, n_timesteps=9)) == set(DEFAULT_PHASES) - {STEADY}
    assert straddling_starts(0, 99, n_timesteps=9, phases=[STEADY]) == {}


def test_distances_from_normal_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    points, prototypes = rng.random((20, 4), np.float32), rng.random((6, 4), np.float32)
    labels = np.array(["normal", "a", "normal", "b", "a", "normal"])
    found = distances_from_normal(points, prototypes, labels)
    for point, distance in zip(points, found, strict=True):
        mine = [
            np.linalg.norm(point - p)
            for p, name in zip(prototypes, labels, strict=True)
            if name == "normal"
        ]
        assert distance == pytest.approx(min(mine), abs=1e-6)
    assert np.isinf(distances_from_normal(points, prototypes[1:2], labels[1:2])).all()


@pytest.mark.parametrize(
    ("phases", "distances", "expected"),
    [
        ("sss", [0.9, 0.5, 0.3], [1, 1, 1]),
        ("sss", [0.9, 0.5, 0.1], [1, 1, 0]),
        ("sss", [0.15, 0.1, 0.05], [1, 1, 0]),
        ("sr", [0.9, 0.1], [1, 0]),
        ("srr", [0.15, 0.19, 0.21], [1, 0, 1]),
        ("s", [0.0], [1]),
        ("so", [np.inf, np.inf], [1, 1]),
    ],
    ids=["all", "normal beside it", "slight", "edge", "edge of a slight", "normal itself", "none"],
)
def test_what_looks_normal_does_not_show_the_fault(phases, distances, expected):
    """Beyond the reach of 0.2; for a slight fault half as far as the farthest."""
    names = {"s": STEADY, "r": RECOVERY, "o": ONSET}
    found = shows_fault(
        np.array([names[letter] for letter in phases]), np.array(distances, np.float32), CALIBRATION
    )
    np.testing.assert_array_equal(found, np.array(expected, bool))


@given(seed=st.integers(0, 2**32 - 1), n_shots=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_more_examples_never_lose_a_window_of_the_fault(seed, n_shots):
    """Windows called by its name stay so with every example more: recall cannot fall."""
    rng = np.random.default_rng(seed)
    windows = rng.random((60, 3), np.float32)
    others, shots = rng.random((8, 3), np.float32), rng.random((sum(n_shots), 3), np.float32)
    called = np.zeros(len(windows), bool)
    for n in np.cumsum(n_shots).tolist():
        labels = np.array(["normal", "a"] * 4 + ["new"] * n)
        found = recognise(windows, np.concatenate([others, shots[:n]]), labels, CALIBRATION)
        now = found.label == "new"
        assert not (called & ~now).any()
        called = now


def test_five_examples_find_more_of_a_fault_than_two_and_two_more_than_one():
    """A fault of changing severity: an arc in the cube, seen through noise, beside normal."""
    rng = np.random.default_rng(3)
    severity = rng.uniform(0.3, 1.0, 400)
    windows = np.column_stack([severity, severity**2, np.full(400, 0.2)]).astype(np.float32)
    windows += rng.normal(0, 0.02, windows.shape).astype(np.float32)
    normal = rng.normal(0.1, 0.03, (200, 3)).astype(np.float32)
    recall, kept = [], []
    calibration = Calibration({"normal": REACH}, 0.25, 0.05, 0.01)
    for n in (1, 2, 5):
        prototypes = np.concatenate([normal[:3], windows[:n]])
        labels = np.array(["normal"] * 3 + ["new"] * n)
        recall.append(
            np.mean(recognise(windows[5:], prototypes, labels, calibration).label == "new")
        )
        kept.append(
            np.mean(recognise(normal[3:], prototypes, labels, calibration).label == "normal")
        )
    assert recall[0] < recall[1] < recall[2]
    assert recall[2] > 0.9
    assert min(kept) == 1
