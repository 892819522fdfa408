import numpy as np
import pytest

from traffic_siamese.errors import BundleError, ShapeError
from traffic_siamese.features.schema import FEATURES
from traffic_siamese.scaling import Scaler

N_FEATURES = len(FEATURES)


def bins(n_bins: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, 20, (n_bins, N_FEATURES)).astype(np.float32)


def baseline(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 2, (2, N_FEATURES)).astype(np.float32)


def slow_logs(values: np.ndarray) -> np.ndarray:
    """log(1 + value / floor), number by number."""
    return np.array(
        [
            [np.log(1 + float(v) / f.floor) for v, f in zip(row, FEATURES, strict=True)]
            for row in values
        ]
    )


def test_the_scaler_is_centre_and_spread_of_both_views() -> None:
    """Mean and deviation of the logarithm; 0 and the root mean square of what is relative."""
    values, centers = bins(), np.tile(baseline()[0], (300, 1))
    scaler = Scaler.fit(values, centers, views="both")
    logs = slow_logs(values)
    relative = logs - centers
    np.testing.assert_allclose(scaler.center[0], logs.mean(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(scaler.center[1], 0)
    spread = [np.maximum(logs.std(axis=0), 0.5), np.sqrt((relative**2).mean(axis=0))]
    np.testing.assert_allclose(scaler.scale[0], spread[0], rtol=1e-4)
    np.testing.assert_allclose(scaler.scale[1], np.maximum(spread[1], 0.5), rtol=1e-4)
    assert scaler.n_views == 2


def test_the_relative_view_alone_is_the_last_row_of_both() -> None:
    values, centers = bins(), np.tile(baseline()[0], (300, 1))
    both = Scaler.fit(values, centers, views="both")
    relative = Scaler.fit(values, centers)
    assert relative.n_views == 1
    np.testing.assert_array_equal(relative.center, both.center[1:])
    np.testing.assert_array_equal(relative.scale, both.scale[1:])
    X = relative.inputs(values, baseline())
    np.testing.assert_array_equal(X, both.inputs(values, baseline())[:, N_FEATURES:])


def test_a_feature_that_never_moved_does_not_shout() -> None:
    """Its scale is 0.5, not 0."""
    values = np.full((50, N_FEATURES), 3, np.float32)
    scaler = Scaler.fit(values, slow_logs(values).astype(np.float32), views="both")
    np.testing.assert_array_equal(scaler.scale, 0.5)


@pytest.mark.parametrize("shape", [(40,), (3, 8), (2, 3, 5)])
def test_inputs_are_logs_from_the_centre_in_scales(shape: tuple[int, ...]) -> None:
    """Absolute view first, then relative; at most 8 scales; any leading axes."""
    values = bins(int(np.prod(shape)), seed=3)
    scaler = Scaler.fit(bins(), np.tile(baseline()[0], (300, 1)), views="both")
    logs, network = slow_logs(values), baseline(2)
    views = [(logs - scaler.center[0]) / scaler.scale[0], (logs - network[0]) / scaler.scale[1]]
    expected = np.clip(np.concatenate(views, axis=-1), -8, 8)
    X = scaler.inputs(values.reshape(*shape, -1), network)
    assert X.shape == (*shape, 2 * N_FEATURES)
    assert X.dtype == np.float32
    np.testing.assert_allclose(X.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(scaler.inputs(values * 1e9, network)).max() == 8


def test_the_networks_own_normal_is_zero() -> None:
    values = bins(20)
    network = np.stack([slow_logs(values).mean(axis=0)] * 2).astype(np.float32)
    scaler = Scaler.fit(values, np.tile(network[0], (20, 1)))
    usual = np.array([np.expm1(c) * f.floor for c, f in zip(network[0], FEATURES, strict=True)])
    X = scaler.inputs(usual[None].astype(np.float32), network)
    np.testing.assert_allclose(X, 0, atol=1e-4)


@pytest.mark.parametrize("views", ["both", "relative"])
def test_the_statistics_come_back_from_the_bundle(views: str) -> None:
    scaler = Scaler.fit(bins(), np.tile(baseline()[0], (300, 1)), views=views)
    again = Scaler.from_arrays(scaler.arrays())
    np.testing.assert_array_equal(again.center, scaler.center)
    np.testing.assert_array_equal(again.scale, scaler.scale)


def test_impossible_statistics_are_refused() -> None:
    one = np.ones((1, 4), np.float32)
    with pytest.raises(BundleError, match="lacks 'scale', expected center and scale"):
        Scaler.from_arrays({"center": one})
    for center, scale in ((one, one[0]), (one[0], one[0]), (np.ones((3, 4)), np.ones((3, 4)))):
        with pytest.raises(BundleError, match=r"expected \(1 or 2, n_features\) twice"):
            Scaler.from_arrays({"center": center, "scale": scale})
    with pytest.raises(ValueError, match="views is 'absolute', expected one of both, relative"):
        Scaler.fit(bins(3), bins(3), views="absolute")


def test_a_log_of_other_features_is_refused() -> None:
    scaler = Scaler.fit(bins(), np.tile(baseline()[0], (300, 1)))
    with pytest.raises(
        ShapeError, match=f"has 3 features, the model was trained with {N_FEATURES}"
    ):
        scaler.inputs(np.ones((5, 3), np.float32), np.ones((2, 3), np.float32))
