"""Options of ``classify`` that tell other systems: alarms and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from traffic_siamese.noc.severity import Severities

F = TypeVar("F", bound=Callable[..., Any])

ALARM_FORMATS = ("tmf642", "ves", "alertmanager", "syslog", "jsonl", "csv")


class SeverityFile(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no parameter here
    """A YAML file of severities, read before anything else is."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Severities:
        """Read the file."""
        from traffic_siamese.noc.severity import read_severities

        return read_severities(value)


def alarm_options(function: F) -> F:
    """Add ``--alarms``, ``--alarm-format``, ``--alarm-url`` and ``--severity``."""
    alarms = click.option(
        "--alarms",
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Write each incident as an alarm: raised, and cleared where it has ended; - is "
        "standard output.",
    )
    form = click.option(
        "--alarm-format",
        type=click.Choice(ALARM_FORMATS),
        metavar="FORMAT",
        help=f"One of {', '.join(ALARM_FORMATS)}. By default what the name of FILE tells: .csv, "
        ".jsonl, .log (syslog), or tmf642, ves or alertmanager in the name of a .json; JSON lines "
        "on standard output.",
    )
    url = click.option(
        "--alarm-url",
        metavar="URL",
        help="Post the alarms to Alertmanager (.../api/v2/alerts), to a VES event listener "
        "(.../eventListener/v7/eventBatch), to TMF642's .../alarm, or as JSON lines; the variable "
        "TRAFFIC_SIAMESE_ALARM_AUTHORIZATION holds an Authorization header.",
    )
    severity = click.option(
        "--severity",
        "severities",
        type=SeverityFile(),
        metavar="FILE",
        help="YAML file with a line such as 'latency: major' for each label that is not to have "
        "its usual severity.",
    )
    return alarms(form(url(severity(function))))


def metrics_option(function: F) -> F:
    """Add ``--metrics``."""
    return click.option(
        "--metrics",
        metavar="FILE.prom|HOST:PORT",
        help="Count logs, windows and incidents for Prometheus: in a file for node_exporter, whose "
        "counters go on in the next run, or over HTTP as long as this runs.",
    )(function)
