"""``traffic-siamese baseline``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from traffic_siamese.cli.known_names import complete_network
from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option, max_bytes_option, model_option
from traffic_siamese.cli.output import complain, count, duration, print_json, say
from traffic_siamese.cli.progress import reading
from traffic_siamese.cli.sources import find_logs

if TYPE_CHECKING:
    from traffic_siamese.network_normal import LearnedNormal


@click.command(
    cls=Manual,
    answer={
        "network": "The network's name.",
        "bins, given_bins": "Bins learned from, and bins of the logs.",
        "needed_s": "Seconds of traffic that were needed; null if they cannot be told.",
        "steady": "Whether there were enough.",
        "deviation": "How far the halves of the traffic differ, in spreads; null if not known.",
        "warnings": "What was wrong and did not stop it.",
        "logs, model": "As they were named.",
    },
)
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@model_option
@click.option(
    "-n",
    "--network",
    required=True,
    metavar="NAME",
    shell_complete=complete_network,
    help="What to call the network from now on.",
)
@click.option(
    "--mostly-normal", is_flag=True, help="Leave out the parts of the logs that look like trouble."
)
@click.option(
    "--update",
    is_flag=True,
    help="Blend new traffic into what was learned, to follow a slow change; trouble is left out.",
)
@json_option
@max_bytes_option
@common_options
def command(logs: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Learn a network's normal from calm captures.

    It is kept in MODEL, in place of what was known of the network, and used by
    ``classify --network NAME`` and ``faults add --network NAME``. A few minutes are often enough;
    how long a stretch was needed is said. Differences that the captures do not show, such as
    those of day and night, are not learned.

    \b
    Example:
      traffic-siamese baseline quiet-night.pcap.gz --model model --network north
      traffic-siamese baseline yesterday/ --model model --network north --mostly-normal
      traffic-siamese baseline today.pcap.gz --model model --network north --update
    """
    from traffic_siamese.pipeline import learn_network

    sources = [*find_logs(logs, model=options["model"]).logs]
    with reading(sources, then="learning what is normal"):
        learned = learn_network(sources, **options)
    for warning in learned.warnings:
        complain(warning)
    if as_json:
        print_json(_as_json(learned, sources, options["model"]))
        return
    _tell(learned, len(sources), **options)


def _tell(
    learned: LearnedNormal, n_logs: int, *, model: str, network: str, update: bool, **_: bool
) -> None:
    left_out = learned.n_given - learned.n_bins
    say(
        f"{'Updated' if update else 'Learned'} the normal of network {network!r} from "
        f"{count(n_logs, 'log')}, {duration(learned.n_bins * learned.bin_s)} of traffic"
        + (f" ({duration(left_out * learned.bin_s)} of trouble left out)" if left_out else "")
        + f"; {_how_steady(learned)}. Use it: "
        f"traffic-siamese classify LOG --model {model} --network {network}"
    )


def _how_steady(learned: LearnedNormal) -> str:
    steadiness = learned.steadiness
    if steadiness.needed_bins is None:
        return "too little to tell whether it is steady, give two minutes or more"
    needed_s = steadiness.needed_bins * learned.bin_s
    if steadiness.is_enough:
        return f"steady after {duration(needed_s)}"
    more_s = needed_s - steadiness.n_bins * learned.bin_s
    return f"not steady yet, give at least {duration(more_s)} more"


def _as_json(learned: LearnedNormal, sources: list[str], model: str) -> dict[str, Any]:
    steadiness, off = learned.steadiness, learned.steadiness.deviation
    needed = steadiness.needed_bins
    return {
        "network": learned.stored.network,
        "bins": learned.n_bins,
        "given_bins": learned.n_given,
        "needed_s": None if needed is None else needed * learned.bin_s,
        "steady": steadiness.is_enough,
        "deviation": round(off, 6) if math.isfinite(off) else None,
        "warnings": list(learned.warnings),
        "logs": sources,
        "model": str(model),
    }
