"""How figures are written: means with intervals, confusion as letters."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from string import ascii_letters
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.output import count, print_table

if TYPE_CHECKING:
    from traffic_siamese.evaluation.intervals import Interval
    from traffic_siamese.evaluation.watching import Watched

NOT_ASKED = "-"


def percent(interval: Interval | None) -> str:
    """Write a share and its interval in hundredths: ``96.1 (93–99)``; a dash if not asked."""
    if interval is None or not interval.is_measured:
        return NOT_ASKED
    text = _tenths(interval.mean)
    if not interval.has_spread:
        return text
    return f"{text} ({_hundredths(interval.low)}–{_hundredths(interval.high)})"


def _tenths(share: float) -> str:
    """Round to tenths of a hundredth; 100 stands for all, and nothing less."""
    return f"{min(100 * share, 99.9) if share < 1 else 100:.1f}"


def _hundredths(share: float) -> str:
    """Round to whole hundredths, but let neither 0 nor 100 stand for what is not."""
    rounded = round(100 * share)
    if rounded in (0, 100) and 100 * share != rounded:
        return f"{min(max(100 * share, 0.1), 99.9):.1f}"
    return str(rounded)


def print_matrix(
    rows: Mapping[str, Mapping[str, int]], verdicts: Sequence[str], *, unknown: str = "unknown"
) -> None:
    """Write how windows of each label were called; columns are letters that the rows explain."""
    names = [name for name in verdicts if name != unknown]
    letters = dict(zip(names, ascii_letters, strict=False))
    titles = {name: letters.get(name, name) for name in names} | {unknown: "?"}
    extra = [name for name in names if name not in rows]
    lines = [["", "", *(titles[name] for name in verdicts)]]
    for label, counts in rows.items():
        cells = (counts.get(verdict, 0) for verdict in verdicts)
        lines.append([titles.get(label, ""), label, *(str(n) if n else "." for n in cells)])
    print_table(lines, right=range(2, len(verdicts) + 2))
    legend = [f"{titles[name]} {name}" for name in extra]
    legend += ["? unknown"] if unknown in verdicts else []
    if legend:
        click.echo(f"{'   '.join(legend)}")


def incident_lines(runs: Sequence[Watched]) -> list[str]:
    """Say how often normal traffic raised an incident, and how soon faults did."""
    from traffic_siamese.evaluation.watching import false_per_hour

    lines = []
    rate = false_per_hour(runs)
    if rate.is_measured:
        captures = {name for run in runs for name in run.calm}
        hours = sum({run.calm: run.calm_h for run in runs}.values())
        lines.append(
            f"False incidents: {rate.n} in {hours:.1f} h of {count(len(captures), 'capture')} "
            f"without a fault{_times(runs)}: {rate.mean:.2g} per hour "
            f"({rate.low:.2g}–{rate.high:.2g})."
        )
    else:
        lines.append("False incidents: not measured, no capture shows normal traffic alone.")
    for right, what in ((False, "an incident"), (True, "one of the right name")):
        asked = [one for run in runs for one in run.asked(right=right)]
        if asked:
            lines.append(f"Faults that raised {what}: {_delays(runs, len(asked), right=right)}.")
    return lines


def _times(runs: Sequence[Watched]) -> str:
    return f", watched {len(runs)} times" if len({run.calm for run in runs}) < len(runs) else ""


def _delays(runs: Sequence[Watched], n_asked: int, *, right: bool) -> str:
    delays = sorted(value for run in runs for value in run.delays(right=right))
    if not delays:
        return f"0 of {n_asked}"
    median = delays[len(delays) // 2] if len(delays) % 2 else _middle(delays)
    late = delays[min(len(delays) - 1, math.ceil(0.9 * len(delays)) - 1)]
    return (
        f"{len(delays)} of {n_asked}, median {median:.0f} s after the labelled start, nine in ten "
        f"of them within {late:.0f} s"
    )


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return (ordered[half - 1] + ordered[half]) / 2


def watched_json(runs: Sequence[Watched]) -> dict[str, Any]:
    """Return the same for other programs."""
    from traffic_siamese.evaluation.watching import false_per_hour

    return {
        "false_incidents": sum(run.n_false for run in runs),
        "false_unknown_incidents": sum(run.n_false_unknown for run in runs),
        "hours_without_fault": sum(run.calm_h for run in runs),
        "false_incidents_per_hour": interval_json(false_per_hour(runs)),
        "faults": [
            {
                "capture": one.capture,
                "label": one.label,
                "in_library": one.is_known,
                "raised_after_s": one.any_s,
                "rightly_named_after_s": one.right_s,
            }
            for run in runs
            for one in run.detections
        ],
    }


def interval_json(interval: Interval) -> dict[str, Any]:
    """Return mean and interval; null for what was not measured."""
    found = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    values = {name: round(v, 6) if math.isfinite(v) else None for name, v in found.items()}
    return {**values, "n": interval.n}


def intervals_json(found: Mapping[str, Interval]) -> dict[str, Any]:
    """Return intervals by name."""
    return {name: interval_json(value) for name, value in found.items()}


def print_methods(
    methods: Mapping[str, Mapping[str, Interval]], columns: Mapping[str, str]
) -> None:
    """Write the main table: a row per method, a column per question that was asked."""
    asked = {
        title: name
        for title, name in columns.items()
        if any(name in found for found in methods.values())
    }
    rows = [["%, WITH 95 % INTERVALS", *asked]]
    for method, found in methods.items():
        rows.append([method, *(percent(found.get(name)) for name in asked.values())])
    print_table(rows)


def missing_columns(
    methods: Mapping[str, Mapping[str, Interval]], columns: Mapping[str, str]
) -> Collection[str]:
    """Questions that nobody could be asked."""
    found = {name for one in methods.values() for name in one}
    return [title.lower() for title, name in columns.items() if name not in found]
