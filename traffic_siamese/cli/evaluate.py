"""``traffic-siamese evaluate``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.options import common_options, json_option, model_option
from traffic_siamese.cli.output import Progress, complain, count, print_json, print_table, say
from traffic_siamese.cli.settings import SKIPPED

if TYPE_CHECKING:
    from traffic_siamese.evaluation import Confusion, Evaluation


@click.command()
@click.argument("logs_dir", type=click.Path())
@click.option(
    "--labels", required=True, type=click.Path(), metavar="FILE", help="What is true; as in train."
)
@model_option
@click.option(
    "--network-baseline",
    "normal_captures",
    multiple=True,
    metavar="CAPTURE",
    help="Learn its network's normal from this capture, named as in the labels; repeatable.",
)
@json_option
@common_options
def command(
    logs_dir: str, labels: str, model: str, normal_captures: tuple[str, ...], as_json: bool
) -> None:
    """Measure how often MODEL is right on labelled captures.

    Judged are the windows that lie wholly in a labelled interval. Figures of captures that the
    model was shown, in training or as an example, flatter it; they are told apart. A network's
    baseline is the model's own where it has one, else it is estimated from each log.

    \b
    Example:
      traffic-siamese evaluate captures --labels captures/labels.csv --model model
      traffic-siamese evaluate captures --labels new.csv --model model \\
          --network-baseline D/normal-1.pcap.gz
    """
    from traffic_siamese.evaluation import evaluate

    with Progress() as progress:

        def show(n_done: int, n: int) -> None:
            progress.show(f"{n_done}/{n} captures, ETA {progress.eta(n_done / n)}")

        found = evaluate(logs_dir, labels, model, normal_captures=normal_captures, progress=show)
    for text in found.skipped:
        complain(text, kind="Skipped")
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)
    if found.skipped:
        click.get_current_context().exit(SKIPPED)


def _print(found: Evaluation) -> None:
    _print_recalls(found.everything)
    click.echo("\nCONFUSION (rows: the truth, columns: the verdict)")
    _print_matrix(found.everything)
    click.echo()
    _print_totals(found.everything, "all captures", found.n_captures)
    if found.n_unseen == found.n_captures:
        say("The model was shown none of these captures.")
    elif found.n_unseen:
        _print_totals(found.unseen, "captures it was never shown", found.n_unseen)
    else:
        say("The model was shown every one of these captures: the figures flatter it.")
    networks = (f"{name} {source}" for name, source in sorted(found.networks.items()))
    say(f"Baselines: {', '.join(networks)}.")


def _print_recalls(confusion: Confusion) -> None:
    rows = [["LABEL", "WINDOWS", "RECALL", "OTHERWISE CALLED"]]
    for label in confusion.labels:
        known = label in confusion.known
        others = {v: confusion.share(label, v) for v in confusion.verdicts if v != label}
        ranked = sorted(others.items(), key=lambda pair: -pair[1])[:3]
        called = ", ".join(f"{verdict} {share:.2f}" for verdict, share in ranked if share > 0)
        recall = f"{confusion.recall(label):.2f}" if known else "-"
        note = called if known else f"{called}  (not in the library)"
        rows.append([label, str(confusion.windows(label)), recall, note])
    print_table(rows, right=(1, 2))


def _print_matrix(confusion: Confusion) -> None:
    rows = [["", *confusion.verdicts]]
    for label, counts in zip(confusion.labels, confusion.counts.tolist(), strict=True):
        rows.append([label, *(str(n) if n else "." for n in counts)])
    print_table(rows, right=range(1, len(confusion.verdicts) + 1))


def _print_totals(confusion: Confusion, what: str, n_captures: int) -> None:
    n_windows = int(confusion.counts.sum())
    text = f"{count(n_captures, 'capture')}, {count(n_windows, 'window')}: "
    text += f"balanced accuracy {_figure(confusion.balanced_accuracy)}"
    if "normal" in confusion.labels:
        text += f", {confusion.recall('normal'):.1%} of normal kept"
    click.echo(f"{what}: {text}")


def _figure(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "not known"


def _as_json(found: Evaluation) -> dict[str, Any]:
    return {
        "captures": found.n_captures,
        "unseen_captures": found.n_unseen,
        "networks": found.networks,
        "skipped": list(found.skipped),
        "all": _confusion_json(found.everything),
        "unseen": _confusion_json(found.unseen),
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
