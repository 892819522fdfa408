"""Tables to series: slow loops over rows and bins, and pandas, say what each bin holds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import Kind
from traffic_siamese.logs.series import table_log, table_logs
from traffic_siamese.logs.table import CounterTable

S = 10**9
T0 = 1_700_000_000 * S


def table(time_s: object, granularity_s: float | None = None, **columns: object) -> CounterTable:
    """Make a table whose columns are named ``KIND_anything``."""
    kinds: dict[str, Kind] = {name: name.split("_")[0] for name in columns}  # type: ignore[misc]
    time_ns = T0 + np.rint(np.asarray(time_s, float) * S).astype(np.int64)
    values = {name: np.asarray(column, float) for name, column in columns.items()}
    return CounterTable("t.csv", "", time_ns, values, kinds, granularity_s)


def slow_bins(
    time_s: list[float], values: list[float], *, step_s: float, bin_s: float, amount: bool
) -> dict[int, float]:
    """Go through every row and every bin: how much of the row's time lies in the bin."""
    sums: dict[int, float] = {}
    covered: dict[int, float] = {}
    for i, end in enumerate(time_s):
        since = end - time_s[i - 1] if i else step_s
        start = end - (step_s if since > 3 * step_s else since)
        for number in range(int(start // bin_s), int(end // bin_s) + 1):
            overlap = min(end, (number + 1) * bin_s) - max(start, number * bin_s)
            if overlap > 1e-9 and np.isfinite(values[i]):
                weight = overlap / (end - start) if amount else overlap
                sums[number] = sums.get(number, 0.0) + values[i] * weight
                covered[number] = covered.get(number, 0.0) + overlap
    return {
        number: sums[number] / covered[number] * (bin_s if amount else 1)
        for number in sums
        if covered[number] >= bin_s / 2
    }


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from([4.0, 5.0, 5.0, 5.0, 6.0, 30.0]), min_size=6, max_size=30),
    bin_s=st.sampled_from([2.0, 5.0, 7.0, 20.0]),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["delta", "gauge"]),
)
def test_rows_are_spread_over_bins_as_a_slow_loop_does(
    steps: list[float], bin_s: float, seed: int, kind: str
) -> None:
    """Amounts by their share of the period, states by the mean over time; gaps have no bin."""
    time_s = (100_000 + np.cumsum(steps) + 0.5).tolist()
    values = np.random.default_rng(seed).uniform(1, 9, len(steps)).tolist()
    columns = {"time_ns": (np.array(time_s) * S).astype(np.int64)}
    made = CounterTable("t", "", columns["time_ns"], {"x": np.array(values)}, {"x": kind})  # type: ignore[dict-item]
    apart = sorted(np.diff(time_s).tolist())
    step_s = apart[(len(apart) - 1) // 2]  # the lower median
    try:
        log = table_log([made], bin_s=bin_s)
    except CaptureError:
        assert not slow_bins(time_s, values, step_s=step_s, bin_s=bin_s, amount=kind == "delta")
        return
    origin = log.series[0].start_ns / S % bin_s  # rows of one phase decide where bins lie
    shifted = [moment - origin for moment in time_s]
    expected = slow_bins(shifted, values, step_s=step_s, bin_s=bin_s, amount=kind == "delta")
    found = {
        round((one.start_ns / S - origin) / bin_s) + i: value
        for one in log.series
        for i, value in enumerate(one.values[:, 0].tolist())
    }
    assert found.keys() == expected.keys()
    for number, value in expected.items():
        assert found[number] == pytest.approx(value, rel=1e-4)


def test_rows_of_one_phase_stay_in_one_bin_each() -> None:
    """Rows at 3 s past each 10 s: bins end there, so no row is torn."""
    log = table_log([table(np.arange(1, 9) * 10 + 3, delta_x=np.arange(8.0))])
    (series,) = log.series
    assert series.bin_s == 10
    np.testing.assert_array_equal(series.values[:, 0], np.arange(8.0))
    assert series.start_ns == T0 + 3 * S


def test_counters_of_unsorted_rows_are_what_pandas_differences_sorted() -> None:
    rng = np.random.default_rng(1)
    total = np.cumsum(rng.poisson(30, 50)).astype(float)
    order = rng.permutation(50)
    log = table_log([table(np.arange(50)[order] * 60, counter_x=total[order])])
    expected = pd.Series(total).diff().dropna()
    np.testing.assert_allclose(np.concatenate([s.values[:, 0] for s in log.series]), expected)
    assert "not in time order" in log.warnings[0]


def test_amounts_are_kept_when_bins_are_finer_or_coarser() -> None:
    """What 40 rows of a minute count is what their bins of 10 s, or of 5 min, count."""
    values = np.random.default_rng(2).uniform(0, 100, 40)
    rows = table(np.arange(1, 41) * 60 + 40, delta_x=values)
    for bin_s in (10, 60, 300):
        log = table_log([rows], bin_s=bin_s)
        n_bins = sum(len(one.values) for one in log.series)
        assert n_bins == pytest.approx(2400 / bin_s, abs=1)
        if bin_s < 300:
            assert log.series[0].values.sum() == pytest.approx(values.sum(), rel=1e-5)


def test_a_gap_is_a_gap_and_not_zero() -> None:
    time_s = [*range(10, 110, 10), *range(510, 610, 10)]
    log = table_log([table(time_s, delta_x=np.ones(20), gauge_y=np.ones(20) * 5)])
    assert [len(one.values) for one in log.series] == [10, 10]
    assert all((one.values == [1, 5]).all() for one in log.series)


def test_two_missing_rows_are_no_gap() -> None:
    """A state holds; an amount since the row before is spread over the time since it."""
    log = table_log(
        [table([10, 20, 30, 60, 70, 80], delta_x=[6, 6, 6, 18, 6, 6], gauge_y=range(6))]
    )
    np.testing.assert_allclose(log.series[0].values[:, 0], 6)
    np.testing.assert_allclose(log.series[0].values[:, 1], [0, 1, 2, 3, 3, 3, 4, 5])


def test_a_missing_value_holds_the_one_before() -> None:
    values = [5, np.nan, 7, np.nan, np.nan, 8]
    log = table_log([table(np.arange(6) * 10, gauge_x=values, gauge_y=np.ones(6))])
    expected = pd.Series(values).ffill()
    np.testing.assert_array_equal(log.series[0].values[:, 0], expected)
    leading = table_log([table(np.arange(3) * 10, gauge_x=[np.nan, np.nan, 4], gauge_y=[1, 1, 1])])
    np.testing.assert_array_equal(leading.series[0].values[:, 0], [4, 4, 4])


def test_of_rows_of_one_time_the_last_value_that_is_there_counts() -> None:
    log = table_log([table([10, 20, 20, 30], gauge_x=[1, 2, 3, 4], gauge_y=[1, 2, np.nan, 4])])
    np.testing.assert_array_equal(log.series[0].values, [[1, 1], [3, 2], [4, 4]])
    assert "1 rows have the time of another" in log.warnings[0]


def test_events_are_added_up_and_absent_ones_are_zero() -> None:
    time_s = [0.1, 0.2, 0.9, 3.5]
    log = table_log([table(time_s, event_n=[1, 1, 1, 1], event_bytes=[10, 20, 30, 40])])
    np.testing.assert_array_equal(log.series[0].values, [[3, 60], [0, 0], [0, 0], [1, 40]])


def test_a_counters_own_value_among_amounts_is_left_out() -> None:
    """Some exports begin with the counter itself: 3.7e9, then amounts of some thousands."""
    values = np.random.default_rng(0).poisson(1000, 200).astype(float)
    values[[0, 120]] = 3.7e9, 2.5e8
    log = table_log([table(np.arange(200) * 10, delta_octets=values)])
    assert log.series[0].values.max() < 2000
    assert "2 of its values" in log.warnings[0]


def test_elements_become_logs_of_their_own() -> None:
    one = table(np.arange(5) * 10, gauge_x=np.arange(5))
    tables = [
        CounterTable("t.csv", element, one.time_ns, one.columns, one.kinds)
        for element in ("amf", "smf")
    ]
    assert [log.name for log in table_logs(tables)] == ["t.csv#amf", "t.csv#smf"]


def test_tables_of_one_element_stand_side_by_side() -> None:
    """Names that both have are numbered; bins of 20 s are the coarser table's."""
    fine, coarse = (
        table(np.arange(1, 9) * 10, delta_x=[1] * 8),
        table([20, 40, 60, 80], delta_x=[7] * 4),
    )
    log = table_log([fine, coarse])
    assert log.series[0].feature_names == ("delta_x", "delta_x_2")
    np.testing.assert_allclose(log.series[0].values[0], [2, 7])


def test_a_jump_of_years_costs_nothing() -> None:
    log = table_log([table([0, 10, 20, 1.5e9, 1.5e9 + 10], gauge_x=[1, 2, 3, 4, 5])])
    assert [len(one.values) for one in log.series] == [3, 2]


def test_too_many_bins_are_refused() -> None:
    rows = table(np.arange(40) * 86_400, gauge_x=np.arange(40))
    with pytest.raises(CaptureError, match=r"needs 34\d{5} bins of 1 s"):
        table_log([rows], bin_s=1)
