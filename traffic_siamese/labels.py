"""``labels.csv``: what each capture shows, and when."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

from traffic_siamese.errors import LabelError, LibraryError
from traffic_siamese.oneshot.names import check_label_name
from traffic_siamese.spelling import did_you_mean
from traffic_siamese.times import format_time, parse_time
from traffic_siamese.types import LabelledInterval

_COLUMNS = ("capture", "start", "end", "label")
DEFAULT_NETWORK = "default"


def read_labels(path: str | Path) -> tuple[LabelledInterval, ...]:
    """Read a labels file.

    Columns ``capture,start,end,label`` and optionally ``network``; times are RFC 3339. The network
    of a capture is its first folder where no column names it.

    Returns
    -------
    tuple of LabelledInterval
        In the file's order.

    Raises
    ------
    LabelError
        If the file cannot be read, lacks a column, holds a malformed row, or labels one moment of
        a capture twice.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise _lacks_columns(path, rows.fieldnames or (), missing)
            intervals = tuple(_interval(path, rows.line_num, row) for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        reason = getattr(err, "strerror", None) or str(err)
        raise LabelError(
            f"{path}: cannot be read as labels: {reason}. Expected a CSV file with the columns "
            f"{','.join(_COLUMNS)}."
        ) from err
    if not intervals:
        raise LabelError(f"{path}: holds no rows, expected at least one labelled interval.")
    _check_overlaps(path, intervals)
    return intervals


def _lacks_columns(path: Path, found: Sequence[str], missing: Sequence[str]) -> LabelError:
    hint = did_you_mean(missing[0], found)
    if len(found) == 1 and any(mark in found[0] for mark in ";\t"):
        hint = " Separate the columns with commas."
    return LabelError(
        f"{path}:1: found the columns {', '.join(found) or 'none'}; missing: "
        f"{', '.join(missing)}.{hint} The first line must name {','.join(_COLUMNS)}."
    )


def _interval(path: Path, line: int, row: dict[str, str | None]) -> LabelledInterval:
    values = {name: (row.get(name) or "").strip() for name in (*_COLUMNS, "network")}
    if not values["capture"]:
        raise LabelError(f"{path}:{line}: the capture is empty, expected a path below the logs.")
    times = []
    for name in ("start", "end"):
        try:
            times.append(parse_time(values[name]))
        except ValueError as err:
            raise LabelError(
                f"{path}:{line}: {name} is {values[name]!r}, expected an RFC 3339 time such as "
                "2026-11-22T06:31:13.426Z."
            ) from err
    if times[0] >= times[1]:
        raise LabelError(
            f"{path}:{line}: ends at {values['end']}, not after its start {values['start']}. "
            "Swap the two, or remove the row."
        )
    try:
        label = check_label_name(values["label"])
    except LibraryError as err:
        raise LabelError(f"{path}:{line}: {err}") from err
    network = values["network"] or network_of(values["capture"])
    return LabelledInterval(values["capture"], times[0], times[1], label, network)


def network_of(capture: str) -> str:
    """Return the first folder of a capture's path, or ``default`` where it lies in none."""
    parts = PurePosixPath(capture.replace("\\", "/")).parts
    return parts[0] if len(parts) > 1 else DEFAULT_NETWORK


def _check_overlaps(path: Path, intervals: tuple[LabelledInterval, ...]) -> None:
    by_capture: dict[str, list[LabelledInterval]] = defaultdict(list)
    for interval in intervals:
        by_capture[interval.capture].append(interval)
    for capture, mine in by_capture.items():
        mine.sort(key=lambda interval: interval.start_ns)
        for before, after in pairwise(mine):
            if after.start_ns < before.end_ns:
                raise LabelError(
                    f"{path}: {capture} is labelled twice from {format_time(after.start_ns)}: "
                    f"{before.label} until {format_time(before.end_ns)}, and {after.label}. "
                    "Expected one label at a time; end the first where the second starts."
                )
