import itertools

import numpy as np
import pytest

from traffic_siamese.collapse import describe, is_collapsed, measure, sample_triplets, triplet_gaps

LABEL = np.array(["a", "a", "b", "b", "c"])


def points(n: int = 5) -> np.ndarray:
    return np.random.default_rng(0).random((n, 3), dtype=np.float32)


def test_distances_agree_with_a_loop_over_pairs() -> None:
    label = np.random.default_rng(1).choice(["a", "b", "c"], 600)  # more than one chunk
    e = points(600)
    same, other = [], []
    for i, j in itertools.combinations(range(len(e)), 2):
        (same if label[i] == label[j] else other).append(float(np.linalg.norm(e[i] - e[j])))
    found = measure(e, label, triplets=sample_triplets(label, n_triplets=9, seed=0), margin=0.4)
    assert found.within == pytest.approx(np.mean(same), rel=1e-5)
    assert found.between == pytest.approx(np.mean(other), rel=1e-5)
    assert found.separation == pytest.approx(np.mean(other) / np.mean(same), rel=1e-5)


def test_active_triplets_are_those_inside_the_margin() -> None:
    """Squared distances 0.01 and 0.25: the gap of 0.24 violates 0.4 and satisfies 0.2."""
    e = np.array([[0, 0, 0], [0.1, 0, 0], [0.5, 0, 0]], np.float32)
    triplets, label = np.array([[0, 1, 2]]), np.array(["a", "a", "b"])
    assert triplet_gaps(e, triplets)[0] == pytest.approx(0.24)
    assert measure(e, label, triplets=triplets, margin=0.4).active_triplets == 1
    assert measure(e, label, triplets=triplets, margin=0.2).active_triplets == 0


def test_sampled_triplets_are_valid_and_repeatable() -> None:
    triplets = sample_triplets(LABEL, n_triplets=200, seed=3)
    for anchor, positive, negative in triplets:
        assert anchor != positive
        assert LABEL[anchor] == LABEL[positive] != LABEL[negative]
    assert "c" in LABEL[triplets[:, 2]]
    np.testing.assert_array_equal(triplets, sample_triplets(LABEL, n_triplets=200, seed=3))


@pytest.mark.parametrize("label", [["a", "a"], ["a", "b"], []])
def test_without_triplets_there_are_no_rows_and_no_warnings(label: list[str]) -> None:
    assert sample_triplets(np.array(label, "U1"), n_triplets=5, seed=0).shape == (0, 3)


def test_collapse_is_said_in_words() -> None:
    triplets = sample_triplets(LABEL, n_triplets=20, seed=0)
    found = measure(0.5 + points() * 0.001, LABEL, triplets=triplets, margin=0.4)
    assert is_collapsed(found)
    assert "of one point: collapsed; lower the margin" in describe(found)


def test_one_single_point_has_separation_one() -> None:
    triplets = sample_triplets(LABEL, n_triplets=20, seed=0)
    found = measure(np.full((5, 3), 0.5, np.float32), LABEL, triplets=triplets, margin=0.4)
    assert (found.separation, found.spread, found.active_triplets) == (1, 0, 1)


def test_separated_mixed_and_incomparable_have_their_own_words() -> None:
    corners = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]]
    triplets = sample_triplets(LABEL, n_triplets=20, seed=0)
    apart = measure(corners, LABEL, triplets=triplets, margin=0.4)
    mixed = measure(corners[[0, 2, 0, 2, 4]], LABEL, triplets=triplets, margin=0.4)
    alone = measure(corners[:2] + points(2), LABEL[:2], triplets=triplets[:0], margin=0.4)
    assert describe(apart).endswith("0% of the triplets violate the margin: separated")
    assert "not separated" in describe(mixed)
    assert "cannot be compared" in describe(alone)
