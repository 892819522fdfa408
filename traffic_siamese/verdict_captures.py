"""Which logs a table of verdicts tells of."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.tables import VERDICT_COLUMNS

_MUST_HAVE = frozenset(column.name for column in VERDICT_COLUMNS[:5])
_MAX_LINE = 1 << 20


def is_verdict_table(path: str | Path) -> bool:
    """Tell whether a file is a table of verdicts that ``classify -o`` wrote.

    By its columns, so that a table of somebody's counters is none.
    """
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".jsonl", ".parquet") or not path.is_file():
        return False
    try:
        return set(_columns(path)) >= _MUST_HAVE
    except (ValueError, OSError):
        return False


def captures_of(path: str | Path) -> list[str]:
    """Return the logs that a table of verdicts names, each once, in the table's order.

    Of a table of counters with several network elements, ``FILE#ELEMENT``, the file.

    Raises
    ------
    TrafficSiameseError
        If the table is damaged, or names no log.
    """
    path = Path(path)
    try:
        names = dict.fromkeys(map(_file_of, _captures(path)))
    except (ValueError, KeyError, OSError) as err:
        words = str(err).splitlines()[0][:160] if str(err) else type(err).__name__
        raise TrafficSiameseError(
            f"{path}: damaged table of verdicts ({words}), expected what classify -o wrote. "
            "Classify the logs again, or name them instead of the table."
        ) from err
    names.pop("", None)
    if not names:
        raise TrafficSiameseError(
            f"{path}: the table of verdicts has no rows, expected at least one. "
            "Name another table, or the logs."
        )
    return list(names)


def _columns(path: Path) -> Iterable[str]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        from pyarrow import parquet

        names: list[str] = parquet.read_schema(path).names
        return names
    with path.open(encoding="utf-8", newline="") as file:
        line = file.readline(_MAX_LINE)
    if suffix == ".csv":
        return next(csv.reader([line]), [])
    row = json.loads(line)
    return row if isinstance(row, dict) else ()


def _captures(path: Path) -> Iterable[str]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        from pyarrow import parquet

        column = parquet.read_table(path, columns=["capture"])["capture"]
        return [str(name) for name in column.unique().to_pylist() if name is not None]
    with path.open(encoding="utf-8", newline="") as file:
        if suffix == ".csv":
            return list(dict.fromkeys(row["capture"] for row in csv.DictReader(file)))
        rows = (json.loads(line) for line in file if line.strip())
        return list(dict.fromkeys(str(row["capture"]) for row in rows))


def _file_of(name: str) -> str:
    file, mark, _ = name.rpartition("#")
    return file if mark and not Path(name).exists() and Path(file).is_file() else name
