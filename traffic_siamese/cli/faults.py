"""``traffic-siamese faults``: look at the fault library and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.faults_add import add
from traffic_siamese.cli.faults_show import show
from traffic_siamese.cli.known_names import complete_fault
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, model_option
from traffic_siamese.cli.output import count, print_json, print_table, say

if TYPE_CHECKING:
    from traffic_siamese.oneshot.library import LabelSummary


@click.group()
@common_options
def command() -> None:
    """Look at a model's faults; add, rename, remove.

    \b
    Example:
      traffic-siamese faults list --model model
    """


command.add_command(add)
command.add_command(show)


@command.command(
    cls=Manual,
    name="list",
    each="fault, in one list",
    answer={
        "label": "The fault.",
        "trained, added": "Examples from training, and taught by hand.",
        "reach": "Within which distance a window is taken for it.",
        "phases": "Those of the fault that the examples show.",
    },
)
@model_option
@json_option
@common_options
def list_(model: str, as_json: bool) -> None:
    """List the faults that a model knows.

    TRAINED and ADDED are the numbers of examples; REACH is the distance within which a window is
    taken for the fault; PHASES are those of the fault that the examples show.

    \b
    Example:
      traffic-siamese faults list --model model
    """
    from traffic_siamese.bundle import load_bundle

    bundle = load_bundle(model)
    rows = bundle.library().summary(bundle.encoder_id)
    calibration = bundle.info.calibration
    reach = {r.label: calibration.radii.get(r.label, calibration.pooled_radius) for r in rows}
    if as_json:
        print_json([_as_json(row, reach[row.label]) for row in rows])
        return
    cells = [
        [r.label, str(r.n_trained), str(r.n_added), f"{reach[r.label]:.3f}", ", ".join(r.phases)]
        for r in rows
    ]
    print_table([["FAULT", "TRAINED", "ADDED", "REACH", "PHASES"], *cells], right=(1, 2, 3))


def _as_json(row: LabelSummary, reach: float) -> dict[str, Any]:
    return {
        "label": row.label,
        "trained": row.n_trained,
        "added": row.n_added,
        "reach": round(reach, 6),
        "phases": list(row.phases),
    }


@command.command(cls=Manual, answer={"old, new": "Its names."})
@click.argument("old", shell_complete=complete_fault)
@click.argument("new")
@model_option
@json_option
@common_options
def rename(old: str, new: str, model: str, as_json: bool) -> None:
    """Give the fault OLD the name NEW.

    \b
    Example:
      traffic-siamese faults rename blocked core_link_down --model model
    """
    from traffic_siamese.bundle import rename_label

    rename_label(model, old, new)
    if as_json:
        print_json({"old": old, "new": new})
        return
    say(f"{old!r} is now called {new!r}. Verdicts written before keep the old name.")


@command.command(
    cls=Manual,
    answer={
        "label": "The fault.",
        "removed": "How many examples it had.",
        "sources": "Where each had been seen: capture, start, end, network, phase.",
    },
)
@click.argument("name", shell_complete=complete_fault)
@model_option
@json_option
@common_options
def remove(name: str, model: str, as_json: bool) -> None:
    """Forget the fault NAME and all its examples.

    \b
    Example:
      traffic-siamese faults remove no_route --model model
    """
    from traffic_siamese.bundle import load_bundle

    bundle = load_bundle(model)
    library = bundle.library()
    sources = [p.source for p in library.prototypes(bundle.encoder_id) if p.label == name]
    n_removed = library.remove(name)
    if as_json:
        print_json({"label": name, "removed": n_removed, "sources": sources})
        return
    captures = ", ".join(sorted({source.get("capture", "?") for source in sources}))
    say(f"Removed {name!r}: {count(n_removed, 'example')} from {captures}.")
