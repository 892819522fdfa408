"""``traffic-siamese similar``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.incidents import format_span
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.moments import moments
from traffic_siamese.cli.options import (
    common_options,
    json_option,
    max_bytes_option,
    model_option,
    network_option,
)
from traffic_siamese.cli.output import complain, count, print_json, print_table, say
from traffic_siamese.cli.progress import reading
from traffic_siamese.cli.settings import SKIPPED
from traffic_siamese.cli.sources import Sources, find_logs

if TYPE_CHECKING:
    from traffic_siamese.similar import Hit, Moment, Similar


@click.command(
    cls=Manual,
    answer={
        "asked": "The window asked about: log, start, end, label.",
        "hits": "Nearest first: log, start, end, label of the window; distance; from and to of "
        "the stretch that it is the most similar window of.",
        "logs, windows": "How many were compared.",
        "reach": "Distance within which a window is taken for the same fault as an example.",
        "skipped": "Why logs could not be compared.",
    },
)
@click.argument("log", metavar="LOG")
@click.option("--at", required=True, metavar="T", help="The moment to ask about.")
@model_option
@network_option("Whose learned normal all logs are seen against; else estimated from each.")
@click.option(
    "-a",
    "--among",
    multiple=True,
    metavar="WHERE",
    help="A log, a folder of logs, or a table that classify -o wrote, whose logs are read again; "
    "may be given several times. Default: LOG itself.",
)
@click.option(
    "-k",
    "--number",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Stretches to list.",
)
@json_option
@max_bytes_option
@common_options
def command(log: str, at: str, as_json: bool, **options: Any) -> None:
    """Find when it looked like this before.

    Asked about is the window of LOG around --at: an RFC 3339 time (2026-11-22T06:31:13Z), a time
    of the log's own day in UTC (06:31:13), or seconds from its start (+95). The windows of the
    other logs are ranked by how near the model puts them to it. Of each stretch that shows the
    same, such as one incident, only the most similar window is listed.

    A DISTANCE below the reach means: as alike as two windows of one fault.

    \b
    Example:
      traffic-siamese similar tonight.pcap.gz --at 02:11:00 --model model --among captures/
      traffic-siamese similar tonight.pcap.gz --at 02:11:00 --model model \\
          --among verdicts.parquet --number 3
    """
    from traffic_siamese.model import load_model
    from traffic_siamese.similar import find_similar

    sources = _sources(options["among"], options["model"])
    (at_ns,) = moments(log, at=at)
    with reading([log, *sources.logs], then="comparing"):
        model = load_model(options["model"])
        found = find_similar(
            log,
            at_ns,
            model,
            among=sources.logs,
            network=options["network"],
            n=options["number"],
        )
    for reason in found.skipped:
        complain(reason, kind="Skipped")
    reach = model.bundle.info.calibration.pooled_radius
    if as_json:
        print_json(_as_json(found, reach))
    else:
        _print(found, reach)
    if not options["network"]:
        say("Normal was estimated from each log itself; --network NAME uses a learned one.")
    if found.skipped:
        click.get_current_context().exit(SKIPPED)


def _sources(among: tuple[str, ...], model: str) -> Sources:
    """Return the logs to look into; those of tables of verdicts in their place."""
    from traffic_siamese.verdict_captures import captures_of, is_verdict_table

    named: list[str] = []
    for where in among:
        named += captures_of(where) if is_verdict_table(where) else [where]
    return find_logs(named, model=model) if named else Sources((), ())


def _print(found: Similar, reach: float) -> None:
    asked = found.asked
    span = format_span(asked.start_ns, asked.end_ns)
    click.echo(f"{asked.capture}  {span} UTC  {asked.label}")
    if found.hits:
        print_table(
            [["DISTANCE", "LABEL", "MOST SIMILAR", "STRETCH", "LOG"], *map(_row, found.hits)]
        )
    say(
        f"{count(found.n_windows, 'window')} of {count(found.n_logs, 'log')} compared, "
        f"{count(len(found.hits), 'stretch')} listed; the reach of a fault is {reach:.3f}."
    )


def _row(hit: Hit) -> list[str]:
    window = hit.window
    span = format_span(window.start_ns, window.end_ns)
    stretch = format_span(hit.from_ns, hit.to_ns, with_date=False)
    return [f"{hit.distance:.3f}", window.label, span, stretch, window.capture]


def _as_json(found: Similar, reach: float) -> dict[str, Any]:
    from traffic_siamese.times import format_time

    return {
        "asked": _moment_json(found.asked),
        "hits": [
            {
                **_moment_json(hit.window),
                "distance": round(hit.distance, 6),
                "from": format_time(hit.from_ns),
                "to": format_time(hit.to_ns),
            }
            for hit in found.hits
        ],
        "logs": found.n_logs,
        "windows": found.n_windows,
        "reach": round(reach, 6),
        "skipped": list(found.skipped),
    }


def _moment_json(moment: Moment) -> dict[str, Any]:
    from traffic_siamese.times import format_time

    return {
        "log": moment.capture,
        "start": format_time(moment.start_ns),
        "end": format_time(moment.end_ns),
        "label": moment.label,
    }
