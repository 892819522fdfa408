"""Incidents as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.colours import coloured_label
from traffic_siamese.times import format_clock, format_time

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult


def format_span(start_ns: int, end_ns: int, *, with_date: bool = True) -> str:
    """Write from when to when, UTC, to the second; the day once where it is the same."""
    days = [format_time(time_ns)[:10] for time_ns in (start_ns, end_ns)]
    clocks = [format_clock(time_ns) for time_ns in (start_ns, end_ns)]
    if days[0] != days[1]:
        return f"{days[0]} {clocks[0]}–{days[1]} {clocks[1]}"
    return (f"{days[0]} " if with_date else "") + f"{clocks[0]}–{clocks[1]}"


def incident_lines(result: LogResult) -> list[str]:
    """Return the lines to print for one log: its name and day, then one line per incident."""
    from traffic_siamese.explanation.log_reasons import ESTIMATED

    first, last = result.verdicts[0].start_ns, result.verdicts[-1].end_ns
    one_day = format_time(first)[:10] == format_time(last)[:10]
    day = f"  {format_time(first)[:10]} UTC" if one_day else "  UTC"
    lines = [click.style(result.log, bold=True) + day]
    width = max((len(incident.label) for incident in result.incidents), default=0)
    for incident in result.incidents:
        span = format_span(incident.start_ns, incident.end_ns, with_date=not one_day)
        why = incident.reason.removesuffix(f" ({ESTIMATED})")
        label = coloured_label(incident.label, incident.label.ljust(width))
        lines.append(f"  {span}  {label} {incident.confidence:.2f}  {why}".rstrip())
    return lines if result.incidents else [*lines, "  no incident"]
