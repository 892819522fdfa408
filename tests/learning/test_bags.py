import numpy as np
import pytest

from traffic_siamese.bags import make_bags, unseen_by
from traffic_siamese.errors import TrainingError
from traffic_siamese.split import split_by_capture
from traffic_siamese.windows import WindowSet


def test_a_bag_never_trains_on_what_it_holds_out(windows: WindowSet) -> None:
    """Nor on what was made from it; every other synthetic window is there."""
    splits = [split_by_capture(windows, seed=seed) for seed in range(3)]
    bags, warnings = make_bags(windows, splits)
    assert not warnings
    for bag, (_, held_out) in zip(bags, splits, strict=True):
        hidden = set(windows.capture[held_out])
        assert set(bag.unseen) == hidden
        assert not hidden & set(bag.train.capture)
        n_made = sum(capture not in hidden for capture in windows.capture)
        together = bag.beside(windows)
        assert not hidden & set(together.capture)
        assert len(together) == len(bag.train) + n_made
        assert bag.beside(None) is bag.train


def test_unseen_by_names_each_bag_of_each_window(windows: WindowSet) -> None:
    splits = [split_by_capture(windows, seed=seed) for seed in (0, 1)]
    found = unseen_by(make_bags(windows, splits)[0], windows.capture)
    for row, capture in enumerate(windows.capture):
        for column, (_, held_out) in enumerate(splits):
            assert found[row, column] == (capture in windows.capture[held_out])


def test_without_held_out_captures_a_bag_has_no_judge(windows: WindowSet) -> None:
    rows = np.arange(len(windows))
    bags, warnings = make_bags(windows, [(rows, rows[:0])] * 2)
    assert [bag.held_out for bag in bags] == [None, None]
    assert len(warnings) == 1
    assert "no windows were held out" in warnings[0]
    assert not unseen_by(bags, windows.capture).any()


def test_one_label_is_not_enough_for_a_bag(windows: WindowSet) -> None:
    flood = np.flatnonzero(windows.label == "flood")
    with pytest.raises(TrainingError, match="only 'flood'"):
        make_bags(windows, [(flood, flood[:0])])
