"""``traffic-siamese baseline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from traffic_siamese.cli.options import common_options, json_option, model_option
from traffic_siamese.cli.output import count, duration, print_json, say
from traffic_siamese.cli.sources import find_logs

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@model_option
@click.option(
    "-n", "--network", required=True, metavar="NAME", help="What to call the network from now on."
)
@json_option
@common_options
def command(logs: tuple[str, ...], model: str, network: str, as_json: bool) -> None:
    """Learn a network's normal from calm captures.

    It is kept in MODEL, in place of what was known of the network, and used by
    ``classify --network NAME`` and ``faults add --network NAME``. Half an hour of traffic is
    plenty.

    \b
    Example:
      traffic-siamese baseline quiet-night.pcap.gz --model model --network north
    """
    from traffic_siamese.pipeline import learn_network

    sources: list[str | Path] = [*find_logs(logs).logs]
    stored = learn_network(sources, model=model, network=network)
    if as_json:
        print_json(
            {"network": network, "bins": stored.n_bins, "logs": sources, "model": str(model)}
        )
        return
    say(
        f"Learned the normal of network {network!r} from {count(len(sources), 'log')}, "
        f"{duration(stored.n_bins)} of traffic. Use it: "
        f"traffic-siamese classify LOG --model {model} --network {network}"
    )
