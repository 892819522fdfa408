import numpy as np
import pytest

from traffic_siamese.augment import AugmentOptions, augment
from traffic_siamese.errors import ShapeError


def cube(n: int = 6, n_timesteps: int = 8, n_channels: int = 4) -> np.ndarray:
    shape = (n, n_timesteps, n_channels)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def vary(
    X: np.ndarray, normal: np.ndarray | None = None, seed: int = 0, **how: float
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return augment(X, options=AugmentOptions(**how), rng=rng, normal=normal)


def test_all_strengths_at_zero_change_nothing() -> None:
    X = cube()
    np.testing.assert_array_equal(vary(X, normal=cube()[::-1]), X)


@pytest.mark.parametrize(
    "how",
    [
        {"load": 1},
        {"noise": 1},
        {"shift_bins": 3},
        {"severity": 0.4},
        {"mix": 1},
        {"drift": 1},
        {"drift": 1, "n_views": 1},
    ],
)
def test_the_input_is_not_touched_and_chance_is_repeatable(how: dict[str, float]) -> None:
    X, normal = cube(), cube()[::-1]
    before = X.copy()
    first, again = vary(X, normal, **how), vary(X, normal, **how)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
    assert (vary(X, normal, seed=1, **how) != first).any()


def test_load_adds_one_constant_to_the_absolute_view_only() -> None:
    X = cube()
    change = vary(X, load=0.5) - X
    assert (change[:, :, 2:] == 0).all()
    np.testing.assert_allclose(change[:, :, :2], change[:, :1, :1] + np.zeros((1, 8, 2)), atol=1e-6)
    assert np.abs(change).max() <= 0.5 + 1e-6
    assert len(np.unique(change[:, 0, 0].round(4))) == len(X)


@pytest.mark.parametrize(
    ("how", "moved", "still"),
    [
        ({"mix": 0.4}, slice(0, 3), slice(3, 6)),
        ({"drift": 0.4}, slice(3, 6), slice(0, 3)),
        ({"drift": 0.4, "n_views": 1}, slice(0, 6), slice(0, 0)),
    ],
)
def test_mix_and_drift_add_a_constant_to_each_feature_of_one_view(
    how: dict[str, float], moved: slice, still: slice
) -> None:
    """Constant over time, another for each window and feature, of the stated deviation."""
    X = cube(800, n_channels=6)
    change = vary(X, **how) - X
    assert (change[..., still] == 0).all()
    constant = change[:, :1, moved]
    np.testing.assert_allclose(change[..., moved], constant + np.zeros((1, 8, 1)), atol=1e-6)
    assert constant.std() == pytest.approx(0.4, rel=0.05)
    assert abs(constant.mean()) < 0.04
    together = np.corrcoef(constant[:, 0].T)
    assert np.abs(together - np.eye(len(together))).max() < 0.2


@pytest.mark.parametrize("how", [{"load": 2}, {"mix": 2}])
def test_one_view_has_no_absolute_view_to_change(how: dict[str, float]) -> None:
    X = cube(n_channels=3)
    np.testing.assert_array_equal(vary(X, n_views=1, **how), X)


def test_severity_moves_along_the_line_from_normal() -> None:
    """(X' - normal) / (X - normal) is one factor a window, in [0.6, 1.4]."""
    X, normal = cube(200), cube(200)[::-1] + 5
    factor = (vary(X, normal, severity=0.4) - normal) / (X - normal)
    np.testing.assert_allclose(factor, factor[:, :1, :1] + np.zeros((1, 8, 4)), rtol=1e-3)
    assert factor.min() > 0.59
    assert factor.max() < 1.41
    assert factor.max() - factor.min() > 0.7


def test_severity_leaves_a_window_that_is_its_own_normal() -> None:
    np.testing.assert_allclose(vary(cube(), cube(), severity=1), cube())


def test_a_shift_repeats_the_edge() -> None:
    X = cube(50)
    shifted = vary(X, shift_bins=2)
    seen = set()
    for before, after in zip(X, shifted, strict=True):
        padded = np.pad(before, ((2, 2), (0, 0)), mode="edge")
        matches = [k - 2 for k in range(5) if (padded[k : k + 8] == after).all()]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == {-2, -1, 0, 1, 2}


def test_noise_has_the_stated_deviation() -> None:
    X = cube(500)
    assert (vary(X, noise=0.3) - X).std() == pytest.approx(0.3, rel=0.02)


def test_windows_without_two_views_are_refused() -> None:
    with pytest.raises(ShapeError, match="3 channels, expected an even number"):
        vary(cube(n_channels=3), noise=1)


@pytest.mark.parametrize(
    "how",
    [
        {"noise": -1},
        {"load": -1},
        {"shift_bins": -1},
        {"severity": 2},
        {"mix": -0.1},
        {"drift": -1},
        {"n_views": 3},
    ],
)
def test_impossible_strengths_are_refused(how: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        AugmentOptions(**how)
