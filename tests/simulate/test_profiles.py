import numpy as np
import pytest

from traffic_siamese.simulate.profiles import PROFILES, draw_profile, log_uniform


def draw(kind: str, seed: int, n_windows: int = 40, n_timesteps: int = 64) -> np.ndarray:
    return draw_profile(np.random.default_rng(seed), kind, n_windows, n_timesteps)


@pytest.mark.parametrize("kind", PROFILES)
def test_a_profile_is_a_share_that_its_seed_repeats(kind: str) -> None:
    for seed in range(20):
        profile = draw(kind, seed)
        assert profile.shape == (40, 64)
        assert profile.min() >= 0
        assert profile.max() <= 1
        np.testing.assert_array_equal(profile, draw(kind, seed))


def test_a_steady_fault_is_always_there() -> None:
    assert (draw("steady", 0) == 1).all()


def test_a_fault_that_comes_and_goes_has_its_duty_in_every_window() -> None:
    """Duty is drawn in [0.3, 0.7] once; windows share it, and differ in phase."""
    for seed in range(30):
        profile = draw("on_off", seed, n_windows=100)
        assert set(np.unique(profile)) == {0.0, 1.0}
        assert 0.25 < profile.mean() < 0.75
        starts = profile[:, 0].mean()
        assert 0.1 < starts < 0.9


def test_a_ramp_is_a_straight_line_between_030_and_1() -> None:
    profile = draw("ramp", 3, n_windows=200)
    np.testing.assert_allclose(np.diff(profile, n=2, axis=1), 0, atol=1e-12)
    assert profile.min() >= 0.3
    slopes = profile[:, -1] - profile[:, 0]
    assert slopes.min() < -0.3 < 0.3 < slopes.max()


def test_bursts_are_rare_and_everywhere_alike() -> None:
    """One density in [0.1, 0.4] for all windows of the fault."""
    densities = []
    for seed in range(30):
        profile = draw("burst", seed, n_windows=200)
        density = profile.mean()
        densities.append(density)
        assert 0.08 < density < 0.42
        spread = profile.mean(axis=1).std()
        assert spread == pytest.approx(np.sqrt(density * (1 - density) / 64), rel=0.3)
    assert max(densities) - min(densities) > 0.1


def test_a_log_uniform_number_has_a_uniform_logarithm() -> None:
    rng = np.random.default_rng(0)
    place = np.log([log_uniform(rng, 0.5, 8) / 0.5 for _ in range(4000)]) / np.log(16)
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(place, quantile) == pytest.approx(quantile, abs=0.04)
    assert place.min() >= 0
    assert place.max() <= 1
