"""From the columns of a file to tables of counters: times, elements and kinds found out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import KINDS, Kind
from traffic_siamese.logs.column_kinds import agree_on_kind, guess_kind
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.raw_table import RawTable, numbers_of, texts_of
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.logs.time_column import (
    EXPECTED,
    likely_time_columns,
    looks_like_time,
    parse_time_text,
    times_of_numbers,
    times_of_texts,
    zone_named,
)
from traffic_siamese.times import parse_time
from traffic_siamese.types import Int64Array

_IGNORE = "ignore"
_SHARED_TIMES = 0.3  # of the rows: then several elements stand in one table
_MAX_ELEMENTS = 10_000
_INDEX_NAMES = ("", "index", "unnamed: 0", "row", "rownum")
_NO_TIME = np.iinfo(np.int64).min


def tables_of(raw: RawTable, options: ReadOptions) -> list[CounterTable]:
    """Turn a file's columns into one table for each network element.

    Raises
    ------
    CaptureError
        If there is no time, no column of numbers, or a value that is none.
    """
    if not raw.n_rows:
        raise CaptureError(f"{raw.name}: holds a header and no rows, expected some. Export again.")
    for what, name in (("--by", options.by), ("time", options.time)):
        if name and name not in raw.columns:
            raise _no_column(raw, what, name)
    time_ns, used = row_times(raw, options)
    elements = texts_of(raw.columns[options.by]) if options.by else []
    columns = _number_columns(raw, options, {*used, options.by})
    warnings: list[str] = []
    known = time_ns != _NO_TIME
    if not known.all():
        warnings.append(f"{raw.name}: {int((~known).sum())} rows have no time; left out.")
    groups = _groups(raw, elements, known)
    _check_one_element(raw, options, time_ns, groups, columns)
    kinds = _kinds(columns, groups, time_ns, options)
    return [
        CounterTable(
            raw.name,
            element,
            time_ns[rows],
            {name: columns[name][rows] for name in kinds},
            kinds,
            options.granularity_s,
            tuple(warnings) if not place else (),
        )
        for place, (element, rows) in enumerate(groups.items())
    ]


def row_times(raw: RawTable, options: ReadOptions) -> tuple[Int64Array, set[str]]:
    """Find the time of each row: nanoseconds, the least int64 where it is missing.

    Returns
    -------
    times : ndarray of shape (n_rows,), int64
    columns : set of str
        What they were read from.

    Raises
    ------
    CaptureError
        If no column holds times, or one that was named does not.
    """
    if options.start and options.step_s > 0:
        try:
            first = parse_time(options.start)
        except ValueError as err:
            raise CaptureError(
                f"{raw.name}: start is {options.start!r}, expected an RFC 3339 time."
            ) from err
        return first + np.arange(raw.n_rows) * round(options.step_s * 1e9), set()
    if options.time:
        return _times(raw, options.time, options), {options.time}
    lower = {name.lower(): name for name in raw.columns}
    if {"date", "time"} <= set(lower) and (pair := _date_and_time(raw, lower, options)) is not None:
        return pair, {lower["date"], lower["time"]}
    for name in likely_time_columns(raw.columns):
        if _may_be_time(raw.columns[name], named=True):
            return _times(raw, name, options), {name}
    for name, values in raw.columns.items():
        if _may_be_time(values, named=False):
            return _times(raw, name, options), {name}
    raise CaptureError(
        f"{raw.name}: no column of times among {_some(raw)}; expected {EXPECTED}. "
        "Name it with time in --columns, or give start and step_s there."
    )


def _date_and_time(raw: RawTable, lower: dict[str, str], options: ReadOptions) -> Int64Array | None:
    """Join a column of dates and one of clock times, if that is what they are."""
    dates, clocks = (texts_of(raw.columns[lower[name]]) for name in ("date", "time"))
    if isinstance(raw.columns[lower["date"]], np.ndarray):
        dates = [text[:10] for text in dates]
    joined = [f"{date} {clock}" for date, clock in zip(dates, clocks, strict=True)]
    try:
        parse_time_text(joined[0])
        return times_of_texts(joined, zone_named(options.timezone))
    except ValueError:
        return None


def _may_be_time(values: Any, *, named: bool) -> bool:
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "M":
            return True
        known = values[np.isfinite(values.astype(np.float64))]
        if not named:
            return looks_like_time(values)
        return len(known) > 0 and bool(known.min() >= 0)
    sample = [text for text in values[:50] if text]
    n_times = sum(_is_time(text) for text in sample)
    return n_times > (0.5 if named else 0.99) * len(sample)


def _is_time(text: str) -> bool:
    try:
        parse_time_text(text)
    except ValueError:
        return False
    return True


def _times(raw: RawTable, name: str, options: ReadOptions) -> Int64Array:
    values = raw.columns[name]
    rows = np.arange(raw.n_rows)
    try:
        zone = zone_named(options.timezone)
    except ValueError as err:
        raise CaptureError(f"{raw.name}: {err}. Correct --timezone.") from err
    try:
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            if name not in raw.naive or options.timezone.upper() == "UTC":
                return values.astype(np.int64)
            rows = np.flatnonzero(~np.isnat(values))
            found = times_of_texts((str(one)[:26] for one in values[rows]), zone)
        elif isinstance(values, np.ndarray):
            rows = np.flatnonzero(np.isfinite(values.astype(np.float64)))
            found = times_of_numbers(values[rows], zone)
        else:
            texts = texts_of(values)
            rows = np.array([i for i, text in enumerate(texts) if text], np.int64)
            found = times_of_texts((texts[i] for i in rows.tolist()), zone)
    except ValueError as err:
        row = int(rows[err.args[1]]) if len(err.args) > 1 else 0
        cell = texts_of(values[row : row + 1])[0]
        raise CaptureError(
            f"{raw.name}: {raw.row_words(row)}, column {name!r}: found {cell[:40]!r}, "
            f"expected a time: {EXPECTED}. Correct it, or name another column."
        ) from err
    out = np.full(raw.n_rows, _NO_TIME, np.int64)
    out[rows] = found
    return out


def _number_columns(
    raw: RawTable, options: ReadOptions, taken: set[str]
) -> dict[str, NDArray[np.float64]]:
    """Return the columns of numbers, without running row numbers and those to be ignored."""
    unknown = [name for name in options.kinds if name not in raw.columns]
    if unknown and any(options.kinds[name] != _IGNORE for name in unknown):
        raise _missing_columns(raw, unknown)
    columns = {}
    for name in raw.columns:
        if name in taken or options.kinds.get(name) == _IGNORE:
            continue
        values = numbers_of(raw, name)
        if values is None and options.kinds.get(name) in KINDS:
            raise CaptureError(
                f"{raw.name}: column {name!r} holds text, expected numbers of a "
                f"{options.kinds[name]}. Ignore it in --columns, or correct the export."
            )
        if values is not None and not (name not in options.kinds and _is_index(name, values)):
            columns[name] = values
    if not columns:
        raise CaptureError(
            f"{raw.name}: no column of numbers among {_some(raw)}, expected one or more beside "
            "the time. Check the separator and the export."
        )
    return columns


def _is_index(name: str, values: NDArray[np.float64]) -> bool:
    called = name.strip().lower() in _INDEX_NAMES or name.startswith("column_")
    return called and len(values) > 1 and bool(np.all(np.diff(values) == 1))


def _groups(raw: RawTable, elements: list[str], known: NDArray[np.bool_]) -> dict[str, Int64Array]:
    """Rows of each element, in order of appearance."""
    if not elements:
        return {"": np.flatnonzero(known)}
    names, codes = np.unique(np.array(elements), return_inverse=True)
    if len(names) > _MAX_ELEMENTS:
        raise CaptureError(
            f"{raw.name}: the column of --by has {len(names)} different values, expected at most "
            f"{_MAX_ELEMENTS} network elements. Name another column."
        )
    groups = {}
    for code in dict.fromkeys(codes.tolist()):
        rows = np.flatnonzero((codes == code) & known)
        if len(rows):
            groups[str(names[code]) or "(none)"] = rows
    return groups


def _check_one_element(
    raw: RawTable,
    options: ReadOptions,
    time_ns: Int64Array,
    groups: dict[str, Int64Array],
    columns: dict[str, NDArray[np.float64]],
) -> None:
    """Refuse rows of several elements that nobody told apart."""
    if options.by or set(options.kinds.values()) == {"event"}:
        return
    times = time_ns[groups[""]]
    n_shared = len(times) - len(np.unique(times))
    text = [name for name in raw.columns if name not in columns and name != options.time]
    text = [name for name in text if not isinstance(raw.columns[name], np.ndarray)]
    if text and n_shared > _SHARED_TIMES * len(times):
        raise CaptureError(
            f"{raw.name}: {n_shared} of {len(times)} rows have the time of another, so several "
            f"network elements stand in it. Name the column that tells them apart with --by: "
            f"one of {', '.join(text[:5])}."
        )


def _kinds(
    columns: dict[str, NDArray[np.float64]],
    groups: dict[str, Int64Array],
    time_ns: Int64Array,
    options: ReadOptions,
) -> dict[str, Kind]:
    in_order = [rows[np.argsort(time_ns[rows], kind="stable")] for rows in groups.values()]
    kinds: dict[str, Kind] = {}
    for name, values in columns.items():
        given = options.kinds.get(name)
        if given in KINDS:
            kinds[name] = given
        else:
            kinds[name] = agree_on_kind([guess_kind(name, values[r]) for r in in_order]).kind
    return kinds


def _some(raw: RawTable) -> str:
    names = list(raw.columns)
    return ", ".join(names[:8])[:300] + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _no_column(raw: RawTable, what: str, name: str) -> CaptureError:
    return CaptureError(
        f"{raw.name}: {what} names the column {name!r}, expected one of {_some(raw)}."
    )


def _missing_columns(raw: RawTable, names: list[str]) -> CaptureError:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return CaptureError(
        f"{raw.name}: lacks the columns {', '.join(names[:5])}{more}; it has {_some(raw)}. "
        "Export them too, or correct the names."
    )
