"""``traffic-siamese classify``."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.classify_outputs import Asked, check_outputs, open_outputs
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.noc_options import alarm_options, metrics_option
from traffic_siamese.cli.options import (
    TABLE_FILE,
    common_options,
    json_option,
    max_bytes_option,
    model_option,
    network_option,
)
from traffic_siamese.cli.output import complain, count, say
from traffic_siamese.cli.progress import reading
from traffic_siamese.cli.settings import SKIPPED
from traffic_siamese.cli.sources import Sources, find_logs

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult


@dataclass(slots=True)
class _Tally:
    """What a run has done so far."""

    n_logs: int = 0
    n_skipped: int = 0
    n_damaged: int = 0
    n_lost: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, result: LogResult) -> None:
        self.n_logs += not result.error
        self.n_skipped += bool(result.error)
        self.n_damaged += bool(result.warnings)
        self.labels.update(verdict.label for verdict in result.verdicts)

    def words(self) -> str:
        normal, unknown = self.labels["normal"], self.labels["unknown"]
        n_windows = self.labels.total()
        parts = [
            f"{count(self.n_logs, 'log')} read, {count(n_windows, 'window')}: {normal:,} normal, "
            f"{n_windows - normal - unknown:,} faulty, {unknown:,} unknown"
        ]
        if self.n_skipped:
            parts.append(f"{count(self.n_skipped, 'log')} skipped")
        if self.n_damaged:
            parts.append(f"{count(self.n_damaged, 'log')} read with warnings")
        if self.n_lost:
            parts.append(f"{count(self.n_lost, 'alarm')} not delivered")
        return "; ".join(parts) + "."


@click.command(
    cls=Manual,
    files={
        "FILE of --severity": "YAML: a label and critical, major, minor or warning on each line.",
        "FILE of --alarms": "tmf642, ves and alertmanager: one JSON document; others: lines.",
    },
    each="log",
    answer={
        "log": "As it was named; FILE#ELEMENT for one of a table's network elements.",
        "windows": "How many had which label.",
        "incidents": "Rows of the table of incidents, as objects; features names those that made "
        "the difference, details is the reason at length.",
        "warnings": "What was wrong and did not stop it.",
        "error": "Why the log could not be classified, or null.",
    },
)
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@model_option
@network_option(
    "Whose learned baseline to use; without it, normal is estimated from each log itself."
)
@click.option(
    "-o",
    "--output",
    type=TABLE_FILE,
    metavar="FILE",
    help="Write every window's verdict to a .csv, .jsonl or .parquet file; - is standard output.",
)
@click.option(
    "-i",
    "--incidents",
    type=TABLE_FILE,
    metavar="FILE",
    help="Write the incidents, in the same formats.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write one HTML page of all: incidents, verdicts and features over time.",
)
@alarm_options
@metrics_option
@click.option(
    "--false-alarms-per-day",
    type=click.FloatRange(min=0, min_open=True),
    metavar="RATE",
    help="How often a day normal traffic may raise an incident; default: 1. A smaller rate raises "
    "later and misses more.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes to use; default: cores.")
@json_option
@max_bytes_option
@common_options
def command(logs: tuple[str, ...], **options: Any) -> None:
    """Tell when a log shows which fault.

    A LOG is a capture (pcap or pcapng, plain, gzip or zstd), a table where MODEL was trained on
    tables, a folder of them, or - for standard input. The incidents are printed, times in UTC,
    unless a table or a file of alarms is asked for; with --json, one JSON object for each log.

    Rows and alarms are written as each log ends; the page of --report is put in place at the end,
    and on Ctrl-C with what was done. CSV and JSON survive a kill; a Parquet file can
    be read once the command has ended.

    An incident that is not over when its log ends is raised as an alarm, and not cleared. The id
    of an alarm depends on log, network, start and label: classified again, it is the same alarm.

    \b
    Example:
      traffic-siamese classify tonight.pcap.gz --model model
      traffic-siamese classify captures/ --model model --network A \\
          -o verdicts.parquet --incidents incidents.csv
      traffic-siamese classify captures/ --model model --report report.html
      traffic-siamese classify captures/ --model model --alarms alarms.ves.json \\
          --metrics /var/lib/node_exporter/traffic_siamese.prom
      traffic-siamese classify captures/ --model model --false-alarms-per-day 0.1
    """
    how = {name: options.pop(name) for name in ("workers", "false_alarms_per_day")}
    check_outputs(Asked(logs=logs, **options))
    sources = find_logs(logs, model=options["model"])
    tally = _run(Asked(logs=sources.logs, **options), **how)
    if not tally.n_logs:
        if len(sources.logs) > 1:
            complain("no log could be classified.", kind="Error")
        click.get_current_context().exit(1)
    _summarise(tally, sources, estimated=not options["network"])
    if tally.n_skipped or tally.n_damaged or tally.n_lost:
        click.get_current_context().exit(SKIPPED)


def _run(asked: Asked, **how: Any) -> _Tally:
    from traffic_siamese.classification import classify

    tally, sizes = _Tally(), {log: _size(log) for log in asked.logs}
    n_logs, total = len(sizes), sum(sizes.values())
    with ExitStack() as stack:
        progress = stack.enter_context(reading(asked.logs, then="classifying"))
        found = classify(
            asked.logs, asked.model, network=asked.network, **how, detail=bool(asked.report)
        )
        results = stack.enter_context(closing(found))
        first = next(results)  # a model that cannot be used must not cost the old output file
        outputs = open_outputs(stack, asked)
        for result in chain([first], results):
            tally.add(result)
            progress.clear()
            _complain(result, alone=n_logs == 1)
            for output in outputs:
                output.add(result)
            # A table of several network elements gives as many results.
            sizes.pop(result.log if result.log in sizes else result.log.rpartition("#")[0], 0)
            share = 1 - sum(sizes.values()) / max(1, total)
            done = n_logs - len(sizes)
            progress.step(share, f"{done}/{n_logs} logs")
        tally.n_lost = sum(output.n_lost for output in outputs)
    return tally


def _size(log: str) -> int:
    try:
        return os.path.getsize(log) + 1
    except OSError:
        return 1


def _complain(result: LogResult, *, alone: bool) -> None:
    for warning in result.warnings:
        complain(warning)
    if result.error:
        complain(result.error, kind="Error" if alone else "Skipped")


def _summarise(tally: _Tally, sources: Sources, *, estimated: bool) -> None:
    say(tally.words())
    if sources.left_out:
        say(f"{count(len(sources.left_out), 'file')} left out: no captures by their names.")
    if estimated:
        say("Normal was estimated from each log itself; --network NAME uses a learned one.")
