"""Alarms as rows: one for each raise and each clear, as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json

from traffic_siamese.noc.alarm import Notice
from traffic_siamese.noc.severity import kind_of
from traffic_siamese.times import format_time

FIELDS = (
    *("time", "state", "id", "severity", "label", "network", "log", "start", "end"),
    *("confidence", "event_type", "probable_cause", "reason"),
)
"""Columns of the CSV, keys of the JSON lines."""


def json_line(notice: Notice) -> str:
    """Return one JSON object; what is not known is null."""
    return json.dumps(_row(notice), ensure_ascii=False) + "\n"


def csv_line(notice: Notice) -> str:
    """Return one line of CSV; what is not known is empty."""
    return _csv(["" if value is None else str(value) for value in _row(notice).values()])


def csv_head() -> str:
    """Return the line with the names of the columns."""
    return _csv(FIELDS)


def _row(notice: Notice) -> dict[str, str | float | None]:
    alarm, kind = notice.alarm, kind_of(notice.alarm.label)
    values = (
        format_time(notice.time_ns),
        notice.state,
        alarm.id,
        alarm.severity,
        alarm.label,
        alarm.network or None,
        alarm.log,
        format_time(alarm.raised_ns),
        format_time(notice.time_ns) if notice.clears else None,
        round(alarm.confidence, 4),
        kind.event_type,
        kind.probable_cause,
        alarm.reason,
    )
    return dict(zip(FIELDS, values, strict=True))


def _csv(cells: tuple[str, ...] | list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
