"""Write rows as CSV, JSON lines or Parquet, as they come.

Times are RFC 3339 in UTC to the millisecond, and timestamps in Parquet; numbers keep the seven
digits that float32 carries; what is not finite is left empty, or null. CSV has ``true`` and
``false``, as JSON.
"""

from __future__ import annotations

import csv
import errno
import json
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.times import format_time

if TYPE_CHECKING:
    from traffic_siamese.types import Incident, TrafficLog, Verdict

Kind = Literal["text", "time", "number", "count", "flag"]
Row = Sequence[str | int | float]

FORMATS = (".csv", ".jsonl", ".parquet")
STDOUT = "-"
_ROW_GROUP = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """Name and kind of one column; times are given in nanoseconds since the epoch, UTC."""

    name: str
    kind: Kind


def _columns(text: str) -> tuple[Column, ...]:
    kinds: dict[str, Kind] = {
        "start": "time",
        "end": "time",
        "windows": "count",
        "ambiguous": "flag",
    }
    numbers = {"distance", "confidence", "second_distance", "x", "y", "z"}
    numbers |= {"p_value", "normal_distance", "normal_per_day"}
    return tuple(
        Column(name, "number" if name in numbers else kinds.get(name, "text"))
        for name in text.split()
    )


VERDICT_COLUMNS = _columns(
    "capture start end label distance confidence second_label second_distance x y z reason "
    "p_value ambiguous normal_distance"
)
INCIDENT_COLUMNS = _columns(
    "capture start end label confidence windows reason second_label normal_per_day"
)

_FIELDS = {"start": "start_ns", "end": "end_ns"}


def _rows(columns: tuple[Column, ...], items: Iterable[Any]) -> list[Row]:
    values = attrgetter(*(_FIELDS.get(column.name, column.name) for column in columns))
    return [values(item) for item in items]


def verdict_rows(verdicts: Iterable[Verdict]) -> list[Row]:
    """Return verdicts as rows of ``VERDICT_COLUMNS``."""
    return _rows(VERDICT_COLUMNS, verdicts)


def incident_rows(incidents: Iterable[Incident]) -> list[Row]:
    """Return incidents as rows of ``INCIDENT_COLUMNS``."""
    return _rows(INCIDENT_COLUMNS, incidents)


def series_columns(log: TrafficLog) -> tuple[Column, ...]:
    """Return the columns of a log's series: the bin's start, then the features."""
    names = log.series[0].feature_names if log.series else ()
    return (Column("time", "time"), *(Column(name, "number") for name in names))


def series_rows(log: TrafficLog) -> Iterable[list[Row]]:
    """Yield the bins of a log in batches of rows; a gap between two stretches has no rows."""
    for series in log.series:
        step_ns = round(series.bin_s * 1e9)
        for first in range(0, len(series.values), _ROW_GROUP):
            part = series.values[first : first + _ROW_GROUP].tolist()
            start_ns = series.start_ns + first * step_ns
            yield [(start_ns + i * step_ns, *values) for i, values in enumerate(part)]


def table_format(target: str) -> str:
    """Return the format that a file's name asks for; standard output is CSV.

    Raises
    ------
    ValueError
        If the name ends in none of the three.
    """
    if target == STDOUT:
        return ".csv"
    suffix = Path(target).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(
            f"{target!r} ends in {suffix or 'nothing'}, expected {', '.join(FORMATS)} "
            "(or - for CSV on standard output)"
        )
    return suffix


class Table(ABC):
    """A table that is being written; a context manager that closes it.

    CSV and JSON lines reach the file with every call of ``write``: what was written survives a
    kill. Parquet is readable only after ``close``, which an error or an interrupt also reach.
    """

    @abstractmethod
    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""

    @abstractmethod
    def close(self) -> None:
        """Finish the table."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_table(target: str, columns: tuple[Column, ...], *, as_json: bool = False) -> Table:
    """Open a table for writing; an existing file is replaced.

    Parameters
    ----------
    target : str
        A path ending in ``.csv``, ``.jsonl`` or ``.parquet``, or ``-`` for standard output.
    columns : tuple of Column
    as_json : bool, default False
        Standard output gets JSON lines in place of CSV.

    Raises
    ------
    ValueError
        If the name ends in something else.
    TrafficSiameseError
        If the file cannot be written.
    """
    form = table_format(target)
    if target == STDOUT:
        return _TextTable(sys.stdout, columns, as_json=as_json)
    with telling(target):
        if form == ".parquet":
            return _ParquetTable(target, columns)
        file = open(target, "w", newline="", encoding="utf-8")  # noqa: SIM115 (the table closes it)
        return _TextTable(file, columns, as_json=form == ".jsonl", path=target)


@contextmanager
def telling(target: str) -> Iterator[None]:
    """Turn what the system says of a file into an error that names it."""
    try:
        yield
    except OSError as err:
        if err.errno == errno.EPIPE:
            raise
        raise TrafficSiameseError(
            f"{target}: cannot be written ({err.strerror or err}). "
            "Choose another place, make its folder first, or make room."
        ) from err


class _TextTable(Table):
    """Rows as lines of text; without a path, of a file that stays open."""

    def __init__(
        self, file: TextIO, columns: tuple[Column, ...], *, as_json: bool, path: str = ""
    ) -> None:
        self._file, self._columns, self._path = file, columns, path
        self._as_json = as_json
        self._csv = csv.writer(file, lineterminator="\n")
        if not as_json:
            self._csv.writerow([column.name for column in columns])

    def write(self, rows: Sequence[Row]) -> None:
        with telling(self._path or "standard output"):
            if self._as_json:
                self._file.writelines(self._json_line(row) for row in rows)
            else:
                self._csv.writerows(self._cells(row) for row in rows)
            self._file.flush()

    def close(self) -> None:
        if self._path:
            with telling(self._path):
                self._file.close()

    def _cells(self, row: Row) -> list[str]:
        pairs = zip(self._columns, row, strict=True)
        return [_cell(column.kind, value) for column, value in pairs]

    def _json_line(self, row: Row) -> str:
        pairs = zip(self._columns, row, strict=True)
        plain = {column.name: plain_value(column.kind, value) for column, value in pairs}
        return json.dumps(plain, ensure_ascii=False) + "\n"


class _ParquetTable(Table):
    def __init__(self, path: str, columns: tuple[Column, ...]) -> None:
        import pyarrow
        import pyarrow.parquet

        kinds = {
            "text": pyarrow.string(),
            "time": pyarrow.timestamp("ms", tz="UTC"),
            "number": pyarrow.float32(),
            "count": pyarrow.int64(),
            "flag": pyarrow.bool_(),
        }
        self._arrow, self._columns, self._path = pyarrow, columns, path
        self._schema = pyarrow.schema([(c.name, kinds[c.kind]) for c in columns])
        self._file = Path(path).open("wb")  # noqa: SIM115 (closed with the table)
        self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema)
        self._waiting: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._waiting.extend(rows)
        if len(self._waiting) >= _ROW_GROUP:
            with telling(self._path):
                self._flush()

    def close(self) -> None:
        with telling(self._path), self._file:
            self._flush()
            self._writer.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        arrays = [
            self._arrow.array([_arrow_value(column.kind, row[i]) for row in self._waiting], kind)
            for i, (column, kind) in enumerate(zip(self._columns, self._schema.types, strict=True))
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []


def plain_value(kind: Kind, value: Any) -> Any:
    """Return a value as JSON writes it: times as text, what is not finite as None."""
    if kind == "text":
        return _text(value)
    if kind == "time":
        return format_time(int(value))
    if kind == "count":
        return int(value)
    if kind == "flag":
        return bool(value)
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _cell(kind: Kind, value: Any) -> str:
    if kind == "number":
        return f"{value:.7g}" if math.isfinite(value) else ""
    if kind == "flag":
        return "true" if value else "false"
    return str(plain_value(kind, value))


def _arrow_value(kind: Kind, value: Any) -> Any:
    return int(value) // 1_000_000 if kind == "time" else plain_value(kind, value)


def _text(value: Any) -> str:
    """Make text that can be written: a file's name may hold bytes that are no characters."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
