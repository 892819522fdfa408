"""Text tables of other tools as columns of text: what a value means is for the tool's reader."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.table import MAX_COLUMNS

Texts = dict[str, list[str]]
"""Columns by name; an empty text where there is no value."""


def header_of(head: bytes, separators: str = "\t,;|") -> tuple[list[str], str]:
    """Return the names in the first line, and what separates them; one name where nothing does."""
    line = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace")
    line = line.rstrip("\r")
    separator = max(separators, key=line.count)
    return [name.strip().strip('"') for name in line.split(separator)], separator


def read_texts(
    name: str,
    data: bytes,
    header: tuple[list[str], str],
    *,
    wanted: Collection[str] | None = None,
    quoted: bool = True,
) -> tuple[Texts, list[str]]:
    """Read the lines of a text table.

    Parameters
    ----------
    name : str
        The log's name in messages.
    data : bytes
        The lines, without the header; UTF-8, other bytes are replaced.
    header : tuple of list of str and str
        Names of the columns, and the separator.
    wanted : collection of str, optional
        Columns to return; all of them by default.
    quoted : bool
        Whether values may stand in double quotes.

    Returns
    -------
    columns : dict of str to list of str
    warnings : list of str
        How many lines were left out since they do not have as many values as the header, or are
        cut short.

    Raises
    ------
    CaptureError
        If there are too many columns, no line fits the header, or the lines are no text.
    """
    _check_names(name, header[0])
    keep = [one for one in header[0] if wanted is None or one in wanted]
    odd: list[Any] = []
    table = _parse(name, _as_utf8(data), header, (keep, odd), quoted=quoted)
    if odd and not table.num_rows:
        raise CaptureError(f"{name}: {_odd_line(odd[0], header[1])}")
    warnings = []
    if odd:
        warnings.append(f"{name}: {len(odd)} lines were left out; {_odd_line(odd[0], header[1])}")
    return {one: table[one].to_pylist() for one in keep}, warnings


def _parse(
    name: str,
    data: bytes,
    header: tuple[list[str], str],
    keep_odd: tuple[list[str], list[Any]],
    *,
    quoted: bool,
) -> Any:
    """Parse lines to an Arrow table of the columns to keep; odd lines are appended to a list."""
    import pyarrow as pa  # not needed, and a fifth of a second, for captures
    from pyarrow import csv

    names, separator = header
    keep, odd = keep_odd

    def leave_out(row: Any) -> str:
        odd.append(None if odd else row)
        return "skip"

    try:
        return csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(
                delimiter=separator,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=leave_out,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=keep,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as err:
        if "Empty CSV" in str(err):
            return pa.table({one: pa.array([], pa.string()) for one in keep})
        what = str(err).partition("\n")[0][:160]
        raise CaptureError(
            f"{name}: its lines cannot be read ({what}), expected {len(names)} values in each, "
            f"separated by {separator!r}. Export it again."
        ) from err


def _check_names(name: str, names: list[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise CaptureError(
            f"{name}: its header names {len(names)} columns, expected at most {MAX_COLUMNS}. "
            "Export fewer."
        )
    seen: set[str] = set()
    for one in names:
        if one in seen:
            raise CaptureError(
                f"{name}: its header names {one!r} twice, expected each column once. "
                "Export it again."
            )
        seen.add(one)


def _odd_line(row: Any, separator: str) -> str:
    where = f"line {row.number + 1}" if row.number is not None else "a line"
    return (
        f"{where} has {row.actual_columns} values, the header names {row.expected_columns} "
        f"(separated by {separator!r}): {row.text[:60]!r}. Quote values that hold the separator, "
        "or use another one."
    )


def _as_utf8(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data
