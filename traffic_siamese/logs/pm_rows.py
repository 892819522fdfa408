"""What was measured, gathered into one table for each measured object."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import Kind
from traffic_siamese.logs.table import MAX_COLUMNS, CounterTable
from traffic_siamese.types import Int64Array

MAX_VALUES = 5_000_000
_MISSING = frozenset({"", "NIL", "NULL", "NAN", "-", "N/A"})
_GAUGE = re.compile(
    r"Mean|Max|Min(?!ut)|Avg|Average|Ratio|Rate|Util|Usage|Load|Delay|Thp|Throughput|Power"
    r"|Percent|Level|Lat(?=[A-Z._]|$)"
)
"""Parts of names of measurements that are no sums (TS 28.552 names them so)."""


@dataclass(slots=True)
class _Object:
    """A measured object: its rows by period, its columns with a value in some of the rows."""

    row_of: dict[tuple[int, int], int] = field(default_factory=dict)
    columns: dict[str, dict[int, float]] = field(default_factory=dict)

    def has_values(self) -> bool:
        """Tell whether anything was measured that is not missing."""
        return any(v == v for column in self.columns.values() for v in column.values())


class Measurements:
    """Gathers values by measured object, period and name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._objects: dict[tuple[str, str], _Object] = {}
        self._n_values = self._n_suspect = self._n_unreadable = 0
        self._n_replaced = self._n_overlaps = 0
        self._example = ""
        self._silent: list[str] = []

    def row(self, managed: str, element: str, period: tuple[int, int]) -> tuple[_Object, int]:
        """Return the object of this name, and the row of its period, started if need be."""
        found = self._objects.setdefault((managed, element), _Object())
        return found, found.row_of.setdefault(period, len(found.row_of))

    def add(
        self, at: tuple[_Object, int], measured: tuple[str, str], text: str, *, suspect: bool
    ) -> None:
        """Add what was measured, a number or a list of numbers, under its group and name."""
        items = re.split(r"[,;\s]+", text) if text else [""]
        place, row = at
        group, name = measured
        if row in place.columns.get(name if len(items) == 1 else f"{name}.0", ()):
            name = f"{group}.{name}"  # another group measures the same name of the same object
        for i, item in enumerate(items):
            column = name if len(items) == 1 else f"{name}.{i}"
            place.columns.setdefault(column, {})[row] = self._number(item, suspect=suspect)
        self._n_values += len(items)
        self._check(len(place.columns))

    def _number(self, text: str, *, suspect: bool) -> float:
        if suspect:
            self._n_suspect += 1
            return np.nan
        if text.upper() in _MISSING:
            return np.nan
        try:
            value = float(text)
        except ValueError:
            value = np.inf
        if np.isfinite(value):
            return value
        self._n_unreadable += 1
        self._example = self._example or text[:40]
        return np.nan

    def _check(self, n_columns: int) -> None:
        if n_columns > MAX_COLUMNS or self._n_values > MAX_VALUES:
            found, limit, what = (
                (n_columns, MAX_COLUMNS, "measurements of one object")
                if n_columns > MAX_COLUMNS
                else (self._n_values, MAX_VALUES, "values")
            )
            raise CaptureError(
                f"{self._name}: holds {found} {what} or more, expected at most {limit}. "
                "Split the file."
            )

    def join(self, later: Measurements) -> None:
        """Take in what another file measured: where both have a value, the later one counts."""
        for key, theirs in later._objects.items():
            mine = self._objects.setdefault(key, _Object())
            row_of = {
                row: mine.row_of.setdefault(period, len(mine.row_of))
                for period, row in theirs.row_of.items()
            }
            for name, values in theirs.columns.items():
                self._join_column(mine.columns.setdefault(name, {}), values, row_of)
            self._check(len(mine.columns))
        self._n_values += later._n_values
        self._n_suspect += later._n_suspect
        self._n_unreadable += later._n_unreadable
        self._example = self._example or later._example
        self._check(0)

    def _join_column(
        self, mine: dict[int, float], theirs: dict[int, float], row_of: dict[int, int]
    ) -> None:
        for row, value in theirs.items():
            old = mine.get(row_of[row], np.nan)
            if value == value:
                mine[row_of[row]] = value
                self._n_replaced += old == old and old != value
            else:
                mine[row_of[row]] = old

    def warnings(self, n_guessed_periods: int = 0) -> list[str]:
        """Say what was left out, and how many granularity periods did not say their length."""
        found = []
        if n_guessed_periods:
            found.append(
                f"{self._name}: {n_guessed_periods} granularity periods state no duration; "
                "that of the reporting period was taken."
            )
        if self._n_replaced:
            found.append(
                f"{self._name}: {self._n_replaced} values are told differently by a later file, "
                "which counts."
            )
        if self._n_overlaps:
            found.append(
                f"{self._name}: {self._n_overlaps} periods overlap others of the same object that "
                "are shorter or earlier, and were left out."
            )
        if self._n_suspect:
            found.append(
                f"{self._name}: {self._n_suspect} of {self._n_values} values are suspect, as their "
                "network element says, and were left out."
            )
        if self._silent:
            found.append(
                f"{self._name}: {len(self._silent)} measured objects have no value that counts and "
                f"were left out: {', '.join(self._silent)[:200]}."
            )
        if self._n_unreadable:
            found.append(
                f"{self._name}: {self._n_unreadable} of {self._n_values} values are no numbers, "
                f"such as {self._example!r}, and were left out."
            )
        return found

    def tables(self) -> list[CounterTable]:
        """Return a table for each object.

        Raises
        ------
        CaptureError
            If nothing was measured.
        """
        if not self._n_values:
            raise CaptureError(
                f"{self._name}: holds no measurement, expected measValue elements with results. "
                "Check what the network element exports."
            )
        several = len({managed for managed, _ in self._objects}) > 1
        named = {
            f"{managed},{element}".strip(",") if several else element: found
            for (managed, element), found in self._objects.items()
        }
        self._silent = [name for name, found in named.items() if not found.has_values()]
        if len(self._silent) == len(named):
            raise CaptureError(
                f"{self._name}: holds no value that counts: {self._n_suspect} of {self._n_values} "
                "are suspect, as their network element says, the others missing. Use other files."
            )
        return [self._table(name, found) for name, found in named.items() if found.has_values()]

    def _table(self, element: str, found: _Object) -> CounterTable:
        n = len(found.row_of)
        columns = {}
        for name, values in found.columns.items():
            column = np.full(n, np.nan)
            column[list(values)] = list(values.values())
            columns[name] = column
        periods = np.array(list(found.row_of), np.int64)  # (n, 2): start, end
        apart = _apart(periods)
        self._n_overlaps += len(periods) - len(apart)
        periods = periods[apart]
        columns = {name: column[apart] for name, column in columns.items()}
        kinds: dict[str, Kind] = {
            name: "gauge" if _GAUGE.search(name) or _has_fractions(column) else "delta"
            for name, column in columns.items()
        }
        return CounterTable(
            name=self._name,
            element=element,
            time_ns=periods[:, 1],
            columns=columns,
            kinds=kinds,
            granularity_s=float(np.median(np.diff(periods, axis=1))) / 1e9,
        )


def _has_fractions(column: np.ndarray) -> bool:
    known = column[np.isfinite(column)]
    return bool((known != np.round(known)).any())


def _apart(periods: Int64Array) -> Int64Array:
    """Rows of periods that do not overlap: of those that do, the shorter and the earlier stay."""
    starts, ends = periods[:, 0], periods[:, 1]
    order = np.lexsort((starts, ends - starts))
    kept_starts: list[int] = []
    kept_ends: list[int] = []
    rows: list[int] = []
    for row in order.tolist():
        start, end = int(starts[row]), int(ends[row])
        place = bisect_right(kept_starts, start)
        before = not place or kept_ends[place - 1] <= start
        if before and (place == len(kept_starts) or kept_starts[place] >= end):
            kept_starts.insert(place, start)
            kept_ends.insert(place, end)
            rows.append(row)
    return np.sort(np.array(rows, np.int64))
