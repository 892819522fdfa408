"""``traffic-siamese faults add``."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.incidents import format_span
from traffic_siamese.cli.known_names import complete_fault
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.moments import moments
from traffic_siamese.cli.options import (
    common_options,
    json_option,
    max_bytes_option,
    model_option,
    network_option,
)
from traffic_siamese.cli.output import complain, count, duration, print_json, say
from traffic_siamese.cli.progress import reading

if TYPE_CHECKING:
    from traffic_siamese.teaching import AddedFault


@click.command(
    cls=Manual,
    answer={
        "label, examples": "The fault; how many windows of it are kept.",
        "phases": "How many of these show its steady state, its start, its end.",
        "start, end": "Of the example, RFC 3339, UTC.",
        "nearest_label": "The fault that is most like it; null if there is none.",
        "distance, separation": "To that fault; in units of an example's usual reach.",
        "confusion": "Share of its windows that may be taken for each other fault.",
        "warnings, took_s": "What is odd about the example; seconds that it took.",
    },
)
@click.argument("name", shell_complete=complete_fault)
@click.argument("log", metavar="LOG")
@click.option("--start", required=True, metavar="T", help="When the fault starts to show.")
@click.option("--end", required=True, metavar="T", help="When it ends.")
@model_option
@network_option("Whose learned baseline the example is seen against.")
@click.option("--more", is_flag=True, help="Add to the examples of a fault that exists.")
@click.option(
    "--recovery/--no-recovery",
    default=True,
    help="Keep the window over the example's end, half of which shows the fault (the default).",
)
@click.option(
    "--onset/--no-onset",
    help="Keep the window over its start too; told a little sooner, confused a little more.",
)
@json_option
@max_bytes_option
@common_options
def add(name: str, log: str, as_json: bool, **options: Any) -> None:
    """Teach the fault NAME from one example.

    The example is LOG from --start to --end. A time T is an RFC 3339 time (2026-11-22T06:31:13Z),
    a time of the capture's own day in UTC (06:31:13), or seconds from the capture's start (+95).
    Nothing is trained: the fault is known at once. What it is likely to be confused with is said,
    and windows of the example that look normal are left out.

    \b
    Example:
      traffic-siamese faults add no_route tonight.pcap.gz --start 02:10:00 --end 02:12:30 \\
          --model model --network north
    """
    from traffic_siamese.pipeline import add_fault

    started = time.monotonic()
    times = moments(log, start=options.pop("start"), end=options.pop("end"))
    wanted = {phase: options.pop(phase) for phase in ("onset", "recovery")}
    options["phases"] = ["steady", *(phase for phase in wanted if wanted[phase])]
    with reading([log], then="learning the example"):
        added = add_fault(name, log, *times, **options)
    took_s = time.monotonic() - started
    for warning in added.warnings:
        complain(warning)
    if as_json:
        print_json(_as_json(added, took_s))
        return
    say(
        f"Added {name!r}: {count(added.n_prototypes, 'example')} ({_phases(added)}) from {log}, "
        f"{format_span(added.start_ns, added.end_ns)} UTC, in {duration(took_s)}."
    )
    say(added.forecast.words())


def _phases(added: AddedFault) -> str:
    return ", ".join(f"{n} {phase}" for phase, n in added.phases.items())


def _as_json(added: AddedFault, took_s: float) -> dict[str, Any]:
    from traffic_siamese.times import format_time

    forecast = added.forecast
    known = math.isfinite(forecast.distance)
    return {
        "label": added.name,
        "examples": added.n_prototypes,
        "phases": added.phases,
        "start": format_time(added.start_ns),
        "end": format_time(added.end_ns),
        "nearest_label": forecast.nearest_label or None,
        "distance": round(forecast.distance, 6) if known else None,
        "separation": round(forecast.separation, 6) if known else None,
        "confusion": {label: round(share, 6) for label, share in forecast.shares.items()},
        "warnings": list(added.warnings),
        "took_s": round(took_s, 3),
    }
