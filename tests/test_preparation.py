import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulate.normal import normal_bins
from traffic_siamese.baseline import estimate_baseline
from traffic_siamese.errors import WindowError
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.preparation import (
    all_windows,
    labelled_windows,
    prepare,
    window_starts,
)
from traffic_siamese.scaling import Scaler
from traffic_siamese.types import LabelledInterval, TrafficLog, TrafficSeries, WindowSpec

START_NS = 1_700_000_000_000_000_123
SPEC = WindowSpec(n_timesteps=8, stride=3)


def series(n_bins: int, *, start_ns: int = START_NS, bin_s: float = 1.0, seed: int = 0):
    return TrafficSeries(normal_bins(n_bins, seed=seed), start_ns, bin_s, FEATURE_NAMES)


def slow_starts(one: TrafficSeries, spec: WindowSpec, stride: int, interval) -> list[int]:
    """Go over all bins; keep each stride-th of those whose window lies inside."""
    step = round(one.bin_s * 1e9)
    found, since = [], 0
    for start in range(len(one.values)):
        inside = start + spec.n_timesteps <= len(one.values)
        if interval is not None:
            first = one.start_ns + start * step
            inside &= interval[0] <= first
            inside &= first + spec.n_timesteps * step <= interval[1]
        if inside:
            if since % stride == 0:
                found.append(start)
            since += 1
    return found


@given(
    n_bins=st.integers(1, 40),
    n_timesteps=st.integers(1, 12),
    stride=st.integers(1, 9),
    bin_s=st.sampled_from([0.1, 1.0, 2.5]),
    ends=st.none() | st.tuples(st.integers(-30, 130), st.integers(-30, 130)),
    off_ns=st.tuples(st.integers(-1, 1), st.integers(-1, 1)),
)
def test_windows_start_where_a_slow_loop_lets_them(
    n_bins: int, n_timesteps: int, stride: int, bin_s: float, ends, off_ns
) -> None:
    """Intervals before, over and after the series, on a bin's edge and a nanosecond beside it."""
    values = np.zeros((n_bins, 1), np.float32)
    one = TrafficSeries(values, START_NS, bin_s, ("packets",))
    spec = WindowSpec(n_timesteps=n_timesteps)
    interval = None
    if ends is not None:
        step = round(bin_s * 1e9) // 2
        interval = tuple(START_NS + end * step + off for end, off in zip(ends, off_ns, strict=True))
    starts = window_starts(one, spec, stride=stride, interval=interval)
    assert starts.dtype == np.int64
    assert starts.tolist() == slow_starts(one, spec, stride, interval)


@pytest.fixture(scope="module")
def log() -> TrafficLog:
    """40 bins, a gap of 20.5 s, 30 bins, a gap, and a stretch shorter than a window."""
    second = START_NS + 60_500_000_000
    parts = (
        series(40, seed=1),
        series(30, start_ns=second, seed=2),
        series(5, start_ns=second + 90_000_000_000, seed=3),
    )
    return TrafficLog("a.pcap", parts, 1000)


@pytest.fixture(scope="module")
def scaler() -> Scaler:
    values = normal_bins(100)
    return Scaler.fit(values, np.tile(estimate_baseline(values)[0], (100, 1)))


def test_windows_of_a_log_do_not_cross_its_gaps(log: TrafficLog, scaler: Scaler) -> None:
    """Every third bin of both long stretches; each window is a slice of its own stretch."""
    prepared = prepare(log, scaler, network="A")
    windows = all_windows(prepared, SPEC)
    assert windows.series_index.tolist() == [0] * 11 + [1] * 8
    assert windows.start_bin.tolist() == [*range(0, 33, 3), *range(0, 23, 3)]
    X = windows.gather()
    for i, start in enumerate(windows.start_bin.tolist()):
        part = log.series[int(windows.series_index[i])]
        raw = part.values[start : start + 8]
        np.testing.assert_array_equal(X[i], scaler.inputs(raw, prepared.baseline))
        assert windows.start_ns[i] == part.start_ns + start * 10**9
    assert set(windows.label) == {""}
    assert set(windows.capture) == {"a.pcap"}
    assert set(windows.network) == {"A"}


def test_labelled_windows_lie_wholly_inside_their_interval(log: TrafficLog, scaler: Scaler) -> None:
    """An interval over the gap gives windows on both sides of it, and none across."""
    second = 10**9
    intervals = [
        LabelledInterval("a.pcap", START_NS, START_NS + 20 * second, "normal", "A"),
        LabelledInterval("a.pcap", START_NS + 20 * second, START_NS + 75 * second, "blocked", "A"),
        LabelledInterval("missing.pcap", START_NS, START_NS + 90 * second, "other", "A"),
        LabelledInterval("a.pcap", START_NS + 80 * second, START_NS + 87 * second, "short", "A"),
    ]
    other = TrafficLog("b.pcap", (series(12, seed=5),), 10)
    intervals.append(LabelledInterval("b.pcap", START_NS - 5, START_NS + 99 * second, "b", "B"))
    prepared = [prepare(log, scaler, network="A"), prepare(other, scaler, network="B")]
    windows = labelled_windows(prepared, intervals, SPEC, stride=1)
    found = list(zip(windows.label, windows.series_index, windows.start_bin, strict=True))
    expected = [("normal", 0, start) for start in range(13)]
    expected += [("blocked", 0, start) for start in range(20, 33)]
    # The second stretch starts at 60.5 s: its bin 14 would end at 75.5 s, after the interval.
    expected += [("blocked", 1, start) for start in range(7)]
    expected += [("b", 3, start) for start in range(5)]
    assert found == expected
    for i in range(len(windows)):
        end_ns = windows.start_ns[i] + 8 * second
        assert any(
            one.start_ns <= windows.start_ns[i] and end_ns <= one.end_ns
            for one in intervals
            if (one.label, one.capture) == (windows.label[i], windows.capture[i])
        )
    raw = other.series[0].values[4:12]
    last = windows.gather()[-1]
    np.testing.assert_array_equal(last, scaler.inputs(raw, prepared[1].baseline))
    assert windows.network[-1] == "B"


def test_without_a_baseline_the_logs_own_is_estimated(log: TrafficLog, scaler: Scaler) -> None:
    everything = np.concatenate([part.values for part in log.series])
    np.testing.assert_array_equal(prepare(log, scaler).baseline, estimate_baseline(everything))
    given = np.ones((2, len(FEATURE_NAMES)), np.float32)
    prepared = prepare(log, scaler, baseline=given)
    np.testing.assert_array_equal(prepared.baseline, given)
    expected = scaler.inputs(log.series[1].values, given)
    np.testing.assert_array_equal(prepared.inputs[1], expected)


def test_a_log_shorter_than_a_window_is_refused(scaler: Scaler) -> None:
    short = TrafficLog("short.pcap", (series(3), series(7, start_ns=START_NS + 10**11)), 10)
    with pytest.raises(WindowError, match=r"short.pcap: its longest stretch has 7 bins of 1 s"):
        all_windows(prepare(short, scaler), SPEC)
