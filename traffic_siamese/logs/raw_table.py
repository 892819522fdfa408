"""A table as it stands in the file: columns of numbers, of text, of times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.table import MAX_CELLS, MAX_COLUMNS

MISSING = (
    "", "-", "--", "NA", "N/A", "n/a", "#N/A", "nan", "NaN", "NAN", "null", "NULL", "None", "none",
    "\\N",
)  # fmt: skip
_SAMPLE = 200
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """Columns of a file.

    Attributes
    ----------
    name : str
        The log.
    columns : mapping of str to array
        Of each column: an ndarray of numbers (float64 with NaN, or int64), an ndarray of
        ``datetime64[ns]`` (NaT where missing; UTC, or of no zone), or a list of str and None.
    naive : frozenset of str
        Columns of ``datetime64`` that say no zone.
    first_row : int
        Line, or row, of the file that row 0 stands in, for messages.
    n_rows : int
    """

    name: str
    columns: Mapping[str, Any]
    naive: frozenset[str]
    first_row: int
    n_rows: int

    def row_words(self, row: int) -> str:
        """Say where a row is."""
        return f"row {self.first_row + row}"


def check_size(name: str, n_columns: int, n_rows: int = 1) -> None:
    """Refuse what would not fit into memory.

    Raises
    ------
    CaptureError
        If there are too many columns, or cells.
    """
    if n_columns > MAX_COLUMNS:
        raise CaptureError(
            f"{name}: has {n_columns} columns, expected at most {MAX_COLUMNS}. "
            "Export fewer, or turn rows and columns."
        )
    if n_columns * n_rows > MAX_CELLS:
        raise CaptureError(
            f"{name}: has {n_rows} rows of {n_columns} columns, expected at most {MAX_CELLS} "
            "values. Split it by time, or export fewer columns."
        )


def from_arrow(table: Any, name: str, *, first_row: int) -> RawTable:
    """Take over an Arrow table; nested columns are left out.

    Raises
    ------
    CaptureError
        If it is too large, or its text is no UTF-8.
    """
    try:
        return _from_arrow(table, name, first_row)
    except UnicodeDecodeError as err:
        raise CaptureError(
            f"{name}: holds text that is no UTF-8 (byte {err.object[err.start]:#04x}), expected "
            "UTF-8. Convert it, or copy it again."
        ) from err


def _from_arrow(table: Any, name: str, first_row: int) -> RawTable:
    check_size(name, table.num_columns, max(table.num_rows, 1))
    columns: dict[str, Any] = {}
    naive: set[str] = set()
    for place, field in enumerate(table.schema):
        label = _column_name(field.name, place, columns)
        values, is_naive = _values(table.column(place))
        if values is not None:
            columns[label] = values
        if is_naive:
            naive.add(label)
    return RawTable(name, columns, frozenset(naive), first_row, table.num_rows)


def _column_name(name: str, place: int, taken: Mapping[str, Any]) -> str:
    name = name.strip() or f"column_{place + 1}"
    return name if name not in taken else f"{name}_{place + 1}"


def _values(column: Any) -> tuple[Any, bool]:
    """Return a column's values, and whether they are times without a zone; None if nested."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        times = pc.cast(column, pa.timestamp("ns", getattr(kind, "tz", None)), safe=False)
        whole = times.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if column.null_count:
            whole = np.where(np.isnan(whole), np.iinfo(np.int64).min, whole)
        return whole.astype(np.int64).view("datetime64[ns]"), getattr(kind, "tz", None) is None
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan), False
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy(zero_copy_only=False), False
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    if is_number or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        if pa.types.is_boolean(kind):
            column = pc.cast(column, pa.int8())
        return pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False), False
    if pa.types.is_time(kind):
        return [None if value is None else str(value) for value in column.to_pylist()], False
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.to_pylist(), False
    return None, False


def numbers_of(table: RawTable, column: str) -> NDArray[np.float64] | None:
    """Return a column as numbers, or None where it is text.

    Raises
    ------
    CaptureError
        If most of it are numbers, and a cell is none.
    """
    values = table.columns[column]
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "M":
            return None
        return _finite(np.asarray(values, np.float64))
    texts = [value for value in values if value is not None and value.strip() not in MISSING]
    sample = texts[:_SAMPLE]
    if not sample or sum(_is_number(text) for text in sample) <= _MOSTLY * len(sample):
        return None
    return _finite(np.array([_number(table, column, i, v) for i, v in enumerate(values)]))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take what is infinite for missing."""
    return np.where(np.isfinite(values), values, np.nan)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(table: RawTable, column: str, row: int, text: str | None) -> float:
    if text is None or text.strip() in MISSING:
        return float("nan")
    try:
        return float(text)
    except ValueError as err:
        raise CaptureError(
            f"{table.name}: {table.row_words(row)}, column {column!r}: found {text[:40]!r}, "
            "expected a number, or nothing where it is missing. Correct it, or leave the column "
            "out: ignore in --columns."
        ) from err


def texts_of(values: Sequence[Any] | NDArray[np.generic]) -> list[str]:
    """Return a column as text: whole numbers without a point, what is missing empty."""
    if not isinstance(values, np.ndarray):
        return ["" if value is None else value.strip() for value in values]
    if values.dtype.kind == "M":
        times = np.datetime_as_string(np.asarray(values, "datetime64[ns]"), "us")
        return ["" if text == "NaT" else text for text in times.tolist()]
    if values.dtype.kind == "f":
        return ["" if v != v else str(int(v)) if v == int(v) else repr(v) for v in values.tolist()]
    return [str(value) for value in values.tolist()]
