from collections.abc import Callable

import numpy as np
import pytest

from traffic_siamese.split import labelled, split_by_capture
from traffic_siamese.windows import WindowSet


@pytest.mark.parametrize("seed", range(5))
def test_whole_captures_are_held_out_and_every_label_stays(windows: WindowSet, seed: int) -> None:
    train, held_out = split_by_capture(windows, share=0.25, seed=seed)
    np.testing.assert_array_equal(np.sort(np.append(train, held_out)), np.arange(len(windows)))
    assert not set(windows.capture[train]) & set(windows.capture[held_out])
    assert set(windows.label[train]) == set(windows.label[held_out]) == set(windows.label)
    assert len(set(windows.capture[held_out])) == 4


def test_a_label_with_one_capture_stays_in_training(
    windows: WindowSet, make_windows: Callable[..., WindowSet]
) -> None:
    some = windows.select((windows.label != "flood") | (windows.capture == "A/flood-0.pcap"))
    train, held_out = split_by_capture(some, share=0.9)
    assert "flood" in some.label[train]
    assert "flood" not in some.label[held_out]
    assert set(some.label[train]) == set(some.label)
    alone = make_windows(n_captures=1)
    assert len(split_by_capture(alone, share=0.5)[1]) == 0


def test_captures_with_several_labels_keep_every_label_in_training(windows: WindowSet) -> None:
    """Normal and fault in one capture: neither may vanish from training."""
    label = windows.label.copy()
    label[windows.start_bin < 12] = "normal"
    mixed = WindowSet(
        windows.inputs,
        windows.n_timesteps,
        windows.series_index,
        windows.start_bin,
        windows.start_ns,
        label,
        windows.capture,
        windows.network,
    )
    for seed in range(5):
        train, held_out = split_by_capture(mixed, share=0.5, seed=seed)
        assert set(label[train]) == set(label)
        assert len(held_out)


def test_the_split_depends_on_its_seed_alone(windows: WindowSet) -> None:
    first, again = (split_by_capture(windows, seed=1)[1] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    others = [split_by_capture(windows, seed=seed)[1].tolist() for seed in range(2, 6)]
    assert any(other != first.tolist() for other in others)


def test_nothing_is_held_out_at_share_zero_and_no_share_is_whole(windows: WindowSet) -> None:
    assert len(split_by_capture(windows, share=0)[1]) == 0
    with pytest.raises(ValueError, match=r"share is 1\.0"):
        split_by_capture(windows, share=1.0)


def test_held_out_labels_that_are_missing_or_too_few_are_said(windows: WindowSet) -> None:
    two = windows.select(np.isin(windows.label, ["flood", "normal"]))
    _, kept, warnings = labelled(windows, two)
    assert kept is not None
    assert warnings == ["no capture is held out for: blocked, capacity"]
    _, kept, warnings = labelled(windows, windows.select(windows.label == "flood"))
    assert kept is None
    assert warnings == ["held-out windows show 1 label(s), 2 are needed: not used"]


def test_a_held_out_label_that_nobody_trains_on_is_left_out(windows: WindowSet) -> None:
    _, kept, _ = labelled(windows.select(windows.label != "flood"), windows)
    assert kept is not None
    assert "flood" not in kept.label
