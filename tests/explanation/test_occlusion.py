"""Occlusion, against taking one window and one set at a time."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_siamese.explanation.occlusion import Occlusion

N_WINDOWS, N_TIMESTEPS, N_CHANNELS = 3, 8, 6
RNG = np.random.default_rng(4)
WINDOWS = RNG.normal(size=(N_WINDOWS, N_TIMESTEPS, N_CHANNELS)).astype(np.float32)
REFERENCE = 0.1 * RNG.normal(size=(1, N_CHANNELS)).astype(np.float32)
MATRIX = RNG.normal(size=(N_TIMESTEPS * N_CHANNELS, 4)) / 4
SETS = [np.array([0]), np.array([1, 2]), np.array([5, 3]), np.arange(N_CHANNELS)]


def embed(windows: np.ndarray) -> np.ndarray:
    """Any function of whole windows, not linear."""
    flat = windows.reshape(len(windows), -1).astype(np.float64)
    return (1 / (1 + np.exp(-flat @ MATRIX))).astype(np.float32)


POINTS = embed(np.repeat(REFERENCE[None], N_TIMESTEPS, axis=1) + np.zeros((2, 1, 1)))
POINTS[1] += 0.2


def occlusion() -> Occlusion:
    return Occlusion(embed, WINDOWS, reference=REFERENCE, points=POINTS)


def away(window: np.ndarray) -> float:
    """Distance of one window to the nearest point."""
    return min(float(np.linalg.norm(embed(window[None])[0] - point)) for point in POINTS)


def test_what_is_removed_is_as_in_the_reference() -> None:
    found = occlusion().removed(SETS)
    for i, channels in enumerate(SETS):
        for j, window in enumerate(WINDOWS):
            without = window.copy()
            for step in range(N_TIMESTEPS):
                for channel in channels:
                    without[step, channel] = REFERENCE[0, channel]
            assert found[i, j] == pytest.approx(1 - away(without) / away(window), abs=1e-5)


def test_without_anything_of_its_own_a_window_is_at_the_reference() -> None:
    np.testing.assert_allclose(occlusion().removed(SETS[-1:]), 1, atol=1e-5)
    np.testing.assert_allclose(occlusion().alone(SETS[-1:]), 1, atol=1e-5)


def test_what_stands_alone_is_in_an_otherwise_normal_window() -> None:
    found = occlusion().alone(SETS)
    place = embed(np.repeat(REFERENCE[None], N_TIMESTEPS, axis=1))[0]
    for i, channels in enumerate(SETS):
        for j, window in enumerate(WINDOWS):
            alone = np.repeat(REFERENCE, N_TIMESTEPS, axis=0)
            alone[:, channels] = window[:, channels]
            mine = embed(window[None])[0]
            left = np.linalg.norm(embed(alone[None])[0] - mine) / np.linalg.norm(place - mine)
            assert found[i, j] == pytest.approx(1 - left, abs=1e-5)


def test_stretches_are_set_to_the_reference_one_at_a_time() -> None:
    channels = np.array([1, 4])
    found = occlusion().by_stretch(channels, n_stretches=4)
    assert found.shape == (4,)
    for number in range(4):
        shares = []
        for window in WINDOWS:
            without = window.copy()
            for step in (2 * number, 2 * number + 1):
                without[step, channels] = REFERENCE[0, channels]
            shares.append(1 - away(without) / away(window))
        assert found[number] == pytest.approx(np.mean(shares), abs=1e-5)


def test_sets_are_chosen_one_after_the_other_while_they_take_it_farther() -> None:
    """Against trying each set with those chosen before it, and three quarters of `removed`."""
    sets = [np.array([channel]) for channel in range(N_CHANNELS)]
    one = occlusion()

    def score(chosen: list[int]) -> float:
        joined = [np.concatenate([sets[i] for i in chosen])]
        return float(0.75 * one.removed(joined).mean() + 0.25 * one.alone(joined).mean())

    expected: list[int] = []
    while len(expected) < 4:
        rest = [i for i in range(N_CHANNELS) if i not in expected]
        best = max(rest, key=lambda i: score([*expected, i]))
        if expected and score([*expected, best]) <= score(expected):
            break
        expected.append(best)
    assert one.choose(sets, n=4) == expected
    assert len(one.choose(sets, n=1)) == 1
    assert one.choose([], n=3) == []


def test_a_window_at_the_reference_divides_by_nothing() -> None:
    still = np.repeat(REFERENCE[None], N_TIMESTEPS, axis=1)
    found = Occlusion(embed, still, reference=REFERENCE, points=POINTS)
    assert np.isfinite(found.removed(SETS)).all()
    assert np.isfinite(found.alone(SETS)).all()
