import numpy as np
import pytest

from traffic_siamese.oneshot.calibrate import calibrate, calibrate_distances
from traffic_siamese.oneshot.out_of_bag import out_of_bag_distances


def test_only_networks_that_did_not_see_a_point_judge_it() -> None:
    """A slow loop over points, prototypes and networks."""
    rng = np.random.default_rng(0)
    points, prototypes = rng.random((9, 8), np.float32), rng.random((5, 8), np.float32)
    unseen = rng.random((9, 4)) < 0.4
    unseen[0], unseen[1] = False, True
    found = out_of_bag_distances(points, prototypes, unseen)
    for row, point in enumerate(points):
        judges = [n for n in range(4) if unseen[row, n]] or list(range(4))
        for column, prototype in enumerate(prototypes):
            squares = [
                sum((point[axis] - prototype[axis]) ** 2 for axis in (2 * n, 2 * n + 1))
                for n in judges
            ]
            expected = (4 * np.mean(squares)) ** 0.5
            assert found[row, column] == pytest.approx(expected, rel=1e-6)


def test_one_bag_for_all_networks_is_the_distance() -> None:
    rng = np.random.default_rng(1)
    points, prototypes = rng.random((6, 8), np.float32), rng.random((3, 8), np.float32)
    plain = np.linalg.norm(points[:, None] - prototypes[None], axis=-1)
    for unseen in (np.zeros((6, 1), bool), np.ones((6, 1), bool)):
        found = out_of_bag_distances(points, prototypes, unseen)
        np.testing.assert_allclose(found, plain, rtol=1e-6)


def test_calibrating_on_distances_is_calibrating_on_points() -> None:
    rng = np.random.default_rng(2)
    names = np.repeat(["a", "b"], 4)
    labels = np.repeat(["a", "b"], 50)
    prototypes = rng.normal(size=(8, 3)) + 5 * (names == "b")[:, None]
    points = rng.normal(size=(100, 3)) + 5 * (labels == "b")[:, None]
    distances = np.linalg.norm(points[:, None] - prototypes[None], axis=-1)
    by_points = calibrate(points, labels, prototypes, names)
    by_distances = calibrate_distances(distances, labels, names)
    assert by_distances.radii == pytest.approx(by_points.radii)
    assert by_distances.pooled_radius == pytest.approx(by_points.pooled_radius)
    assert by_distances.temperature == pytest.approx(by_points.temperature)


def test_pairs_that_are_not_compared_count_for_nothing() -> None:
    """Each point is told apart from one prototype: as if that were not there."""
    rng = np.random.default_rng(3)
    labels = np.repeat(["a", "b"], 40)
    names = np.array(["a", "a", "b", "b"])
    distances = rng.random((80, 4))
    hidden = distances.copy()
    hidden[:, [1, 3]] = np.inf
    found = calibrate_distances(hidden, labels, names)
    expected = calibrate_distances(distances[:, [0, 2]], labels, names[[0, 2]])
    assert found == expected
