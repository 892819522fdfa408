"""``traffic-siamese train``."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, max_bytes_option, model_option
from traffic_siamese.cli.output import complain, count, duration, print_json, say
from traffic_siamese.cli.progress import Progress, clock
from traffic_siamese.cli.table_options import reading_of, table_options
from traffic_siamese.cli.window_options import natural_bin_s, window_of, window_options

if TYPE_CHECKING:
    from traffic_siamese.fitting import FitOptions, FitReport
    from traffic_siamese.keeper import EpochReport

LOSSES = (
    "semi_hard",
    "triplet",
    "hard",
    "lossless",
    "pairwise",
    "supervised_contrastive",
    "multi_similarity",
    "proxy_anchor",
)
"""As ``losses.LOSSES``, which needs TensorFlow to be read."""

_LINE_EVERY = 10


@click.command(
    cls=Manual,
    files={"labels.csv": "capture,start,end,label and, if you like, network; RFC 3339 times."},
    answer={
        "path": "The model's directory.",
        "labels, n_windows": "What it knows; labelled windows that it was trained on.",
        "best_epoch": "The epoch that was kept.",
        "held_out_accuracy": "Balanced, on captures kept out of training; null if there are none.",
        "summary": "How far apart the labels are, in words.",
        "warnings, took_s": "What was wrong and did not stop it; seconds that it took.",
    },
)
@click.argument("logs_dir", type=click.Path())
@click.option(
    "--labels",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="CSV file with the columns capture, start, end, label and, if you like, network.",
)
@model_option
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs at most.")
@click.option(
    "--loss",
    type=click.Choice(LOSSES),
    metavar="LOSS",
    help=f"What pulls labels apart: {', '.join(LOSSES)}.",
)
@click.option("--margin", type=click.FloatRange(min=0, min_open=True), help="Of triplet losses.")
@click.option(
    "--embedding-dim", type=click.IntRange(min=1), help="Axes of the space; the first 3 are drawn."
)
@window_options
@table_options
@click.option("--seed", type=click.IntRange(min=0), help="Everything random depends on it.")
@click.option("--patience", type=click.IntRange(min=1), help="Epochs to wait for a better one.")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Share of each label's captures kept for judging; each network keeps others.",
)
@click.option(
    "--from",
    "start_from",
    metavar="MODEL",
    help="Train this model further; 'pretrained' is the one that ships.",
)
@click.option(
    "--freeze",
    type=click.Choice(("none", "lstm")),
    help="Layers that keep their weights, with --from: none, or all up to the LSTM.",
)
@click.option("--resume", is_flag=True, help="Continue a run that was broken off.")
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write curves and points for TensorBoard; a new folder for each training.",
)
@json_option
@max_bytes_option
@common_options
def command(
    logs_dir: str, labels: str, model: str, resume: bool, as_json: bool, **changes: Any
) -> None:
    """Train a model on the labelled captures, or tables, below LOGS_DIR.

    The labels name captures by their path below LOGS_DIR and times in UTC. The first folder of
    the path is the network, unless the labels have a column for it. Faults that were added to
    MODEL by hand stay in it. Needs the extra: pip install "traffic-siamese[train]".

    Tables (CSV, TSV, Parquet, JSON Lines) train a model on their own columns, those that all of
    them have. FILE#ELEMENT in the labels is one network element of a table, with --by.

    \b
    Example:
      traffic-siamese train captures --labels captures/labels.csv --model model
      traffic-siamese train captures --labels labels.csv --model model --epochs 100 --resume
      traffic-siamese train captures --labels labels.csv --model model --from pretrained
      traffic-siamese train counters --labels labels.csv --model model --window 300 --stride 60
      traffic-siamese train captures --labels labels.csv --model model --tensorboard runs/first
    """
    from traffic_siamese.labels import read_labels
    from traffic_siamese.pipeline import load_training, train

    # Read first, so that errors are told at once: the packages that train take seconds to load.
    names = dict.fromkeys(interval.capture for interval in read_labels(labels))
    with Progress("loading TensorFlow"):
        load_training()
    reading = reading_of(*(changes.pop(name) for name in ("columns", "by", "timezone")))
    tensorboard = changes.pop("tensorboard")
    if changes["bin_s"] is None and not changes["start_from"]:
        changes["bin_s"] = natural_bin_s(logs_dir, labels, reading)
    options = replace(fit_options(**changes), reading=reading)
    say(f"Reading the captures that {labels} names below {logs_dir} …")
    started = time.monotonic()
    files = [os.path.join(logs_dir, name) for name in names]
    with (
        _Epochs() as epochs,
        _told(epochs, tensorboard) as progress,
        epochs.reading(files, then="preparing the windows"),
    ):
        report = train(logs_dir, labels, model, options=options, resume=resume, progress=progress)
    for warning in report.warnings:
        complain(warning)
    took_s = time.monotonic() - started
    if as_json:
        print_json(_as_json(report, took_s))
    else:
        _summarise(report, took_s, held_out=options.held_out_share > 0)


def fit_options(
    *,
    window: float | None = None,
    stride: float | None = None,
    bin_s: float | None = None,
    embedding_dim: int | None = None,
    held_out: float | None = None,
    start_from: str | None = None,
    **training: Any,
) -> FitOptions:
    """Return the options of a run: the defaults, changed where the user said so."""
    from traffic_siamese.pipeline import load_training

    options: FitOptions = load_training().FitOptions()
    spec = window_of(options.window, window=window, stride=stride, bin_s=bin_s)
    changes = {name: value for name, value in training.items() if value is not None}
    fit = replace(options.training, **changes)
    if embedding_dim is not None:
        fit = replace(fit, encoder=replace(fit.encoder, embedding_dim=embedding_dim))
    share = options.held_out_share if held_out is None else held_out
    return replace(
        options,
        window=spec,
        training=fit,
        held_out_share=share,
        start_from=start_from or "",
    )


@contextmanager
def _told(epochs: _Epochs, tensorboard: str | None) -> Iterator[Callable[[EpochReport], None]]:
    """Give what is to be called after every epoch."""
    if tensorboard is None:
        yield epochs.report
        return
    from traffic_siamese.tensorboard_log import TensorBoardLog

    with TensorBoardLog(tensorboard) as log:

        def tell(report: EpochReport) -> None:
            epochs.report(report)
            log(report)

        yield tell


class _Epochs(Progress):
    """Tells how training goes: one changing line on a terminal, a line now and then elsewhere."""

    def report(self, epoch: EpochReport) -> None:
        held_out = "" if math.isnan(epoch.val_loss) else f"  held-out {epoch.val_loss:.4f}"
        text = (
            f"epoch {epoch.epoch}/{epoch.n_epochs}  loss {epoch.loss:.4f}{held_out}  "
            f"separation {epoch.separation:.1f}  ETA {clock(epoch.eta_s)}"
        )
        if self.live:
            self.show(text, at_once=True)
        elif epoch.epoch % _LINE_EVERY == 0 or epoch.epoch in (1, epoch.n_epochs):
            say(text)


def _as_json(report: FitReport, took_s: float) -> dict[str, Any]:
    accuracy = report.held_out_accuracy
    return {
        **asdict(report),
        "path": str(report.path),
        "held_out_accuracy": accuracy if math.isfinite(accuracy) else None,
        "took_s": round(took_s, 3),
    }


def _summarise(report: FitReport, took_s: float, *, held_out: bool) -> None:
    judged = (
        "captures, each by the networks that were not shown it"
        if held_out
        else "the windows it was trained on"
    )
    say(
        f"{report.path}: {count(len(report.labels), 'label')}, "
        f"{count(report.n_windows, 'labelled window')}, epoch {report.best_epoch} kept, "
        f"in {duration(took_s)}."
    )
    say(f"Balanced accuracy {report.held_out_accuracy:.2f}, on {judged}.")
    say(f"{report.summary[:1].upper()}{report.summary[1:]}.")
    say(f"See how it learned: traffic-siamese film {report.path} -o separation.html")
