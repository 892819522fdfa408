"""What ``evaluate`` prints of a model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.faithfulness_text import faithfulness_json, print_faithfulness
from traffic_siamese.cli.figures import (
    incident_lines,
    intervals_json,
    percent,
    print_matrix,
    print_methods,
    watched_json,
)
from traffic_siamese.cli.output import count, print_table, say

if TYPE_CHECKING:
    from traffic_siamese.evaluation.confusion import Confusion
    from traffic_siamese.evaluation.evaluate import Evaluation
    from traffic_siamese.evaluation.verification import Verification

COLUMNS = {
    "KNOWN": "known",
    "ONE EXAMPLE": "same",
    "FROM ANOTHER NETWORK": "other",
    "NORMAL KEPT": "normal kept",
    "AUROC OF UNKNOWN": "AUROC",
    "FPR AT 95 %": "FPR@95",
}


def print_evaluation(found: Evaluation) -> None:
    """Write one screen of text."""
    _print_faults(found)
    click.echo("\nCONFUSION (rows: the truth, columns: the verdict)")
    _print_confusion(found.everything)
    click.echo()
    print_methods(found.methods, COLUMNS)
    click.echo()
    if found.reasons is not None:
        print_faithfulness(found.reasons)
        click.echo()
    for line in (_verification_line(found), *incident_lines([found.watched])):
        click.echo(line)
    _print_totals(found.everything, "all captures", found.n_captures)
    if 0 < found.n_unseen < found.n_captures:
        _print_totals(found.unseen, "captures it was never shown", found.n_unseen)
    _say_caveats(found)


def _print_faults(found: Evaluation) -> None:
    from traffic_siamese.evaluation.evaluate import CLASSIFY

    rows = [
        ["LABEL", "WINDOWS", "RECALL", "ONE EXAMPLE", "FROM ANOTHER NETWORK", "UNKNOWN", "CALLED"]
    ]
    recalls = {"normal": found.methods[CLASSIFY].get("normal kept")}
    for label in found.everything.labels:
        figures = found.faults.get(label, {})
        known = label in found.everything.known
        recall = recalls.get(label, figures.get("known")) if known else None
        called = _otherwise(found.everything, label)
        rows.append(
            [
                label,
                str(found.everything.windows(label)),
                percent(recall),
                *(percent(figures.get(name)) for name in ("same", "other", "unknown")),
                called if known else f"{called}  (not in the library)",
            ]
        )
    print_table(rows, right=(1,))


def _otherwise(confusion: Confusion, label: str) -> str:
    others = {v: confusion.share(label, v) for v in confusion.verdicts if v != label}
    ranked = sorted(others.items(), key=lambda pair: -pair[1])[:3]
    return ", ".join(f"{verdict} {100 * share:.1f}" for verdict, share in ranked if share > 0)


def _print_confusion(confusion: Confusion) -> None:
    rows = {
        label: dict(zip(confusion.verdicts, counts, strict=True))
        for label, counts in zip(confusion.labels, confusion.counts.tolist(), strict=True)
    }
    print_matrix(rows, confusion.verdicts)


def _verification_line(found: Evaluation) -> str:
    before, after = found.before, found.after
    if before is None or after is None:
        return "Same or different: not measured, it takes two captures of a label, and two labels."
    return (
        "Same or different, pairs from two captures: Cohen's d "
        f"{before.cohens_d:.2f} by scaled features, {after.cohens_d:.2f} by the encoder; equal "
        f"error rate {before.error:.1%} and {after.error:.1%}, at distance {after.threshold:.2f}."
    )


def _print_totals(confusion: Confusion, what: str, n_captures: int) -> None:
    n_windows = int(confusion.counts.sum())
    text = f"{count(n_captures, 'capture')}, {count(n_windows, 'window')}: "
    text += f"balanced accuracy {figure(confusion.balanced_accuracy)}"
    if "normal" in confusion.labels:
        text += f", {confusion.recall('normal'):.1%} of normal kept"
    click.echo(f"{what}: {text}")


def figure(value: float) -> str:
    """Write a share with three digits, or that it is not known."""
    return f"{value:.3f}" if math.isfinite(value) else "not known"


def _say_caveats(found: Evaluation) -> None:
    for note in found.notes:
        say(f"{note[:1].upper()}{note[1:]}")
    n_shown = found.n_captures - found.n_unseen
    if not n_shown:
        say("The model was shown none of these captures.")
    elif not found.n_unseen:
        say("The model was shown every one of these captures: the figures flatter it.")
    trained = sorted(found.trained & set(found.faults))
    if trained:
        say(
            f"Its encoder was trained on {', '.join(trained)}: as one example they are easier for "
            "it than faults it never met. --leave-out asks about those."
        )
    networks = (f"{name} {source}" for name, source in sorted(found.networks.items()))
    say(f"Baselines: {', '.join(networks)}.")


def evaluation_json(found: Evaluation) -> dict[str, Any]:
    """Return everything for other programs."""
    return {
        "captures": found.n_captures,
        "unseen_captures": found.n_unseen,
        "networks": found.networks,
        "skipped": list(found.skipped),
        "notes": list(found.notes),
        "all": _confusion_json(found.everything),
        "unseen": _confusion_json(found.unseen),
        "methods": {name: intervals_json(values) for name, values in found.methods.items()},
        "faults": {name: intervals_json(values) for name, values in found.faults.items()},
        "trained_on": sorted(found.trained),
        "verification": {
            "scaled features": _verification_json(found.before),
            "embeddings": _verification_json(found.after),
        },
        "incidents": watched_json([found.watched]),
        "reasons": faithfulness_json(found.reasons),
    }


def _confusion_json(confusion: Confusion) -> dict[str, Any]:
    accuracy = confusion.balanced_accuracy
    return {
        "windows": int(confusion.counts.sum()),
        "balanced_accuracy": round(accuracy, 6) if math.isfinite(accuracy) else None,
        "recall": {x: round(confusion.recall(x), 6) for x in confusion.labels},
        "in_library": {label: label in confusion.known for label in confusion.labels},
        "verdicts": list(confusion.verdicts),
        "confusion": dict(zip(confusion.labels, confusion.counts.tolist(), strict=True)),
    }


def _verification_json(found: Verification | None) -> dict[str, Any] | None:
    if found is None:
        return None
    distance = found.cohens_d
    return {
        "cohens_d": round(distance, 6) if math.isfinite(distance) else None,
        "equal_error_rate": round(found.error, 6),
        "threshold": round(found.threshold, 6),
        "pairs": {"same": found.n_same, "different": found.n_different},
    }
