import dataclasses

import numpy as np
import pytest

from traffic_siamese.augment import AugmentOptions
from traffic_siamese.errors import TrainingError
from traffic_siamese.generators import BalancedBatches, PairBatches, TripletBatches
from traffic_siamese.windows import WindowSet, join_windows

KINDS = {
    "balanced": lambda w, **how: BalancedBatches(w, n_labels=3, n_per_label=4, n_batches=3, **how),
    "triplets": lambda w, **how: TripletBatches(w, batch_size=10, n_batches=3, **how),
    "pairs": lambda w, **how: PairBatches(w, batch_size=10, n_batches=3, **how),
}


def test_a_balanced_batch_holds_every_label_equally_often(windows: WindowSet) -> None:
    batches = KINDS["balanced"](windows, seed=0)
    X, y = batches[0]
    assert X.shape == (12, windows.n_timesteps, 12)
    assert X.dtype == np.float32
    assert (np.unique(y, return_counts=True)[1] == 4).all()
    assert len(np.unique(y)) == 3


def test_y_numbers_the_labels_and_x_is_the_rows_windows(windows: WindowSet) -> None:
    batches = KINDS["balanced"](windows, seed=0)
    rows, y = batches.draw(np.random.default_rng([0, 0, 1]))
    assert_numbered(windows.label[rows], y)
    np.testing.assert_array_equal(batches[1][0], windows.gather(rows))


def assert_numbered(label: np.ndarray, y: np.ndarray) -> bool:
    """Each label has one number and no other has it: 0 normal, positive a real fault.

    Virtual faults have positive numbers in some batches, negative in the others; return whether
    they are negative.
    """
    pairs = set(zip(label.tolist(), y.tolist(), strict=True))
    assert len(pairs) == len({name for name, _ in pairs}) == len({n for _, n in pairs})
    real = {name: number for name, number in pairs if name[0] != "~"}
    assert all(number == 0 if name == "normal" else number > 0 for name, number in real.items())
    signs = {number > 0 for name, number in pairs if name[0] == "~"}
    assert len(signs) <= 1
    return signs == {False}


def test_a_labels_windows_come_from_all_networks_and_captures(windows: WindowSet) -> None:
    """Four windows of a label with four captures on two networks: one of each capture."""
    batches = KINDS["balanced"](windows, seed=0)
    for index in range(20):
        rows, y = batches.draw(np.random.default_rng(index))
        for number in np.unique(y):
            mine = rows[y == number]
            assert len(np.unique(windows.capture[mine])) == 4
            assert (np.unique(windows.network[mine], return_counts=True)[1] == 2).all()


def test_no_window_comes_twice_while_there_are_others(windows: WindowSet) -> None:
    few = windows.select(np.flatnonzero(windows.capture == "A/flood-0.pcap")[:4])
    both = np.concatenate([np.flatnonzero(windows.capture == "A/flood-0.pcap")[:4], [0, 1, 2, 3]])
    batches = KINDS["balanced"](windows.select(both), seed=0)
    assert len(few) == 4
    assert len(np.unique(batches.draw(np.random.default_rng(0))[0])) == 8


def test_explicit_triplets_are_anchor_positive_negative(windows: WindowSet) -> None:
    batches = KINDS["triplets"](windows, seed=0)
    X, y = batches[0]
    rows, _ = batches.draw(np.random.default_rng([0, 0, 0]))
    label = windows.label[rows]
    assert X.shape == (10, 3, windows.n_timesteps, 12)
    assert y.shape == (10,)
    assert (label[:, 0] == label[:, 1]).all()
    assert (label[:, 0] != label[:, 2]).all()
    assert (windows.network[rows[:, 0]] != windows.network[rows[:, 1]]).all()
    np.testing.assert_array_equal(X[:, 2], windows.gather(rows[:, 2]))


def test_every_second_pair_is_of_one_label(windows: WindowSet) -> None:
    batches = KINDS["pairs"](windows, seed=0)
    rows, y = batches.draw(np.random.default_rng([0, 0, 0]))
    assert batches[0][0].shape == (10, 2, windows.n_timesteps, 12)
    assert y.mean() == 0.5
    label = windows.label[rows]
    np.testing.assert_array_equal(label[:, 0] == label[:, 1], y[:, 0] == 1)


def with_virtual_faults(windows: WindowSet, n_faults: int = 5) -> WindowSet:
    """Relabel a few windows of each capture as cases of virtual faults."""
    label = windows.label.astype("<U12")
    for number in range(n_faults):
        label[number::20] = f"~{number}"
    return dataclasses.replace(windows, label=label)


@pytest.mark.parametrize(("n_labels", "n_virtual"), [(2, 0), (3, 2), (4, 5), (9, 99)])
def test_normal_is_in_every_batch_beside_faults_and_virtual_faults(
    windows: WindowSet, n_labels: int, n_virtual: int
) -> None:
    """As many labels and as many virtual faults as asked for, or as there are.

    Virtual faults are set against the labels in half of the batches.
    """
    mixed = with_virtual_faults(windows)
    batches = BalancedBatches(
        mixed, n_labels=n_labels, n_per_label=3, n_virtual=n_virtual, n_batches=1, seed=0
    )
    seen, n_apart = set(), 0
    for seed in range(40):
        rows, y = batches.draw(np.random.default_rng(seed))
        n_apart += assert_numbered(mixed.label[rows], y)
        labels, counts = np.unique(mixed.label[rows], return_counts=True)
        assert (counts == 3).all()
        assert "normal" in labels
        is_virtual = np.char.startswith(labels, "~")
        assert is_virtual.sum() == min(n_virtual, 5)
        assert (~is_virtual).sum() == min(n_labels, 4)
        seen |= set(labels)
    assert seen >= {"normal", "blocked", "capacity", "flood"}
    assert len(seen) == (9 if n_virtual else 4)
    assert 10 <= n_apart <= 30 if n_virtual else n_apart == 0


def test_without_normal_windows_labels_are_drawn_all_the_same(windows: WindowSet) -> None:
    faults = windows.select(windows.label != "normal")
    batches = BalancedBatches(faults, n_labels=2, n_per_label=2, n_batches=1, seed=0)
    for seed in range(10):
        _, y = batches.draw(np.random.default_rng(seed))
        assert len(np.unique(y)) == 2


def joined(windows: WindowSet) -> WindowSet:
    """Let C show blocked alone, and let copies of A's windows be synthetic ones."""
    network = windows.network.astype("<U9")
    network[windows.capture == "B/blocked-1.pcap"] = "C"
    moved = windows.select(windows.network == "A")
    everywhere = np.full(len(moved), "synthetic")
    return join_windows(
        dataclasses.replace(windows, network=network),
        dataclasses.replace(moved, network=everywhere, capture=everywhere),
    )


def test_a_share_of_the_batches_is_of_one_network(windows: WindowSet) -> None:
    """A or B, never that of synthetic windows, nor C, which has a single label."""
    mixed = joined(with_virtual_faults(windows))
    assert {"A", "B", "C", "synthetic"} == set(mixed.network)
    batches = BalancedBatches(
        mixed,
        n_labels=4,
        n_per_label=6,
        n_virtual=2,
        n_batches=1,
        seed=0,
        same_network_share=0.3,
    )
    of_one = []
    for seed in range(200):
        rows, _ = batches.draw(np.random.default_rng(seed))
        real = rows[~np.char.startswith(mixed.label[rows], "~")]
        networks = set(mixed.network[real])
        assert len(networks) == 1 or networks >= {"A", "B", "synthetic"}
        of_one.extend(networks if len(networks) == 1 else ())
    assert 35 <= len(of_one) <= 85
    assert set(of_one) == {"A", "B"}
    assert 0.3 <= of_one.count("A") / len(of_one) <= 0.7


def test_a_label_that_a_network_never_showed_comes_from_the_others(windows: WindowSet) -> None:
    """Flood is seen on B alone: it is there in the batches of A too, the other labels are A's."""
    some = windows.select(~((windows.label == "flood") & (windows.network == "A")))
    batches = BalancedBatches(
        some, n_labels=4, n_per_label=6, n_batches=1, seed=0, same_network_share=1.0
    )
    seen = set()
    for seed in range(20):
        rows, _ = batches.draw(np.random.default_rng(seed))
        is_flood = some.label[rows] == "flood"
        assert is_flood.sum() == 6
        assert set(some.network[rows[is_flood]]) == {"B"}
        (network,) = set(some.network[rows[~is_flood]])
        seen.add(str(network))
    assert seen == {"A", "B"}


def test_batches_are_the_same_as_ever_without_a_share_of_one_network(windows: WindowSet) -> None:
    """A share of nothing takes no chance away from what else is drawn."""
    first, again = (
        BalancedBatches(windows, n_labels=3, n_per_label=4, n_batches=1, seed=0, **how)
        for how in ({}, {"same_network_share": 0.0})
    )
    for seed in range(5):
        drawn = [one.draw(np.random.default_rng(seed))[0] for one in (first, again)]
        np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_depend_on_seed_epoch_and_number_only(windows: WindowSet, kind: str) -> None:
    """In any order, from a fresh object, or from one that starts at a later epoch."""
    options = AugmentOptions(severity=0.4, load=0.5, shift_bins=2, noise=0.1)
    first = KINDS[kind](windows, seed=1, augment=options)
    forward = [first[i][0] for i in range(len(first))]
    again = KINDS[kind](windows, seed=1, augment=options)
    for index in reversed(range(3)):
        np.testing.assert_array_equal(again[index][0], forward[index])
    again.on_epoch_end()
    later = KINDS[kind](windows, seed=1, augment=options, epoch=1)
    np.testing.assert_array_equal(again[2][0], later[2][0])
    assert (later[2][0] != forward[2]).any()
    assert (KINDS[kind](windows, seed=2, augment=options)[0][0] != forward[0]).any()


def test_severity_leaves_normal_windows_and_unknown_networks(windows: WindowSet) -> None:
    """A faulty window moves only where its own network has normal windows."""
    keep = ~((windows.label == "normal") & (windows.network == "B"))
    some = windows.select(keep)
    plain = BalancedBatches(some, n_labels=4, n_per_label=6, n_batches=1, seed=0)
    options = AugmentOptions(severity=0.5)
    varied = BalancedBatches(some, n_labels=4, n_per_label=6, n_batches=1, seed=0, augment=options)
    rows, _ = plain.draw(np.random.default_rng([0, 0, 0]))
    moved = np.abs(varied[0][0] - plain[0][0]).max(axis=(1, 2)) > 1e-4
    expected = (some.label[rows] != "normal") & (some.network[rows] == "A")
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_one_label_is_not_enough(windows: WindowSet, kind: str) -> None:
    with pytest.raises(TrainingError, match=r"show 1 label\(s\), expected at least 2"):
        KINDS[kind](windows.select(windows.label == "flood"), seed=0)
