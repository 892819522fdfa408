import numpy as np
import pytest

from traffic_siamese.bags import make_bags, unseen_by
from traffic_siamese.errors import TrainingError
from traffic_siamese.split import split_by_capture
from traffic_siamese.windows import WindowSet


def test_a_bag_never_trains_on_what_it_holds_out(windows: WindowSet) -> None:
    """What was made for a bag is trained on in that bag alone."""
    splits = [split_by_capture(windows, seed=seed) for seed in range(3)]
    made = [windows.select(np.arange(number + 1)) for number in range(3)]
    bags, warnings = make_bags(windows, splits, made)
    assert not warnings
    for bag, (_, held_out) in zip(bags, splits, strict=True):
        hidden = set(windows.capture[held_out])
        assert set(bag.unseen) == hidden
        assert not hidden & set(bag.train.capture)
    n_trained = [len(bag.train) for bag in bags]
    assert [len(bag.all) for bag in bags] == [n_trained[i] + i + 1 for i in range(3)]
    assert make_bags(windows, splits)[0][0].all.label.tolist() == bags[0].train.label.tolist()


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
