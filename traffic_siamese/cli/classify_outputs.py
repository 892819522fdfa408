"""Where the results of classifying go: tables, standard output, and whatever else is asked for.

Each output is opened once, is given every log's result as it comes, and is closed, after an error
too. A new one is a class with ``add`` and ``close``, its wish in `Asked`, and a line in
``open_outputs``.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import click

from traffic_siamese.cli.incidents import incident_lines
from traffic_siamese.cli.output import print_json

if TYPE_CHECKING:
    from traffic_siamese.classification import LogResult
    from traffic_siamese.noc.severity import Severities


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for: the model, the logs, and where results go.

    Attributes
    ----------
    model : str
        The model's directory.
    network : str, optional
        Whose baseline is used.
    logs : tuple of str
        All logs that will be read.
    as_json : bool
        Standard output gets JSON.
    output, incidents : str, optional
        Files for the tables of verdicts and of incidents.
    report : str, optional
        File for the incident page.
    alarms, alarm_url, alarm_format : str, optional
        File for the alarms, where to post them, and their format where these do not tell it.
    severities : Severities, optional
        How bad which label is.
    metrics : str, optional
        File for the metrics, or the address where they are served.
    began_s : float
        When the command began, seconds of the monotonic clock.
    """

    model: str
    network: str | None
    logs: tuple[str, ...]
    as_json: bool = False
    output: str | None = None
    incidents: str | None = None
    report: str | None = None
    alarms: str | None = None
    alarm_url: str | None = None
    alarm_format: str | None = None
    severities: Severities | None = None
    metrics: str | None = None
    began_s: float = field(default_factory=time.monotonic)

    def targets(self) -> list[tuple[str, str]]:
        """Return the files to write, each with its option."""
        named = [
            ("-o", self.output),
            ("--incidents", self.incidents),
            ("--report", self.report),
            ("--alarms", self.alarms),
            ("--metrics", self.metrics),
        ]
        return [(option, target) for option, target in named if target is not None]


def check_outputs(asked: Asked) -> None:
    """Refuse outputs that cannot be, and two to one place, before anything is read."""
    if asked.alarms or asked.alarm_url or asked.alarm_format or asked.severities:
        from traffic_siamese.cli.alarm_output import check_alarms

        check_alarms(asked)
    if asked.report is not None:
        from traffic_siamese.cli.report_output import check_report

        check_report(asked.report)
    if asked.metrics is not None:
        from traffic_siamese.cli.metrics_output import check_metrics

        check_metrics(asked, asked.metrics)
    for (one, target), (other, same) in combinations(asked.targets(), 2):
        if target == same:
            raise click.UsageError(
                f"{one} and {other} both name {target!r}, expected two different files."
            )


class Output(ABC):
    """Somewhere that results go; a context manager that closes it.

    Attributes
    ----------
    n_lost : int
        What could not be handed over, and was complained of.
    """

    n_lost = 0

    @abstractmethod
    def add(self, result: LogResult) -> None:
        """Take one log's result, also of a log that could not be classified."""

    def close(self) -> None:  # noqa: B027 (many outputs have nothing to finish)
        """Finish; called once, whatever happened."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_outputs(stack: ExitStack, asked: Asked) -> list[Output]:
    """Open what was asked for; the stack closes it.

    Called when the first result is there: a model that cannot be used must not cost an older file.
    """
    return [stack.enter_context(output) for output in _outputs(asked)]


def _outputs(asked: Asked) -> Iterator[Output]:
    if asked.output is not None:
        yield RowTable(asked.output, of="verdicts", as_json=asked.as_json)
    if asked.incidents is not None:
        yield RowTable(asked.incidents, of="incidents", as_json=asked.as_json)
    if asked.report is not None:
        from traffic_siamese.cli.report_output import ReportOutput

        yield ReportOutput(asked, asked.report)
    if asked.alarms is not None:
        from traffic_siamese.cli.alarm_output import AlarmOutput

        yield AlarmOutput(asked, asked.alarms)
    if asked.alarm_url is not None:
        from traffic_siamese.cli.alarm_output import AlarmPost

        yield AlarmPost(asked, asked.alarm_url)
    if asked.metrics is not None:
        from traffic_siamese.cli.metrics_output import MetricsOutput

        yield MetricsOutput(asked, asked.metrics)
    if asked.output is None and asked.incidents is None and asked.alarms is None:
        yield PrintedJson() if asked.as_json else PrintedIncidents()


class RowTable(Output):
    """Verdicts, a row for each window, or incidents; in a file or on standard output."""

    def __init__(self, target: str, *, of: Literal["verdicts", "incidents"], as_json: bool) -> None:
        from traffic_siamese import tables

        verdicts = of == "verdicts"
        columns = tables.VERDICT_COLUMNS if verdicts else tables.INCIDENT_COLUMNS
        self._rows = tables.verdict_rows if verdicts else tables.incident_rows
        self._items = attrgetter(of)
        self._table = tables.open_table(target, columns, as_json=as_json)

    def add(self, result: LogResult) -> None:
        """Write the rows at once."""
        self._table.write(self._rows(self._items(result)))

    def close(self) -> None:
        """Finish the table."""
        self._table.close()


class PrintedIncidents(Output):
    """Lines for people on standard output."""

    def add(self, result: LogResult) -> None:
        """Print the log's name and its incidents."""
        if not result.error:
            for line in incident_lines(result):
                click.echo(line)


class PrintedJson(Output):
    """One JSON object for each log on standard output."""

    def add(self, result: LogResult) -> None:
        """Print the object."""
        print_json(_as_json(result))


def _as_json(result: LogResult) -> dict[str, Any]:
    from traffic_siamese.tables import INCIDENT_COLUMNS, incident_rows, plain_value

    return {
        "log": plain_value("text", result.log),
        "windows": dict(Counter(verdict.label for verdict in result.verdicts)),
        "incidents": [
            {c.name: plain_value(c.kind, v) for c, v in zip(INCIDENT_COLUMNS, row, strict=True)}
            | {"features": list(one.features), "details": one.details}
            for one, row in zip(result.incidents, incident_rows(result.incidents), strict=True)
        ],
        "warnings": list(result.warnings),
        "error": result.error or None,
    }
