"""Cumulative counters: what pandas and a slow loop count, wraps, resets, gaps."""

import numpy as np
import pandas as pd
import pytest

from traffic_siamese.logs.differences import counter_differences

S = 10**9


def times(n: int, step_s: int = 10) -> np.ndarray:
    return np.arange(n, dtype=np.int64) * step_s * S


def test_a_counter_that_only_rises_is_differenced_as_pandas_does() -> None:
    values = np.cumsum(np.random.default_rng(0).poisson(50, 300)).astype(float)
    found = counter_differences(times(300), values, max_gap_ns=60 * S)
    np.testing.assert_array_equal(found.amount, pd.Series(values).diff().to_numpy())
    assert (found.n_wraps, found.n_resets, found.n_falls) == (0, 0, 0)


@pytest.mark.parametrize("bits", [32, 64])
def test_a_wrap_goes_on_counting(bits: int) -> None:
    """The true counter never wraps; what is seen is its rest by 2^bits."""
    true = 2**bits - 60_000 + np.cumsum(np.full(100, 2048, dtype=object))
    seen = np.array([int(value) % 2**bits for value in true], np.float64)
    found = counter_differences(times(100), seen, max_gap_ns=60 * S)
    assert found.n_wraps == 1
    # A double keeps only multiples of 2048 near 2^64.
    np.testing.assert_allclose(found.amount[1:], 2048, atol=1024 if bits == 64 else 0)


def test_a_reset_counts_from_zero() -> None:
    """1000, 1010, …, then 4, 14: between them at least 4 were counted, not 2^32 - 1086."""
    values = np.array([1000.0, 1010, 1020, 1030, 4, 14, 24])
    found = counter_differences(times(7), values, max_gap_ns=60 * S)
    assert (found.n_wraps, found.n_resets) == (0, 1)
    np.testing.assert_array_equal(found.amount, [np.nan, 10, 10, 10, 4, 10, 10])


def test_what_a_reset_hides_is_not_invented() -> None:
    """After the reset the counter stands at 400, forty times the usual: not one bin's count."""
    values = np.array([1000.0, 1010, 1020, 1030, 400, 410])
    found = counter_differences(times(6), values, max_gap_ns=60 * S)
    assert found.n_resets == 1
    assert np.isnan(found.amount[4])


def test_a_small_fall_is_neither_wrap_nor_reset() -> None:
    found = counter_differences(
        times(6), np.array([1000.0, 1010, 1020, 1015, 1025, 1035]), max_gap_ns=60 * S
    )
    assert (found.n_wraps, found.n_resets, found.n_falls) == (0, 0, 1)
    assert np.isnan(found.amount[3])


def test_a_high_32_bit_counter_that_is_reset_has_not_wrapped() -> None:
    """From 4.2e9 to 10: a wrap would have counted 9e7, where 100 a row is usual."""
    values = np.array([4.2e9, 4.2e9 + 100, 4.2e9 + 200, 4.2e9 + 300, 10, 110])
    found = counter_differences(times(6), values, max_gap_ns=60 * S)
    assert (found.n_wraps, found.n_resets) == (0, 1)


def test_a_value_after_missing_ones_is_shared_out_by_time() -> None:
    """Slow loop: what was counted over a hole, times each row's share of the hole."""
    time_ns = np.array([0, 10, 20, 25, 40, 50]) * S
    values = np.array([0, 10, np.nan, np.nan, 70, 80.0])
    found = counter_differences(time_ns, values, max_gap_ns=60 * S)
    expected = [np.nan, 10.0]
    for row in (2, 3, 4):
        expected.append(60 * (time_ns[row] - time_ns[row - 1]) / (30 * S))
    np.testing.assert_allclose(found.amount, [*expected, 10])


def test_what_was_counted_over_a_gap_is_not_known() -> None:
    time_ns = np.array([0, 10, 20, 400, 410]) * S
    found = counter_differences(time_ns, np.arange(5.0) * 7, max_gap_ns=30 * S)
    np.testing.assert_array_equal(found.amount, [np.nan, 7, 7, np.nan, 7])
