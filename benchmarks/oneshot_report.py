"""Tables of the one-shot benchmark, with confidence intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from traffic_siamese.evaluation import intervals

MAIN = {
    "known faults, new network": "known",
    "new, same network": "same, 1 shot",
    "new, other network": "other, 1 shot",
    "normal kept": "normal kept, other",
    "unknown AUROC": "unknown AUROC",
    "FPR@95": "FPR@95",
}
APART = {
    "Cohen's d": "Cohen's d",
    "equal error rate": "EER",
}
SHOTS = {
    f"{where} network, {n}": f"{where}, {n} shot" for where in ("same", "other") for n in (1, 2, 5)
}

Runs = Sequence[dict[str, list[float]]]
"""Of one method: per fold and seed, the values of each measure over the draws."""


def bootstrap(
    runs: Sequence[Sequence[float]], *, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Mean over runs of the mean over draws, with its 95 % interval; NaN without values."""
    found = intervals.bootstrap(runs, rng=rng)
    return found.mean, found.low, found.high


def table(results: dict[str, Runs], columns: dict[str, str]) -> str:
    """Return a Markdown table: a row per method, a column per measure with its interval."""
    lines = [f"| method | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for method, runs in results.items():
        rng = np.random.default_rng(0)
        cells = [
            cell(*bootstrap([run.get(measure, []) for run in runs], rng=rng))
            for measure in columns.values()
        ]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(mean: float, low: float, high: float) -> str:
    """Return a mean with its interval, or a dash where nothing was measured."""
    if np.isnan(mean):
        return "–"
    if np.isnan(low):
        return f"{mean:.3g}"
    digits = 1 if abs(mean) >= 10 else 2 if abs(mean) >= 1.5 else 3
    return f"{mean:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def per_fault(results: dict[str, Runs]) -> str:
    """Return a Markdown table of recalls: a row per fault, a column per method and question."""
    wheres = ("known", "new, same", "new, other")
    faults = sorted(
        {
            name.split(": ")[1]
            for runs in results.values()
            for run in runs
            for name in run
            if ": " in name
        }
    )
    head = [f"{method}: {where}" for method in results for where in wheres]
    lines = [f"| fault | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for fault in faults:
        cells = [
            _mean([run.get(f"{where}: {fault}", []) for run in runs])
            for runs in results.values()
            for where in wheres
        ]
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(runs: Sequence[Sequence[float]]) -> str:
    means = [float(np.mean(run)) for run in runs if len(run)]
    return f"{np.mean(means):.2f}" if means else "–"


def incidents(results: dict[str, Runs]) -> str:
    """Return a Markdown table of false incidents and of the time from onset to an incident."""
    head = ("false incidents per hour", "of these unknown, per hour")
    kinds = ("any incident", "the right incident")
    names = [
        *head,
        *(f"{kind}: {what}" for kind in kinds for what in ("raised", "median s", "p90")),
    ]
    lines = [f"| method | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for method, runs in results.items():
        rng = np.random.default_rng(0)
        cells = [cell(*bootstrap([run.get(m, []) for run in runs], rng=rng)) for m in head]
        for kind in kinds:
            cells.append(_mean([run.get(f"{kind} raised", []) for run in runs]))
            delays = [value for run in runs for value in run.get(f"onset to {kind}, s", [])]
            found = np.quantile(delays, (0.5, 0.9)) if delays else (np.nan, np.nan)
            cells += [f"{value:.0f}" for value in found]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def confusion(counts: Counter[tuple[str, str]]) -> str:
    """Return how windows of each label were called, in hundredths, as text."""
    names = sorted({name for pair in counts for name in pair})
    width = max(map(len, names), default=0)
    head = " ".join(f"{name[:9]:>9}" for name in names)
    lines = [f"{'shown / called':<{max(width, 14)}} {head}"]
    for true in names:
        total = sum(counts[true, called] for called in names)
        if total:
            shares = (100 * counts[true, called] / total for called in names)
            row = " ".join(f"{share:9.0f}" if share >= 0.5 else f"{'.':>9}" for share in shares)
            lines.append(f"{true:<{max(width, 14)}} {row}")
    return "\n".join(lines)
