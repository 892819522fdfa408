"""``traffic-siamese init``."""

from __future__ import annotations

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import print_json, say


@click.command(
    cls=Manual, answer={"path": "The model's directory.", "labels": "The faults that it knows."}
)
@click.argument("model", type=click.Path(), metavar="MODEL")
@json_option
@common_options
def command(model: str, as_json: bool) -> None:
    """Start MODEL from the one that ships with the package; no training.

    It knows common SIP faults already, and learns yours from one example each.

    \b
    Example:
      traffic-siamese init model
      traffic-siamese classify captures/ --model model
    """
    from traffic_siamese.pipeline import start_model

    bundle = start_model(model)
    labels = list(bundle.info.labels)
    if as_json:
        print_json({"path": str(bundle.path), "labels": labels})
        return
    say(
        f"{bundle.path}: knows {', '.join(labels)}. "
        f"Use it: traffic-siamese classify LOG --model {bundle.path}"
    )
