"""``traffic-siamese faults show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.known_names import complete_fault
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, model_option
from traffic_siamese.cli.output import count, print_json, print_table, say

if TYPE_CHECKING:
    from traffic_siamese.views.prototype_page import DrawnExample, DrawnFault


@click.command(
    cls=Manual,
    answer={
        "label, reach": "The fault; within which distance a window is taken for it.",
        "examples": "Where each was seen: capture, start, end, network, phase.",
        "reasons": "Of each example, in the same order: reason, what differs from normal; features "
        "that it speaks of; matters, for each of them and each eighth of the window, how much of "
        "the way to normal the window goes when that is normal.",
        "distances": "To the other labels.",
    },
)
@click.argument("name", shell_complete=complete_fault)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Draw the fault as one HTML page too.",
)
@model_option
@json_option
@common_options
def show(name: str, output: str | None, model: str, as_json: bool) -> None:
    """Show the examples of the fault NAME, and what makes each of them that fault.

    And how far it is from the other labels: a distance below the reach means that the two can be
    taken for one another. With -o a page draws the same, second by second: it needs no network.

    \b
    Example:
      traffic-siamese faults show blocked --model model
      traffic-siamese faults show blocked --model model -o blocked.html
    """
    from traffic_siamese.inspection.explained_fault import explain_fault
    from traffic_siamese.model import load_model

    fault = explain_fault(load_model(model), name)
    if output is not None:
        _draw(fault, output)
    if as_json:
        print_json(_as_json(fault))
    else:
        _print(fault)


def _draw(fault: DrawnFault, output: str) -> None:
    from traffic_siamese.views.prototype_page import write_prototype_page

    n_bytes = write_prototype_page(fault, output)
    examples = count(len(fault.examples), "example")
    say(f"{output}: {examples}, {n_bytes / 1e6:.1f} MB. Open it in a browser.")


def _print(fault: DrawnFault) -> None:
    click.echo(f"{fault.label}: reach {fault.reach:.3f}")
    click.echo("\nEXAMPLES")
    rows = [_row(example) for example in fault.examples]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row, example in zip(rows, fault.examples, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
        click.echo(f"      {example.reason}")
    if fault.distances:
        click.echo("\nDISTANCE TO")
        print_table([[label, f"{value:.3f}"] for label, value in fault.distances.items()])


def _row(example: DrawnExample) -> list[str]:
    source = example.source
    origin = f"added {source['added_at']}" if "added_at" in source else "trained"
    network = source.get("network") or "normal estimated"
    span = f"{source.get('start', '?')} – {source.get('end', '?')}"
    phase = source.get("phase", "steady")
    return [f"  {source.get('capture', '?')}", span, phase, network, origin]


def _as_json(fault: DrawnFault) -> dict[str, Any]:
    distances = {label: round(value, 6) for label, value in fault.distances.items()}
    return {
        "label": fault.label,
        "reach": round(fault.reach, 6),
        "examples": [dict(one.source) for one in fault.examples],
        "reasons": [
            {
                "reason": one.reason,
                "features": list(one.features),
                "matters": [[round(share, 4) for share in row] for row in one.matters.tolist()],
            }
            for one in fault.examples
        ],
        "distances": distances,
    }
