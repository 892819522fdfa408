"""``traffic-siamese evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, max_bytes_option
from traffic_siamese.cli.output import complain, print_json, say
from traffic_siamese.cli.progress import Progress
from traffic_siamese.cli.settings import SKIPPED
from traffic_siamese.cli.table_options import reading_of, table_options
from traffic_siamese.cli.window_options import natural_bin_s, window_of, window_options

if TYPE_CHECKING:
    from traffic_siamese.evaluation.leave_out import LeaveOut, LeaveOutOptions, Step

_OF_TABLES = ("columns", "by", "timezone")
_OF_WINDOWS = ("window", "stride", "bin_s")
_OF_LEAVE_OUT = ("folds", "seeds", "epochs", "embedding_dim", "peers", *_OF_WINDOWS, *_OF_TABLES)


@click.command(
    cls=Manual,
    files={"labels.csv": "capture,start,end,label and, if you like, network; RFC 3339 times."},
    answer={
        "captures, unseen_captures": "How many were judged; how many the model was never shown.",
        "all, unseen": "Windows, recall and confusion of these.",
        "methods, faults": "Means with 95 % intervals: low, high, n.",
        "incidents": "False ones per hour; seconds from a fault's start to its incident.",
        "reasons": "Whether what the reasons name is what moved the verdict.",
        "networks": "Where the normal of each network was from.",
        "skipped, notes": "What could not be read; what could not be measured.",
        "trained_on": "The labels that the encoder was trained on.",
        "verification": "How well pairs of one label are told from pairs of two.",
    },
)
@click.argument("logs_dir", type=click.Path())
@click.option(
    "--labels", required=True, type=click.Path(), metavar="FILE", help="What is true; as in train."
)
@click.option("-m", "--model", type=click.Path(), metavar="MODEL", help="Directory of the model.")
@click.option(
    "--network-baseline",
    "normal_captures",
    multiple=True,
    metavar="CAPTURE",
    help="Learn its network's normal from this capture, named as in the labels; repeatable.",
)
@click.option(
    "--sides",
    metavar="A,B:C",
    help="Networks captured on the same side; examples of a fault travel between these only.",
)
@click.option(
    "--draws", type=click.IntRange(min=2), default=20, help="Random examples.", show_default=True
)
@click.option(
    "--leave-out",
    is_flag=True,
    help="Train encoders that never saw a network and half of the faults, and ask them.",
)
@click.option("--folds", type=click.IntRange(min=1), help="With --leave-out: at most so many.")
@click.option("--seeds", type=click.IntRange(min=1), help="With --leave-out: trainings per fold.")
@click.option("--epochs", type=click.IntRange(min=1), help="With --leave-out: as in train.")
@click.option("--embedding-dim", type=click.IntRange(min=1), help="With --leave-out: as in train.")
@click.option("--peers", is_flag=True, help="With --leave-out: other methods, same windows.")
@window_options
@table_options
@json_option
@max_bytes_option
@common_options
def command(logs_dir: str, labels: str, leave_out: bool, as_json: bool, **options: Any) -> None:
    """Measure how often MODEL is right on labelled captures.

    Judged are the windows that lie wholly in a labelled interval. Each fault is also taken out of
    the model's library and put back with one example, of the same network and of another one.
    Figures of captures that the model was shown, in training or as an example, flatter it; they
    are told apart. A network's baseline is the model's own where it has one, else it is estimated
    from each log.

    With --leave-out the question is how well one trains on such captures: encoders are trained
    that never saw a network and half of the faults (of one network: captures), and asked about
    them; minutes per fold. It needs no MODEL, and the extra: pip install "traffic-siamese[train]".

    \b
    Example:
      traffic-siamese evaluate captures --labels captures/labels.csv --model model
      traffic-siamese evaluate captures --labels new.csv --model model \\
          --network-baseline D/normal-1.pcap.gz
      traffic-siamese evaluate captures --labels captures/labels.csv --leave-out --peers
    """
    sides = _parse_sides(options.pop("sides"))
    if leave_out:
        found, skipped = _leave_out(logs_dir, labels, sides=sides, **options)
        _report_leave_out(found, as_json=as_json)
    else:
        _check_usage(options)
        skipped = _evaluate(logs_dir, labels, options, sides, as_json=as_json)
    if skipped:
        click.get_current_context().exit(SKIPPED)


def _parse_sides(text: str | None) -> list[list[str]] | None:
    if text is None:
        return None
    return [[name.strip() for name in side.split(",") if name.strip()] for side in text.split(":")]


def _check_usage(options: dict[str, Any]) -> None:
    if options["model"] is None:
        raise click.UsageError("Missing option '--model'; only --leave-out does without.")
    for name in _OF_LEAVE_OUT:
        if options[name]:
            told = name.removesuffix("_s").replace("_", "-")
            raise click.UsageError(f"--{told} is an option of --leave-out.")


def _evaluate(
    logs_dir: str,
    labels: str,
    options: dict[str, Any],
    sides: Sequence[Sequence[str]] | None,
    *,
    as_json: bool,
) -> bool:
    from traffic_siamese.cli.evaluate_text import evaluation_json, print_evaluation
    from traffic_siamese.evaluation.evaluate import Questions, evaluate

    with Progress("loading") as progress:

        def show(n_done: int, n: int) -> None:
            progress.step(n_done / n, f"{n_done}/{n} captures" if n_done < n else "measuring")

        found = evaluate(
            logs_dir,
            labels,
            options["model"],
            normal_captures=options["normal_captures"],
            questions=Questions(sides, options["draws"]),
            progress=show,
        )
    _tell_skipped(found.skipped)
    if as_json:
        print_json(evaluation_json(found))
    else:
        print_evaluation(found)
    return bool(found.skipped)


def _leave_out(
    logs_dir: str,
    labels: str,
    *,
    sides: Sequence[Sequence[str]] | None,
    normal_captures: tuple[str, ...],
    **options: Any,
) -> tuple[LeaveOut, bool]:
    from traffic_siamese.evaluation.corpus import read_corpus
    from traffic_siamese.evaluation.leave_out import leave_out
    from traffic_siamese.labels import read_labels
    from traffic_siamese.pipeline import load_training

    read_labels(labels)  # told at once: the packages that train take seconds to load
    with Progress("loading TensorFlow"):
        load_training()
    reading = reading_of(*(options[name] for name in _OF_TABLES))
    if options["bin_s"] is None:
        options["bin_s"] = natural_bin_s(logs_dir, labels, reading)
    run = _options(sides, **options)
    say(f"Reading the captures that {labels} names below {logs_dir} …")
    with Progress("reading the captures") as progress:
        corpus = read_corpus(
            logs_dir,
            labels,
            spec=run.fit.window,
            baseline_captures=normal_captures,
            reading=reading,
            progress=lambda n_done, n: progress.step(n_done / n, f"reading, {n_done}/{n} captures"),
        )
    _tell_skipped(corpus.skipped)
    with _Steps() as steps:
        found = leave_out(corpus, run, progress=steps.report)
    return found, bool(corpus.skipped)


def _options(sides: Sequence[Sequence[str]] | None, **options: Any) -> LeaveOutOptions:
    from traffic_siamese.evaluation.leave_out import LeaveOutOptions

    run = LeaveOutOptions(
        folds=options["folds"],
        seeds=range(options["seeds"] or 1),
        draws=options["draws"],
        peers=options["peers"],
        sides=sides,
        model=options["model"] or "",
    )
    training = run.fit.training
    training = replace(training, epochs=options["epochs"] or training.epochs)
    if options["embedding_dim"]:
        encoder = replace(training.encoder, embedding_dim=options["embedding_dim"])
        training = replace(training, encoder=encoder)
    window = window_of(run.fit.window, **{name: options[name] for name in _OF_WINDOWS})
    return replace(run, fit=replace(run.fit, training=training, window=window))


class _Steps(Progress):
    """Tells how far the folds are: one changing line on a terminal, a line per fold elsewhere."""

    def report(self, step: Step) -> None:
        text = f"{step.share:.0%}  {step.what}"
        if self.live:
            self.show(f"{text}  ETA {self.eta(step.share)}", at_once=True)
        elif step.is_fold:
            eta = self.eta(step.share)
            say(f"{text}, ETA {eta}" if step.share < 1 else text)


def _report_leave_out(found: LeaveOut, *, as_json: bool) -> None:
    from traffic_siamese.cli.leave_out_text import leave_out_json, print_leave_out

    if as_json:
        print_json(leave_out_json(found))
    else:
        print_leave_out(found)


def _tell_skipped(skipped: Sequence[str]) -> None:
    for text in skipped:
        complain(text, kind="Skipped")
