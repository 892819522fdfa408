"""From tables of counters to traffic series: differences, periods, bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import Feature, FeatureSchema, Kind
from traffic_siamese.features.series import MAX_BINS
from traffic_siamese.logs.bins import BinGrid, default_bin_ns, granularity_ns, grid_of
from traffic_siamese.logs.differences import Differences, counter_differences
from traffic_siamese.logs.filling import fill_missing
from traffic_siamese.logs.rows import Rows, sorted_rows
from traffic_siamese.logs.spreading import count_events, n_pieces, spread_rows
from traffic_siamese.logs.table import MAX_CELLS, CounterTable
from traffic_siamese.types import Int64Array, TrafficLog, TrafficSeries

MAX_GAP_ROWS = 3.0
"""Periods without a row after which there is a gap: a new series starts, and what a counter
counted meanwhile is not known."""
MAX_EVENT_GAP_S = 600.0
_JUMP = 100.0  # times any other amount
_MAX_JUMPS = 3
_ROWS_PER_JUMP = 20
_MEANINGS: dict[Kind, str] = {
    "counter": "difference of a cumulative counter, per bin",
    "delta": "amount per bin",
    "gauge": "mean over the bin",
    "event": "sum of the events in the bin",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Binned:
    """Columns of one table in the bins that it touches; NaN where missing."""

    bins: Int64Array
    values: NDArray[np.float64]
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]


def table_logs(tables: Sequence[CounterTable], *, bin_s: float | None = None) -> list[TrafficLog]:
    """Turn tables into traffic logs, one for each network element in order of appearance."""
    elements = list(dict.fromkeys(table.element for table in tables))
    return [
        table_log([table for table in tables if table.element == element], bin_s=bin_s)
        for element in elements
    ]


def table_log(tables: Sequence[CounterTable], *, bin_s: float | None = None) -> TrafficLog:
    """Turn tables of one network element into a traffic log.

    Cumulative counters are differenced, amounts are spread over the periods of their rows, states
    are averaged over time. Where no row tells of a time, there is no bin: a new series starts.

    Parameters
    ----------
    tables : sequence of CounterTable
        Their columns stand side by side; names that two tables have in common get the table's
        place as a suffix.
    bin_s : float, optional
        Length of a bin in seconds; by default the tables' own granularity.

    Returns
    -------
    TrafficLog
        Its schema tells the kind of each column.

    Raises
    ------
    CaptureError
        If there are no rows or columns, or too many bins.
    ValueError
        If the tables are of several elements, or ``bin_s`` is below a millisecond.
    """
    if len({table.element for table in tables}) != 1:
        raise ValueError("the tables are of several elements, or none; use table_logs")
    if bin_s is not None and bin_s < 0.001:
        raise ValueError(f"bin_s={bin_s}: expected 0.001 s or more")
    label = tables[0].label
    kept = [table for table in tables if len(table.time_ns) and table.columns]
    if not kept:
        raise CaptureError(f"{label}: holds no rows with numbers, expected some.")
    rows = [sorted_rows(table) for table in kept]
    warnings = [*(text for table in tables for text in table.warnings)]
    warnings += [text for one in rows for text in one.warnings]
    steps = [_granularity(table, one) for table, one in zip(kept, rows, strict=True)]
    reaches = [_reach(table, step) for table, step in zip(kept, steps, strict=True)]
    is_event = [set(one.kinds) == {"event"} for one in rows]
    sampled = [step for step, events in zip(steps, is_event, strict=True) if not events]
    bin_ns = default_bin_ns(sampled) if bin_s is None else round(bin_s * 1e9)
    ends = [one.time_ns for one, events in zip(rows, is_event, strict=True) if not events]
    grid = grid_of(ends, bin_ns)
    binned = [
        part
        for one, step in zip(rows, zip(steps, reaches, strict=True), strict=True)
        for part in _bin_table(one, step, grid, label, warnings)
    ]
    series, schema = _join(binned, grid, label, warnings)
    n_rows = sum(len(one.time_ns) for one in rows)
    return TrafficLog(label, series, n_rows, tuple(warnings), schema=schema)


def _granularity(table: CounterTable, rows: Rows) -> int:
    if table.granularity_s:
        return round(table.granularity_s * 1e9)
    return granularity_ns(rows.time_ns) or 10**9


def _reach(table: CounterTable, step_ns: int) -> int:
    """Return how long after the row before a row may tell of the whole time since.

    A row that says how long its period is tells of no more; running counters do, in any case.
    """
    is_stated = table.granularity_s is not None and "counter" not in table.kinds.values()
    return step_ns if is_stated else round(MAX_GAP_ROWS * step_ns)


def _bin_table(
    rows: Rows, steps: tuple[int, int], grid: BinGrid, label: str, warnings: list[str]
) -> list[_Binned]:
    is_event = np.array([kind == "event" for kind in rows.kinds])
    parts = []
    if is_event.any():
        bins, values = count_events(rows.time_ns, rows.values[:, is_event], grid)
        parts.append(_part(bins, values, rows, is_event))
    if not is_event.all():
        bins, values = _bin_sampled(rows, ~is_event, (*steps, grid), label, warnings)
        parts.append(_part(bins, values, rows, ~is_event))
    return parts


def _part(
    bins: Int64Array, values: NDArray[np.float64], rows: Rows, mine: NDArray[np.bool_]
) -> _Binned:
    places = np.flatnonzero(mine).tolist()
    names, kinds = (tuple(of[i] for i in places) for of in (rows.names, rows.kinds))
    return _Binned(bins, values, names, kinds)  # type: ignore[arg-type]


def _bin_sampled(
    rows: Rows,
    mine: NDArray[np.bool_],
    steps: tuple[int, int, BinGrid],
    label: str,
    warnings: list[str],
) -> tuple[Int64Array, NDArray[np.float64]]:
    step_ns, reach_ns, grid = steps
    max_gap_ns = round(MAX_GAP_ROWS * step_ns)
    since = np.diff(rows.time_ns, prepend=rows.time_ns[0] - step_ns)
    period = np.where(since > reach_ns, step_ns, since)
    start = rows.time_ns - period
    _check_pieces(label, n_pieces(start, rows.time_ns, grid), len(rows.names), grid.bin_ns)
    amounts = np.empty((len(start), int(mine.sum())))
    kinds = [kind for kind, wanted in zip(rows.kinds, mine, strict=True) if wanted]
    places = np.flatnonzero(mine).tolist()
    for column, (place, kind) in enumerate(zip(places, kinds, strict=True)):
        values = rows.values[:, place]
        if kind == "counter":
            found = counter_differences(rows.time_ns, values, max_gap_ns=max_gap_ns)
            _tell_falls(warnings, f"{label}: column {rows.names[place]!r}", found)
            values = found.amount
        elif kind == "delta":
            values = _without_jumps(values, f"{label}: column {rows.names[place]!r}", warnings)
        amounts[:, column] = values
    is_amount = np.array([kind != "gauge" for kind in kinds])
    return spread_rows((start, rows.time_ns), amounts, is_amount, grid)


def _check_pieces(label: str, n_bins: int, n_columns: int, bin_ns: int) -> None:
    if n_bins * n_columns > MAX_CELLS or n_bins > MAX_BINS:
        raise CaptureError(
            f"{label}: needs {n_bins} bins of {bin_ns / 1e9:g} s for {n_columns} columns, expected "
            f"at most {MAX_BINS} bins and {MAX_CELLS} values. Use longer bins, or split the log."
        )


def _tell_falls(warnings: list[str], what: str, found: Differences) -> None:
    if found.n_resets:
        warnings.append(f"{what}: the counter started again {found.n_resets} times.")
    if found.n_falls:
        warnings.append(
            f"{what}: the counter fell {found.n_falls} times, neither by a wrap nor by a start "
            "again; nothing is counted there. If it is a state, call it gauge in --columns."
        )


def _without_jumps(
    values: NDArray[np.float64], what: str, warnings: list[str]
) -> NDArray[np.float64]:
    """Drop what is no amount but the counter's own value: some exports begin with it."""
    known = np.sort(np.abs(values[np.isfinite(values)]))[::-1]
    n_known = len(known)
    for n in range(min(_MAX_JUMPS, n_known // _ROWS_PER_JUMP), 0, -1):
        if known[n - 1] > _JUMP * max(float(known[n]), 1.0):
            out = np.where(np.abs(values) >= known[n - 1], np.nan, values)
            warnings.append(
                f"{what}: {n} of its values, {known[n - 1]:.6g} or more, are over {_JUMP:g} times "
                "any other; taken for the counter itself and left out."
            )
            return out
    return values


def _join(
    parts: list[_Binned], grid: BinGrid, label: str, warnings: list[str]
) -> tuple[tuple[TrafficSeries, ...], FeatureSchema]:
    """Put the tables' columns side by side, and cut where nothing is known of a time."""
    names = _distinct([name for part in parts for name in part.names])
    kinds = [kind for part in parts for kind in part.kinds]
    only_events = set(kinds) == {"event"}
    sampled = [
        part.bins[np.isfinite(part.values).any(axis=1)]
        for part in parts
        if only_events or "event" not in part.kinds
    ]
    bins = np.unique(np.concatenate(sampled))
    if not len(bins):
        raise CaptureError(
            f"{label}: no bin of {grid.bin_ns / 1e9:g} s is covered by its rows, expected some. "
            "Use longer bins, or give more rows: a counter needs two."
        )
    max_gap = round(MAX_EVENT_GAP_S * 1e9) // grid.bin_ns if only_events else 0
    starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - max_gap - 2) > max_gap + 1)
    ends = np.append(starts[1:], len(bins)) - 1
    spans = list(zip(bins[starts].tolist(), bins[ends].tolist(), strict=True))
    _check_pieces(label, sum(last - first + 1 for first, last in spans), len(names), grid.bin_ns)
    schema = FeatureSchema(
        tuple(
            Feature(name, "", _MEANINGS[kind], held=kind != "event", kind=kind)
            for name, kind in zip(names, kinds, strict=True)
        ),
        is_table=True,
    )
    blocks = [_dense(parts, first, last, len(names)) for first, last in spans]
    fill_missing(blocks, schema, label, warnings)
    return tuple(
        TrafficSeries(block.astype(np.float32), grid.start_ns(first), grid.bin_ns / 1e9, names)
        for block, (first, _) in zip(blocks, spans, strict=True)
    ), schema


def _dense(parts: list[_Binned], first: int, last: int, n_columns: int) -> NDArray[np.float64]:
    """Lay the parts' bins from first to last into one block; NaN where there are none."""
    block = np.full((last - first + 1, n_columns), np.nan)
    left = 0
    for part in parts:
        low, high = np.searchsorted(part.bins, (first, last + 1)).tolist()
        width = len(part.names)
        block[part.bins[low:high] - first, left : left + width] = part.values[low:high]
        left += width
    return block


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Give repeated names a number."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(out)
