"""A network that moved away from its baseline, and all that only looks like it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.simulate.normal import PLACE, normal_bins
from tests.test_baseline import FAULTS, faulty_log
from traffic_siamese.baseline import LEAST_SPREAD, learn_baseline, log_view
from traffic_siamese.drift import LIMIT, find_drift
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series
from traffic_siamese.types import TrafficLog, TrafficSeries

DATA = Path(__file__).parent.parent / "data"
START_NS = 1_700_000_000_000_000_000
BASELINE = learn_baseline(normal_bins(900, seed=7))
DELAYS = [i for name, i in PLACE.items() if "delay" in name]


def log_of(values: np.ndarray, *, gap_after: int | None = None) -> TrafficLog:
    """Make a log of one stretch, or of two with a hundred seconds between."""
    parts = [values] if gap_after is None else [values[:gap_after], values[gap_after:]]
    starts = [0, 0 if gap_after is None else gap_after + 100]
    series = tuple(
        TrafficSeries(part, START_NS + start * 10**9, 1.0, FEATURE_NAMES)
        for part, start in zip(parts, starts, strict=False)
    )
    return TrafficLog("log", series, 1)


@pytest.mark.parametrize("load", [0.4, 0.6, 1.0, 1.7, 2.7])
@pytest.mark.parametrize("n_bins", [60, 300])
def test_a_network_that_stays_has_not_moved_whatever_the_load(load: float, n_bins: int) -> None:
    for seed in range(3):
        values = normal_bins(n_bins, seed=seed, load=load)
        assert find_drift(log_of(values), BASELINE) is None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_log_is_no_drift(name: str) -> None:
    for seed, start in enumerate((0, 0.2, 0.4)):
        values = faulty_log(FAULTS[name], seed=seed, share=0.6, start=start)
        assert find_drift(log_of(values), BASELINE) is None


def test_a_log_that_fails_from_end_to_end_tells_nothing() -> None:
    values = normal_bins(300)
    values[:, PLACE["from_service_answer_overload"]] += 3
    assert find_drift(log_of(values), BASELINE) is None


def test_silence_is_no_drift() -> None:
    assert find_drift(log_of(normal_bins(300, load=0.02)), BASELINE) is None


@pytest.mark.parametrize("n_bins", [1, 30, 59])
def test_less_than_a_minute_tells_nothing(n_bins: int) -> None:
    values = normal_bins(n_bins)
    values[:, DELAYS] *= 6
    assert find_drift(log_of(values), BASELINE) is None


def test_a_slower_network_is_told_with_its_figures() -> None:
    """Six times 20 ms; by a plain loop over all bins, that many spreads off, nearly."""
    values = normal_bins(300)
    values[:, DELAYS] *= 6
    drift = find_drift(log_of(values), BASELINE)
    assert drift is not None
    assert drift.since_ns is None
    assert drift.load == pytest.approx(1, abs=0.1)
    assert drift.n_moved == len(DELAYS)
    off = [
        (np.mean(log_view(values)[:, i]) - BASELINE[0, i]) / (BASELINE[1, i] + LEAST_SPREAD)
        for i in DELAYS
    ]
    told = [float(change.rsplit("(+", 1)[1].rstrip(")")) for change in drift.changes]
    assert min(off) > LIMIT
    assert max(told) == pytest.approx(max(off), abs=0.4)
    assert "final answer delay 95th percentile from service 0.04 -> 0.24 s (+4" in drift.words(
        "north"
    )


@pytest.mark.parametrize("gap_after", [None, 150])
def test_the_time_of_the_change_is_told(gap_after: int | None) -> None:
    """Messages grow five times as large at bin 200 of 600, gap or not."""
    values = normal_bins(600, seed=2)
    sizes = [i for name, i in PLACE.items() if name.endswith(("mean_size_bytes", "_bytes"))]
    values[200:, sizes] *= 12
    drift = find_drift(log_of(values, gap_after=gap_after), BASELINE)
    assert drift is not None
    assert drift.since_ns is not None
    changed_ns = START_NS + (200 + (100 if gap_after else 0)) * 10**9
    assert abs(drift.since_ns - changed_ns) <= 30 * 10**9
    assert "since 2023-11-14T22:1" in drift.words("north")


@pytest.mark.parametrize("load", [0.2, 5.0])
def test_a_load_beyond_threefold_is_told(load: float) -> None:
    drift = find_drift(log_of(normal_bins(300, load=load)), BASELINE)
    assert drift is not None
    assert drift.load == pytest.approx(load, rel=0.2)
    assert f"{drift.load:.2g} times the traffic" in drift.words("north")


@pytest.fixture(scope="module")
def real() -> dict[str, TrafficLog]:
    """Read the captures of two networks that the repository holds."""
    paths = [path for network in "AC" for path in sorted((DATA / network).glob("*.pcap*"))]
    return {f"{path.parent.name}/{path.name}": read_series(path) for path in paths}


def test_real_networks_are_told_apart_and_their_faults_are_not_drift(
    real: dict[str, TrafficLog],
) -> None:
    for network in "AC":
        normal = next(log for name, log in real.items() if name.startswith(f"{network}/normal-1"))
        baseline = learn_baseline(normal.series[0].values)
        for name, log in real.items():
            moved = find_drift(log, baseline) is not None
            assert moved == (name[0] != network), name
