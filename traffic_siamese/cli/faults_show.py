"""``traffic-siamese faults show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.known_names import complete_fault
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, model_option
from traffic_siamese.cli.output import print_json, print_table

if TYPE_CHECKING:
    from traffic_siamese.inspection.faults import FaultDescription


@click.command(
    cls=Manual,
    answer={
        "label, reach": "The fault; within which distance a window is taken for it.",
        "examples": "Where each was seen: capture, start, end, network, phase.",
        "distances": "To the other labels.",
    },
)
@click.argument("name", shell_complete=complete_fault)
@model_option
@json_option
@common_options
def show(name: str, model: str, as_json: bool) -> None:
    """Show the examples of the fault NAME.

    And how far it is from the other labels: a distance below the reach means that the two can be
    taken for one another.

    \b
    Example:
      traffic-siamese faults show blocked --model model
    """
    from traffic_siamese.inspection.faults import describe_fault
    from traffic_siamese.model import load_model

    fault = describe_fault(load_model(model), name)
    if as_json:
        print_json(_as_json(fault))
        return
    click.echo(f"{name}: reach {fault.reach:.3f}")
    click.echo("\nEXAMPLES")
    print_table([_example(source) for source in fault.examples])
    if fault.distances:
        click.echo("\nDISTANCE TO")
        print_table([[label, f"{value:.3f}"] for label, value in fault.distances.items()])


def _example(source: dict[str, str]) -> list[str]:
    origin = f"added {source['added_at']}" if "added_at" in source else "trained"
    network = source.get("network") or "normal estimated"
    span = f"{source.get('start', '?')} – {source.get('end', '?')}"
    phase = source.get("phase", "steady")
    return [f"  {source.get('capture', '?')}", span, phase, network, origin]


def _as_json(fault: FaultDescription) -> dict[str, Any]:
    distances = {label: round(value, 6) for label, value in fault.distances.items()}
    return {
        "label": fault.label,
        "reach": round(fault.reach, 6),
        "examples": list(fault.examples),
        "distances": distances,
    }
