"""Flows spread over bins, against a loop with exact fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.flows import Flows, flow_table
from traffic_siamese.logs.series import table_log

SECOND = 10**9
START_NS = 1_700_000_000 * SECOND
FLOW = st.tuples(st.integers(0, 40 * SECOND), st.integers(0, 25 * SECOND), st.integers(0, 10**9))


def slow_spread(flows: list[tuple[int, int, int]], bin_ns: int) -> dict[int, Fraction]:
    """Book each flow's amount bin by bin, by the share of its time that lies in the bin."""
    found: dict[int, Fraction] = defaultdict(Fraction)
    for start, length, amount in flows:
        end = start + length
        if not length:
            found[start // bin_ns] += amount
        for number in range(start // bin_ns, -(-end // bin_ns)):
            inside = min(end, (number + 1) * bin_ns) - max(start, number * bin_ns)
            if length:
                found[number] += Fraction(amount * inside, length)
    return found


def as_flows(flows: list[tuple[int, int, int]]) -> Flows:
    start = np.array([start for start, _, _ in flows], np.int64)
    length = np.array([length for _, length, _ in flows], np.int64)
    return Flows(start, start + length, {"bytes": np.array([float(a) for _, _, a in flows])})


@given(st.lists(FLOW, min_size=1, max_size=12), st.sampled_from([1, 2, 10]))
def test_a_flows_bytes_are_spread_over_its_duration(
    flows: list[tuple[int, int, int]], bin_s: int
) -> None:
    table = flow_table("x", as_flows(flows), bin_s=bin_s)
    expected = slow_spread(flows, bin_s * SECOND)
    got = dict(
        zip((table.time_ns // (bin_s * SECOND)).tolist(), table.columns["bytes"], strict=True)
    )
    assert set(got) == set(expected)
    for number, amount in expected.items():
        assert got[number] == pytest.approx(float(amount), rel=1e-12, abs=1e-6)


def test_what_is_not_there_is_zero_not_a_rest_of_rounding() -> None:
    """Huge flows that end leave exactly nothing behind for a small one that goes on."""
    flows = [(0, 50 * SECOND, 10**18), (0, 100 * SECOND, 100)]
    table = flow_table("x", as_flows(flows))
    assert table.columns["bytes"][60] == pytest.approx(1.0, rel=1e-9)
    assert table.columns["active_flows"].tolist() == [2.0] * 50 + [1.0] * 50


def test_flows_are_counted_where_they_start_and_ends_once_a_bin() -> None:
    start = np.array([0, 0, 0, 1], np.int64) * SECOND
    flows = Flows(
        start,
        start + SECOND // 2,
        {},
        {"flows_tcp": np.array([True, False, True, True])},
        {"sources": np.array([7, 7, 8, 7], np.uint64)},
    )
    columns = flow_table("x", flows).columns
    assert columns["flows"].tolist() == [3, 1]
    assert columns["flows_tcp"].tolist() == [2, 1]
    assert columns["sources"].tolist() == [2, 1]


def test_a_silence_between_flows_is_zero_bytes_in_the_series() -> None:
    log = table_log(
        [flow_table("x", as_flows([(START_NS, 10, 5), (START_NS + 4 * SECOND, 10, 6)]))]
    )
    series = log.series[0]
    column = series.feature_names.index("bytes")
    assert series.values[:, column].tolist() == [5, 0, 0, 0, 6]


def test_flows_years_apart_take_no_memory_and_flows_of_years_are_refused() -> None:
    year = 365 * 86_400 * SECOND
    assert len(flow_table("x", as_flows([(0, 10, 1), (5 * year, 10, 1)])).time_ns) == 2
    with pytest.raises(CaptureError, match="Use longer bins"):
        flow_table("x", as_flows([(0, 5 * year, 1)]))
