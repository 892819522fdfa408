from collections import Counter

import numpy as np
import pytest

from tests.simulate.normal import normal_bins, normal_windows
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.scaling import Scaler
from traffic_siamese.simulate.pool import RawWindows, one_shot_distances, synthetic_windows
from traffic_siamese.windows import WindowSet

N_TIMESTEPS = 8


@pytest.fixture(scope="module")
def real() -> RawWindows:
    """Windows of two networks: normal on both, one fault on the first."""
    values = np.concatenate(
        [
            normal_windows(12, n_timesteps=N_TIMESTEPS, seed=1),
            normal_windows(6, n_timesteps=N_TIMESTEPS, seed=2, load=2.0),
            normal_windows(6, n_timesteps=N_TIMESTEPS, seed=3, load=4.0),
        ]
    )
    baselines = [learn_baseline(normal_bins(400, seed=4, load=load)) for load in (1.0, 2.0)]
    label = np.array(["normal"] * 18 + ["surge"] * 6)
    return RawWindows(values, np.repeat([0, 1, 0], [12, 6, 6]), baselines, label)


@pytest.fixture(scope="module")
def scaler(real: RawWindows) -> Scaler:
    """Learned from the windows."""
    centers = np.stack([real.baselines[i][0] for i in real.network_index])
    bins = real.values.reshape(-1, real.values.shape[-1])
    return Scaler.fit(bins, np.repeat(centers, N_TIMESTEPS, axis=0))


def make(real: RawWindows, scaler: Scaler, *, n_faults: int = 7, seed: int = 0) -> WindowSet:
    return synthetic_windows(real, scaler, n_faults=n_faults, n_cases=5, seed=seed)


def test_each_virtual_fault_is_a_label_beside_the_real_ones(
    real: RawWindows, scaler: Scaler
) -> None:
    """128 windows of every real label on other networks, and the cases of each fault."""
    windows = make(real, scaler)
    expected = {"normal": 128, "surge": 128} | {f"~{number}": 5 for number in range(7)}
    assert Counter(windows.label.tolist()) == expected
    X = windows.gather()
    assert X.shape == (128 * 2 + 35, N_TIMESTEPS, scaler.n_views * real.values.shape[-1])
    assert X.dtype == np.float32
    assert np.isfinite(X).all()
    assert np.abs(X).max() <= 8
    assert set(windows.network) == set(windows.capture) == {"synthetic"}


def test_labels_keep_what_they_are_on_other_networks(real: RawWindows, scaler: Scaler) -> None:
    """Relative to its moved baseline normal stays near 0, and a surge above it."""
    windows = make(real, scaler, n_faults=1)
    n_features = real.values.shape[-1]
    packets = windows.gather()[..., -n_features] * scaler.scale[-1, 0]
    per_label = {name: packets[windows.label == name].mean() for name in ("normal", "surge")}
    assert abs(per_label["normal"]) < 0.4
    assert per_label["surge"] == pytest.approx(np.log(4), abs=0.45)


def test_synthetic_windows_depend_on_the_seed_alone(real: RawWindows, scaler: Scaler) -> None:
    first, again, other = (make(real, scaler, seed=seed) for seed in (3, [3], [3, 1]))
    np.testing.assert_array_equal(first.gather(), again.gather())
    assert (first.gather() != other.gather()).any()


def test_without_normal_windows_there_are_no_virtual_faults(
    real: RawWindows, scaler: Scaler
) -> None:
    only = real.label == "surge"
    faulty = RawWindows(
        real.values[only],
        real.network_index[only],
        real.baselines,
        real.label[only],
    )
    assert set(make(faulty, scaler).label) == {"surge"}
    distances = one_shot_distances(faulty, scaler, lambda X: X[:, 0], seed=0)
    np.testing.assert_array_equal(distances, [0])


def test_rows_of_a_label_come_from_its_networks_evenly(real: RawWindows) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows = real.draw("normal", 10, rng)
        assert set(real.label[rows]) == {"normal"}
        assert Counter(real.network_index[rows].tolist()) == {0: 5, 1: 5}
        assert set(real.network_index[real.draw("surge", 4, rng)]) == {0}


def test_one_shot_distances_are_those_from_each_faults_first_case(
    real: RawWindows, scaler: Scaler
) -> None:
    """A slow loop over the embeddings that were asked for gives the same distances."""
    asked = []

    def embed(X: np.ndarray) -> np.ndarray:
        asked.append(X.mean(axis=1)[:, :6])
        return asked[0]

    distances = one_shot_distances(real, scaler, embed, seed=1, n_faults=9, n_cases=4)
    points = asked[0]
    assert points.shape == (36, 6)
    expected = [
        np.sqrt(((points[4 * fault + case] - points[4 * fault]) ** 2).sum())
        for fault in range(9)
        for case in (1, 2, 3)
    ]
    np.testing.assert_allclose(distances, expected, rtol=1e-5)
    assert distances.dtype == np.float32


def test_what_is_measured_on_was_not_trained_on(real: RawWindows, scaler: Scaler) -> None:
    """The same seed and as many faults and cases, and yet no window in common."""
    asked = []

    def embed(X: np.ndarray) -> np.ndarray:
        asked.append(X)
        return X[:, 0]

    one_shot_distances(real, scaler, embed, seed=5, n_faults=12, n_cases=5)
    windows = make(real, scaler, n_faults=12, seed=5)
    trained = {x.tobytes() for x in windows.gather()[windows.label > "~"]}
    assert len(trained) == 60
    assert trained.isdisjoint(x.tobytes() for x in asked[0])
