"""Which points and epochs are shown, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.errors import TrainingError
from traffic_siamese.views.film_frames import (
    POSITION_BITS,
    check_positions,
    choose_epochs,
    choose_points,
    fair_shares,
    pack_positions,
)


def deal_one_by_one(available: list[int], total: int) -> list[int]:
    """Hand out one each in turn, the slow way."""
    shares = [0] * len(available)
    while total and shares != available:
        for index in range(len(available)):
            if total and shares[index] < available[index]:
                shares[index] += 1
                total -= 1
    return shares


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.integers(0, 80))
def test_shares_are_those_of_dealing_one_by_one(available: list[int], total: int) -> None:
    """Up to who gets the odd one: sizes agree when sorted, and none exceeds what there is."""
    shares = fair_shares(np.array(available), total=total)
    slow = deal_one_by_one(available, total)
    assert shares.sum() == sum(slow)
    assert (shares <= available).all()
    assert np.abs(shares - slow).max() <= 1


def test_points_are_balanced_and_prototypes_stay() -> None:
    """1,000 normal and 20 blocked to 100: all 20 blocked, both prototypes among them, 80 normal."""
    label = np.array(["normal"] * 1000 + ["blocked"] * 20)
    prototype = np.zeros(1020, bool)
    prototype[[7, 1003]] = True
    rows = choose_points(label, prototype, max_points=100)
    assert len(rows) == 100
    assert {7, 1003} <= set(rows.tolist())
    assert np.count_nonzero(label[rows] == "blocked") == 20
    assert (np.diff(rows) > 0).all()
    spread = rows[label[rows] == "normal"]
    assert spread.min() < 20
    assert spread.max() > 970


def test_few_points_are_all_kept() -> None:
    """Nothing is thinned below the limit."""
    assert choose_points(np.array(["a", "b"]), np.zeros(2, bool), max_points=2).tolist() == [0, 1]


@given(st.integers(0, 500), st.integers(2, 150))
def test_epochs_keep_first_and_last_and_never_repeat(n_epochs: int, max_frames: int) -> None:
    """At even steps: two gaps differ by at most one epoch."""
    epochs = choose_epochs(n_epochs, max_frames=max_frames)
    assert epochs[0] == 0
    assert epochs[-1] == n_epochs
    assert len(epochs) == min(n_epochs + 1, max_frames)
    gaps = np.diff(epochs)
    assert (gaps > 0).all()
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
def test_packed_positions_unpack_in_a_plain_loop(n_frames: int, n_points: int, seed: int) -> None:
    """The error stays below half a step."""
    positions = np.random.default_rng(seed).random((n_frames, n_points, 3), np.float32)
    data = pack_positions(positions)
    half = n_frames * 3 * n_points
    step = [0] * (3 * n_points)
    at = 0
    for frame in range(n_frames):
        for slot in range(3 * n_points):
            folded = data[at] + 256 * data[half + at]
            step[slot] += -(folded + 1) // 2 if folded % 2 else folded // 2
            axis, point = divmod(slot, n_points)
            shown = step[slot] / (2**POSITION_BITS - 1)
            assert abs(shown - positions[frame, point, axis]) <= 0.51 / (2**POSITION_BITS - 1)
            at += 1
    assert len(data) == 2 * at


def test_a_diverged_training_is_named_with_its_epoch() -> None:
    """The first epoch that holds no numbers."""
    embeddings = np.zeros((4, 2, 3), np.float32)
    embeddings[2:] = np.nan
    with pytest.raises(TrainingError, match=r"epoch 2 .* lower learning rate"):
        check_positions(embeddings)


def test_an_empty_history_is_refused() -> None:
    """There is nothing to draw."""
    with pytest.raises(TrainingError, match="at least one"):
        check_positions(np.zeros((4, 0, 3), np.float32))
