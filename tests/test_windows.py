import numpy as np
import pytest

from traffic_siamese.windows import WindowSet, join_windows, stack_windows

COLUMNS = ("start_bin", "start_ns", "label", "capture", "network")


def make(seed: int = 0, n_windows: int = 30, lengths: tuple[int, ...] = (20, 9, 40)) -> WindowSet:
    """Make a set over series of random values; windows of 5 bins anywhere in them."""
    rng = np.random.default_rng(seed)
    inputs = tuple(rng.normal(size=(n, 3)).astype(np.float32) for n in lengths)
    index = rng.integers(0, len(lengths), n_windows)
    start = np.array([rng.integers(0, lengths[i] - 4) for i in index])
    names = [np.array([f"{word}{n}" for n in rng.integers(0, 4, n_windows)]) for word in "lcn"]
    return WindowSet(inputs, 5, index, start, start * 10**9, *names)


def slow_gather(windows: WindowSet) -> np.ndarray:
    """Cut one window after the other."""
    return np.array(
        [
            windows.inputs[i][start : start + windows.n_timesteps]
            for i, start in zip(windows.series_index, windows.start_bin, strict=True)
        ]
    )


def test_gather_cuts_the_windows_out() -> None:
    windows = make()
    assert len(windows) == 30
    np.testing.assert_array_equal(windows.gather(), slow_gather(windows))


def test_gather_gives_the_rows_asked_for_in_their_order() -> None:
    windows, rows = make(), np.array([7, 7, 0, 29, 3])
    np.testing.assert_array_equal(windows.gather(rows), slow_gather(windows)[rows])
    assert windows.gather(np.array([], np.int64)).shape == (0, 5, 3)


def test_gathered_windows_are_copies() -> None:
    windows = make()
    windows.gather()[:] = 0
    assert all((series != 0).all() for series in windows.inputs)


@pytest.mark.parametrize("kind", ["rows", "mask"])
def test_select_keeps_rows_together(kind: str) -> None:
    windows = make()
    rows = np.flatnonzero(windows.label == "l1")
    chosen = windows.select(rows if kind == "rows" else windows.label == "l1")
    assert 0 < len(chosen) < len(windows)
    np.testing.assert_array_equal(chosen.gather(), slow_gather(windows)[rows])
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(chosen, name), getattr(windows, name)[rows])
    assert chosen.inputs is windows.inputs


def test_joined_sets_are_one_after_the_other_over_shared_series() -> None:
    first, second = make(1), make(2, n_windows=4, lengths=(8, 7))
    joined = join_windows(first, second)
    assert len(joined) == 34
    np.testing.assert_array_equal(
        joined.gather(), np.concatenate([slow_gather(first), slow_gather(second)])
    )
    for name in COLUMNS:
        expected = [*getattr(first, name), *getattr(second, name)]
        np.testing.assert_array_equal(getattr(joined, name), expected)
    assert all(
        one is other for one, other in zip(joined.inputs, first.inputs + second.inputs, strict=True)
    )


def test_a_longer_label_of_the_second_set_is_not_cut_short() -> None:
    first, second = make(1), make(2)
    names = np.full(len(second), "a much longer label")
    longer = WindowSet(
        second.inputs, 5, second.series_index, second.start_bin, second.start_ns, *[names] * 3
    )
    assert join_windows(first, longer).label[-1] == "a much longer label"


def test_stacked_windows_come_back_as_they_were() -> None:
    X = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
    names = np.array(list("abcdef"))
    windows = stack_windows(X, label=names, capture=names, network=names)
    np.testing.assert_array_equal(windows.gather(), X)
    np.testing.assert_array_equal(windows.gather(np.array([4, 1])), X[[4, 1]])
    np.testing.assert_array_equal(join_windows(make(), windows).gather()[-6:], X)
    assert windows.label.tolist() == list("abcdef")
