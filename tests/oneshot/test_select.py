"""What a choice of prototypes must have, whatever the windows."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.oneshot.select import select_prototypes


@given(
    n=st.integers(0, 60),
    n_per_label=st.integers(1, 8),
    n_groups=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    equal=st.booleans(),
)
def test_every_label_gives_its_number_spread_over_its_groups(n, n_per_label, n_groups, seed, equal):
    """Also when all windows are one point."""
    rng = np.random.default_rng(seed)
    embeddings = (np.ones if equal else rng.random)((n, 3)).astype(np.float32)
    labels = rng.choice(["", "a", "b", "c"], n)
    groups = rng.choice([f"g{k}" for k in range(n_groups)], n)
    rows = select_prototypes(embeddings, labels, groups=groups, n_per_label=n_per_label, seed=seed)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert "" not in labels[rows]
    for label in "abc":
        mine = rows[labels[rows] == label]
        assert len(mine) == min(n_per_label, np.sum(labels == label))
        taken = {g: np.sum(groups[mine] == g) for g in set(groups)}
        there = {g: np.sum((groups == g) & (labels == label)) for g in set(groups)}
        for one, other in itertools.permutations(set(groups), 2):
            assert taken[one] >= taken[other] - 1 or taken[one] == there[one]


def test_finds_the_modes_of_a_label():
    """Three well separated clouds, three prototypes: one in the middle of each."""
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [1, 0], [0, 1]])
    embeddings = np.concatenate([rng.normal(c, 0.05, (100, 2)) for c in centres])
    rows = select_prototypes(
        embeddings.astype(np.float32),
        np.full(300, "a"),
        groups=np.full(300, "g"),
        n_per_label=3,
    )
    assert sorted(rows // 100) == [0, 1, 2]
    gaps = np.linalg.norm(embeddings[rows] - centres, axis=1)
    assert gaps.max() < 0.03


def test_one_prototype_is_near_the_middle():
    """No window would stand for the others with a smaller mean squared distance."""
    points = np.random.default_rng(1).random((40, 3))
    (row,) = select_prototypes(
        points.astype(np.float32), np.full(40, "a"), groups=np.full(40, "g"), n_per_label=1
    )
    costs = [np.mean(np.sum((points - p) ** 2, axis=1)) for p in points]
    assert costs[row] == pytest.approx(min(costs))


def test_covers_better_than_chance():
    rng = np.random.default_rng(2)
    points = rng.random((400, 3)).astype(np.float32)
    labels = np.full(400, "a")

    def cost(rows):
        return np.mean(np.min(np.linalg.norm(points[:, None] - points[rows], axis=2), axis=1))

    ours = cost(select_prototypes(points, labels, groups=labels, n_per_label=6))
    chance = [cost(rng.choice(400, 6, replace=False)) for _ in range(50)]
    assert ours < np.quantile(chance, 0.1)


def test_the_seed_settles_the_choice():
    rng = np.random.default_rng(3)
    points, labels = rng.random((50, 3)).astype(np.float32), np.full(50, "a")
    groups = rng.choice(["x", "y", "z"], 50)
    first, second = (
        select_prototypes(points, labels, groups=groups, n_per_label=4, seed=7) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_wants_at_least_one_per_label():
    with pytest.raises(ValueError, match="n_per_label is 0"):
        select_prototypes(
            np.zeros((1, 3), np.float32), np.array(["a"]), groups=np.array(["g"]), n_per_label=0
        )
