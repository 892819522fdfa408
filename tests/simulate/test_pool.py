from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest

from tests.simulate.normal import PLACE, column, normal_bins, normal_windows
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.scaling import Scaler
from traffic_siamese.simulate.permuted import FAILURES
from traffic_siamese.simulate.pool import RawWindows, one_shot_distances, synthetic_windows
from traffic_siamese.windows import WindowSet

N_TIMESTEPS = 8
SHOWN = {f"answer_{name}" for name in FAILURES}


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


@pytest.fixture(scope="module")
def refused() -> RawWindows:
    """Windows of two networks: normal on both, and on both twelve 503 a second."""
    values = [normal_windows(12, n_timesteps=N_TIMESTEPS, seed=seed, load=2.0) for seed in (5, 6)]
    for one in values:
        fault = column(one[6:], 1, "answer_overload")
        fault[:] = np.random.default_rng(1).poisson(12.0, fault.shape)
    baselines = [learn_baseline(normal_bins(400, seed=seed, load=2.0)) for seed in (7, 8)]
    label = np.array((["normal"] * 6 + ["refused"] * 6) * 2)
    return RawWindows(np.concatenate(values), np.repeat([0, 1], 12), baselines, label)


def risen(X: np.ndarray, scaler: Scaler) -> set[str]:
    """Return the failures that windows show more of than normal, by name and direction."""
    columns = {name: place for name, place in PLACE.items() if name.split("service_")[-1] in SHOWN}
    means = X[..., -len(PLACE) :].mean(axis=(0, 1)) * scaler.scale[-1]
    return {name for name, place in columns.items() if means[place] > 1.0}


@pytest.mark.parametrize(("share", "n"), [(0.0, 0), (0.5, 5), (1.0, 10)])
def test_each_permuted_fault_is_one_real_fault_in_other_slots(
    refused: RawWindows, scaler: Scaler, share: float, n: int
) -> None:
    """All cases of a label show the 503s in one other slot, and no two labels in the same."""
    windows = synthetic_windows(
        refused, scaler, n_faults=10, n_cases=6, seed=2, permuted_share=share
    )
    X = windows.gather()
    assert Counter(windows.label.tolist()) == {"normal": 128, "refused": 128} | {
        f"~{number}": 6 for number in range(10)
    }
    slots = []
    for number in range(n):
        cases = X[windows.label == f"~{number}"]
        shown = [risen(case[None], scaler) for case in cases]
        assert len(shown[0]) == 1, shown
        assert all(one == shown[0] for one in shown), shown
        slots.extend(shown[0])
    assert len(set(slots)) == n
    assert "from_service_answer_overload" not in slots
    again = synthetic_windows(refused, scaler, n_faults=10, n_cases=6, seed=2, permuted_share=share)
    np.testing.assert_array_equal(again.gather(), X)


def test_no_more_permuted_faults_than_differ(refused: RawWindows, scaler: Scaler) -> None:
    """Eleven failures and two directions give 21 others; the other nine are of the usual kind."""
    drawn = []

    def permute(values: np.ndarray, baseline: np.ndarray, permutation: object, *_: object, **__):
        drawn.append(permutation)
        return values, baseline

    with patch("traffic_siamese.simulate.pool.permute_slots", permute):
        windows = synthetic_windows(
            refused, scaler, n_faults=30, n_cases=2, seed=0, permuted_share=1.0
        )
    assert len(drawn) == 2 * 21
    assert drawn[::2] == drawn[1::2]
    assert len(set(drawn)) == 21
    assert len({label for label in windows.label if label.startswith("~")}) == 30


def test_a_table_has_no_slots() -> None:
    """As many virtual faults, the very ones of a run that asks for none permuted."""
    schema = FeatureSchema(
        (Feature("attaches", "", "", kind="delta"), Feature("rejects", "", "", kind="delta")),
        is_table=True,
    )
    values = np.random.default_rng(0).poisson(9.0, (12, N_TIMESTEPS, 2)).astype(np.float32)
    values[6:, :, 1] += 40
    baseline = learn_baseline(values[:6].reshape(-1, 2), schema)
    label = np.array(["normal"] * 6 + ["rejecting"] * 6)
    real = RawWindows(values, np.zeros(12, np.int64), [baseline], label)
    center = np.repeat(baseline[:1], 12 * N_TIMESTEPS, axis=0)
    scaler = Scaler.fit(values.reshape(-1, 2), center, schema=schema)
    none, all_of_them = (
        synthetic_windows(real, scaler, n_faults=4, n_cases=3, seed=0, permuted_share=share)
        for share in (0.0, 1.0)
    )
    np.testing.assert_array_equal(none.gather(), all_of_them.gather())
    np.testing.assert_array_equal(none.label, all_of_them.label)


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
