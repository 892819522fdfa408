"""What ``evaluate --leave-out`` prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.figures import (
    incident_lines,
    intervals_json,
    missing_columns,
    percent,
    print_matrix,
    print_methods,
    watched_json,
)
from traffic_siamese.cli.output import count, print_table, say

if TYPE_CHECKING:
    from traffic_siamese.evaluation.leave_out import LeaveOut

COLUMNS = {
    "KNOWN FAULTS": "known",
    "NEW, ONE EXAMPLE": "same, 1 shot",
    "FROM ANOTHER NETWORK": "other, 1 shot",
    "NORMAL KEPT": "normal kept",
    "AUROC OF UNKNOWN": "unknown AUROC",
    "FPR AT 95 %": "FPR@95",
}
_WHERE = {"KNOWN": "known", "NEW, ONE EXAMPLE": "new, same", "FROM ANOTHER NETWORK": "new, other"}


def print_leave_out(found: LeaveOut) -> None:
    """Write one screen of text."""
    methods, ours = _methods(found), next(iter(found.values))
    print_methods(methods, COLUMNS)
    click.echo(f"\n{ours.upper()}, BY FAULT")
    _print_faults(found, ours)
    click.echo("\nCONFUSION (rows: the truth, columns: the nearest example)")
    _print_confusion(found, ours)
    click.echo()
    for line in _pair_lines(found):
        click.echo(line)
    for line in incident_lines(found.watched):
        click.echo(line)
    click.echo(f"{count(len(found.folds), 'run')}: {'; '.join(found.folds)}.")
    missing = missing_columns(methods, COLUMNS)
    if missing:
        say(f"Not asked: {', '.join(missing)}.")
    for note in found.notes:
        say(f"{note[:1].upper()}{note[1:]}")
    say(
        "Nearest example without rejection, but for incidents. Intervals are over runs and draws: "
        "they do not tell how another network would fare, nor, with one seed, another training."
    )


def _methods(found: LeaveOut) -> dict[str, dict[str, Any]]:
    """Intervals of each method; normal kept with examples of another network, if asked so."""
    methods = {}
    for method in found.values:
        mine = {name: found.interval(method, name) for name in found.measures(method)}
        kept = [f"normal kept, {where}" for where in ("other", "same")]
        first = next((mine[name] for name in kept if name in mine), None)
        methods[method] = mine | ({"normal kept": first} if first else {})
    return methods


def _print_faults(found: LeaveOut, method: str) -> None:
    names = found.measures(method)
    asked = {t: w for t, w in _WHERE.items() if any(n.startswith(f"{w}: ") for n in names)}
    faults = sorted({n.split(": ")[1] for n in names if ": " in n})
    rows = [["FAULT", *asked]]
    for fault in faults:
        measures = [f"{where}: {fault}" for where in asked.values()]
        cells = [percent(found.interval(method, m)) if m in names else "-" for m in measures]
        rows.append([fault, *cells])
    print_table(rows)


def _print_confusion(found: LeaveOut, method: str) -> None:
    calls: Counter[tuple[str, str]] = Counter()
    by_where = found.confusion[method]
    for where in ("known", "new, other" if "new, other" in by_where else "new, same"):
        calls.update(by_where.get(where, Counter()))
    truths = sorted({true for true, _ in calls}, key=lambda name: (name != "normal", name))
    verdicts = sorted(
        {name for pair in calls for name in pair}, key=lambda name: (name != "normal", name)
    )
    rows: dict[str, dict[str, int]] = {}
    for true in truths:
        total = sum(calls[true, called] for called in verdicts)
        rows[f"{true}, %"] = {v: round(100 * calls[true, v] / total) for v in verdicts}
    print_matrix({name.removesuffix(", %"): cells for name, cells in rows.items()}, verdicts)


def _pair_lines(found: LeaveOut) -> list[str]:
    lines = []
    for method in found.values:
        if "EER" in found.measures(method):
            apart, error = found.interval(method, "Cohen's d"), found.interval(method, "EER")
            at = found.interval(method, "EER threshold")
            lines.append(
                f"{method}: Cohen's d {apart.mean:.2f}, equal error rate {error.mean:.1%} at "
                f"distance {at.mean:.3g}"
            )
    if not lines:
        return ["Same or different: not measured, it takes two captures of a label."]
    return ["Same or different, pairs from two captures:", *(f"  {line}" for line in lines)]


def leave_out_json(found: LeaveOut) -> dict[str, Any]:
    """Return everything, single values too."""
    return {
        "runs": found.folds,
        "notes": found.notes,
        "methods": {name: intervals_json(values) for name, values in _methods(found).items()},
        "values": found.values,
        "confusion": {
            method: {
                where: [[*pair, n] for pair, n in sorted(counts.items())]
                for where, counts in by_where.items()
            }
            for method, by_where in found.confusion.items()
        },
        "incidents": watched_json(found.watched),
    }
