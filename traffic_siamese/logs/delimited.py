"""Tables as text: CSV and TSV, whatever separates the columns."""

from __future__ import annotations

import codecs
import io
from dataclasses import replace
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.raw_table import MISSING, check_size, from_arrow
from traffic_siamese.logs.raw_to_tables import tables_of
from traffic_siamese.logs.table import CounterTable

_SEPARATORS = ("\t", ";", ",", "|", " ")
_BOM = b"\xef\xbb\xbf"
_SNIFFED_LINES = 5
_PIECE_BYTES = 1 << 20
_TOLERATED = 0.01  # of the rows may have another number of cells


def is_delimited(head: bytes) -> bool:
    """Tell whether a log that starts like this is a table in text."""
    return _separator(head) is not None


def read_delimited(log: OpenLog, options: ReadOptions) -> list[CounterTable]:
    """Read a CSV or TSV table.

    The first line that is no ``#`` comment holds the columns' names, unless the options do.

    Raises
    ------
    CaptureError
        If it is too large, malformed, or holds no times or numbers.
    """
    separator = _separator(log.head)
    data, told = _as_utf8(log.name, log.read_all(options.max_bytes).removeprefix(_BOM))
    n_comments = _comment_lines(data)
    header = _nth_line(data, n_comments).decode("utf-8", "replace").rstrip("\r\n")
    if separator is None:
        raise CaptureError(f"{log.name}: no table: its first line is {header[:60]!r}.")
    check_size(log.name, header.count(separator) + 1)
    has_header = not _all_numbers(header, separator)
    if not has_header and not options.names:
        raise CaptureError(
            f"{log.name}: its first line {header[:40]!r} holds numbers, expected names of columns. "
            "Add a header, or give names in --columns."
        )
    if separator == " ":
        data, separator = b"\n".join(b" ".join(line.split()) for line in data.splitlines()), " "
    table, skipped = _parse(log.name, data, separator, n_comments, has_header, options)
    raw = from_arrow(table, log.name, first_row=n_comments + has_header + 1)
    first, *others = tables_of(raw, options)
    warnings = filter(None, (told, skipped))
    return [replace(first, warnings=(*first.warnings, *warnings)), *others]


def _as_utf8(name: str, data: bytes) -> tuple[bytes, str]:
    """Return text in UTF-8, and what is to be said where it was not."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), _PIECE_BYTES):
            decoder.decode(data[at : at + _PIECE_BYTES])
    except UnicodeDecodeError:
        return data.decode("latin-1").encode(), f"{name}: is no UTF-8, was read as Latin-1."
    return data, ""


def _parse(
    name: str, data: bytes, separator: str, n_comments: int, has_header: bool, options: ReadOptions
) -> tuple[Any, str]:
    import pyarrow as pa
    from pyarrow import csv

    odd: list[Any] = []

    def skip(row: Any) -> str:
        odd.append(row)
        return "skip"

    read = csv.ReadOptions(
        use_threads=False,
        skip_rows=n_comments,
        column_names=list(options.names) or None,
        block_size=max(1 << 20, min(len(data) + 1, 64 << 20)),
        encoding="utf8",
    )
    if options.names and has_header:
        read.skip_rows = n_comments + 1
    parse = csv.ParseOptions(
        delimiter=separator, invalid_row_handler=skip, newlines_in_values=False
    )
    convert = csv.ConvertOptions(
        null_values=list(MISSING),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        check_utf8=True,
        decimal_point="," if _has_decimal_commas(data, separator) else ".",
    )
    try:
        table = csv.read_csv(io.BytesIO(data), read, parse, convert)
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as err:
        raise CaptureError(
            f"{name}: cannot be read as a table: {_first_line(err)}. Check its quotes, its "
            "separators and its encoding (UTF-8 is expected)."
        ) from err
    return table, _tell_odd(name, odd, table.num_rows)


def _tell_odd(name: str, odd: list[Any], n_rows: int) -> str:
    """Say which rows have another number of cells; raise where they are many."""
    if not odd:
        return ""
    first = odd[0]
    words = (
        f"{name}: {len(odd)} rows with another number of cells, the first is row {first.number}: "
        f"found {first.actual_columns} cells, expected {first.expected_columns}"
    )
    if len(odd) > max(1, _TOLERATED * n_rows):
        raise CaptureError(f"{words}. Quote cells that hold separators, or export again.")
    return f"{words}; left out."


def _first_line(err: Exception) -> str:
    return str(err).splitlines()[0][:160].rstrip(".") if str(err) else type(err).__name__


def _comment_lines(data: bytes) -> int:
    """Count the lines above the header: comments and empty ones."""
    n, at = 0, 0
    while at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)].strip()
        if line and not line.startswith(b"#"):
            return n
        n, at = n + 1, end + 1 if end >= 0 else len(data)
    return n


def _nth_line(data: bytes, n: int) -> bytes:
    at = 0
    for _ in range(n):
        at = data.find(b"\n", at) + 1
    end = data.find(b"\n", at)
    return data[at : end if end >= 0 else len(data)]


def _separator(head: bytes) -> str | None:
    """Find what separates the cells: the same number of times in each of the first lines."""
    head = head.removeprefix(_BOM)
    if b"\0" in head:
        return None
    text = head.decode("utf-8", "replace")
    if text.count("\ufffd") > 0.01 * len(text) + 1 or text.lstrip()[:1] in ("{", "[", "<"):
        return None
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    lines = lines[: -1 if len(lines) > 1 and len(head) >= 1 << 16 else None][:_SNIFFED_LINES]
    if not lines:
        return None
    found = None
    for separator in _SEPARATORS:
        counts = [_cells(line, separator) for line in lines]
        same = sum(n == counts[0] for n in counts)
        if counts[0] < 2 or same < max(1, 0.6 * len(counts)):
            continue
        if found is None or counts[0] > found[0]:
            found = (counts[0], separator)
    if found is None or (found[1] == " " and not _all_numbers(lines[-1], " ")):
        return None
    return found[1]


def _cells(line: str, separator: str) -> int:
    """Count the cells of a line, separators in quotes left out."""
    if separator == " ":
        return len(line.split())
    outside = "".join(line.split('"')[::2])
    return outside.count(separator) + 1


def _all_numbers(line: str, separator: str) -> bool:
    cells = line.split() if separator == " " else [cell.strip() for cell in line.split(separator)]
    try:
        [float(cell) for cell in cells if cell]
    except ValueError:
        return False
    return any(cells)


def _has_decimal_commas(data: bytes, separator: str) -> bool:
    """Tell whether numbers have a comma where others have a point, as where ``;`` separates."""
    if separator not in (";", "\t", "|"):
        return False
    lines = data[: 64 << 10].decode("utf-8", "replace").splitlines()[1:50]
    cells = [cell.strip() for line in lines for cell in line.split(separator)]
    with_comma = sum(
        cell.replace(",", "", 1).lstrip("-").isdigit() and "," in cell for cell in cells
    )
    with_point = sum(
        cell.replace(".", "", 1).lstrip("-").isdigit() and "." in cell for cell in cells
    )
    return with_comma > with_point
