"""``traffic-siamese simulate``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import count, duration, print_json, print_table, say
from traffic_siamese.cli.progress import Progress

FORMATS = ("pcap", "pcap.zst", "parquet")
PROTOCOLS = ("sip", "diameter")
TRANSPORTS = ("udp", "tcp", "tcp_per_call", "sctp")


def _show_families(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        _print_families(as_json=ctx.params.get("as_json", False))
        ctx.exit()


@click.command(
    cls=Manual,
    files={
        "OUT_DIR/labels.csv": "capture,start,end,label of every capture that was written.",
        "FILE of --recipe": "YAML: name, effects (family and its parameters), onset.",
    },
    answer={
        "path, labels_file": "Where the captures are, and what they show.",
        "captures, labels": "Their paths; the faults, and normal.",
        "bytes": "Of all captures.",
        "with --list": "One object a family: family, group, meaning, protocols, parameters.",
    },
)
@click.argument("out_dir", type=click.Path())
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="A fault described in YAML; repeatable. Without --faults it is the only one.",
)
@click.option(
    "--faults",
    metavar="NAMES",
    help="Families of faults, with commas between; a+b is both at once. 'all' is the default.",
)
@click.option("--list", is_flag=True, expose_value=False, callback=_show_families,
              help="Show the families of faults and their parameters, and exit.")  # fmt: skip
@click.option("--protocol", type=click.Choice(PROTOCOLS), default="sip", show_default=True,
              help="What the networks speak.")  # fmt: skip
@click.option("--transport", type=click.Choice(TRANSPORTS),
              help="What that runs over: SIP udp, tcp, or tcp_per_call, drawn for each network "
              "where it is not given; Diameter tcp, the default, or sctp.")  # fmt: skip
@click.option("--networks", "n_networks", type=click.IntRange(min=1), default=3, show_default=True,
              help="Networks, drawn at random.")  # fmt: skip
@click.option("--captures-per-fault", type=click.IntRange(min=1), default=1, show_default=True,
              help="In each network; and as many without a fault.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=2), default=5.0, show_default=True,
              help="Length of a capture.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="The same seed gives the same bytes.")  # fmt: skip
@click.option("--format", type=click.Choice(FORMATS), default="pcap.zst", show_default=True,
              help="Captures, or per-second series for other tools.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@json_option
@common_options
def command(
    out_dir: str,
    recipes: tuple[str, ...],
    faults: str | None,
    force: bool,
    as_json: bool,
    **changes: Any,
) -> None:
    """Write captures of simulated networks, with faults and with labels, to OUT_DIR.

    Subscribers call, register and send messages by the rules of SIP (RFC 3261), or are charged and
    attach by those of Diameter (RFC 6733, RFC 8506, S6a); a fault drops, delays or refuses what
    they send, and what is seen follows. OUT_DIR/labels.csv says what each capture shows, as train
    and evaluate read it.

    \b
    Example:
      traffic-siamese simulate lab --faults latency,service_down --networks 4
      traffic-siamese simulate core --protocol diameter --faults server_overload
      traffic-siamese simulate core --protocol diameter --transport sctp --faults blocked
      traffic-siamese simulate lab --recipe trunk_failure.yaml --minutes 6 --force
      traffic-siamese train lab --labels lab/labels.csv --model model
    """
    from traffic_siamese.simulation import SimulationPlan, read_recipe, simulate

    read = tuple(read_recipe(path) for path in recipes)
    plan = SimulationPlan(faults=_names(faults, bool(recipes)), recipes=read, **changes)
    start_s = time.monotonic()
    with Progress() as progress:

        def show(n_done: int, n: int, name: str) -> None:
            progress.step(n_done / n, f"{n_done}/{n} captures, {name}")

        try:
            report = simulate(out_dir, plan, force=force, progress=show)
        except ValueError as err:
            raise click.UsageError(f"{err}.") from err
    labels = sorted({interval.label for interval in report.intervals})
    if as_json:
        print_json({
            "path": out_dir,
            "labels_file": str(report.labels),
            "captures": [str(path) for path in report.captures],
            "labels": labels,
            "bytes": report.n_bytes,
        })  # fmt: skip
        return
    say(
        f"{out_dir}: {count(len(report.captures), 'capture')} of "
        f"{count(plan.n_networks, 'network')}, {count(len(labels), 'label')}, in "
        f"{duration(time.monotonic() - start_s)}. "
        + (
            "Per-second series, for other tools."
            if plan.format == "parquet"
            else f"Train on them: traffic-siamese train {out_dir} --labels {report.labels} "
            "--model model"
        )
    )


def _names(faults: str | None, has_recipes: bool) -> tuple[str, ...] | None:
    """Return the families that were asked for; None for all."""
    if faults is None:
        return () if has_recipes else None
    names = tuple(name.strip() for name in faults.split(",") if name.strip())
    return None if names == ("all",) else names


def _print_families(*, as_json: bool) -> None:
    from traffic_siamese.simulate.signalling import protocols
    from traffic_siamese.simulate.signalling.families import FAMILIES

    known, diameter = protocols.PROTOCOLS, protocols.DIAMETER
    if as_json:
        for family in FAMILIES.values():
            told: dict[str, Any] = {
                "family": family.name,
                "group": family.group,
                "meaning": family.meaning,
                "protocols": [name for name in known if family.name not in known[name].meaningless],
            }
            print_json({**told, "parameters": [asdict(one) for one in family.parameters]})
        return
    rows = [["FAMILY", "PARAMETER", "USUAL", "MEANING"]]
    for family in FAMILIES.values():
        missing = "; not in Diameter" if family.name in diameter.meaningless else ""
        rows.append([family.name, "", "", f"{family.meaning} ({family.group}{missing})"])
        for one in family.parameters:
            usual = "|".join(one.choices) or (
                f"{one.low:g}" if one.low == one.high else f"{one.low:g}–{one.high:g}"
            )
            codes = [diameter.answers[word] for word in one.choices if word in diameter.answers]
            in_diameter = f" (in Diameter {', '.join(codes)})" if codes else ""
            rows.append(["", one.name, usual, one.meaning + in_diameter])
    rows.append(["flapping_link", "", "", "blocked, coming and going every few seconds (link)"])
    print_table(rows)
