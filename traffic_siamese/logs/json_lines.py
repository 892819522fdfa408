"""Tables as JSON Lines: one object for each row."""

from __future__ import annotations

import json
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.raw_table import check_size, from_arrow
from traffic_siamese.logs.raw_to_tables import tables_of
from traffic_siamese.logs.table import MAX_COLUMNS, CounterTable

_LONG_LINE = 8 * MAX_COLUMNS
_MAX_DEPTH = 4


def is_json_lines(head: bytes) -> bool:
    """Tell whether a log that starts like this holds an object on each line."""
    line, newline, _ = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if not line.startswith(b"{"):
        return False
    if not newline:
        return True
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def read_json_lines(log: OpenLog, options: ReadOptions) -> list[CounterTable]:
    """Read JSON Lines; what is nested gets names with points (``rx.bytes``).

    Raises
    ------
    CaptureError
        If it is too large, malformed, or holds no times or numbers.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    data = log.read_all(options.max_bytes).lstrip(b"\xef\xbb\xbf \t\r\n")
    _check_lines(log.name, data)
    # Blocks end between rows: one that holds all rows spares looking for where.
    read = arrow_json.ReadOptions(use_threads=False, block_size=max(1 << 20, len(data) + 1))
    try:
        table = arrow_json.read_json(pa.BufferReader(data), read)
    except (pa.ArrowException, UnicodeDecodeError) as err:
        raise _malformed(log.name, data, err) from err
    return tables_of(from_arrow(_flat(table), log.name, first_row=1), options)


def _flat(table: Any) -> Any:
    import pyarrow as pa

    for _ in range(_MAX_DEPTH):
        if not any(pa.types.is_struct(field.type) for field in table.schema):
            break
        table = table.flatten()
    return table


def _check_lines(name: str, data: bytes) -> None:
    """Refuse rows of too many columns before they are parsed."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        if end - at > _LONG_LINE:
            check_size(name, data.count(b":", at, end))
        at = end + 1


def _malformed(name: str, data: bytes, err: Exception) -> CaptureError:
    """Say which line is no object; what the parser said where each is one."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as problem:
            return CaptureError(
                f"{name}: line {number}: no JSON ({str(problem)[:80]}), expected one object on "
                "each line. Export it again."
            )
        if not isinstance(found, dict):
            return CaptureError(
                f"{name}: line {number}: found {line[:40].decode('utf-8', 'replace')!r}, expected "
                "an object with names and values. Export it as JSON Lines."
            )
    words = str(err).splitlines()[0][:160].rstrip(".")
    return CaptureError(
        f"{name}: cannot be read as a table: {words}. "
        "Give each name values of one type in all rows."
    )
