"""``traffic-siamese export``."""

from __future__ import annotations

import click

from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import count, print_json, say


@click.command()
@click.argument("model", type=click.Path(), metavar="MODEL")
@click.option("--onnx", type=click.Path(), metavar="FILE", help="Write the encoder as ONNX.")
@click.option(
    "--projector",
    type=click.Path(),
    metavar="DIR",
    help="Write vecs.tsv and meta.tsv: every example and every window followed in training.",
)
@json_option
@common_options
def command(model: str, onnx: str | None, projector: str | None, as_json: bool) -> None:
    """Hand MODEL to other tools.

    The encoder goes out as ONNX, the points as files for an embedding projector.

    \b
    Example:
      traffic-siamese export model --onnx encoder.onnx
      traffic-siamese export model --projector points/
    """
    from traffic_siamese.exporting import export_onnx, export_projector

    if onnx is None and projector is None:
        raise click.UsageError("nothing to export: give --onnx FILE or --projector DIR.")
    done = {}
    if onnx is not None:
        done["onnx"] = export_onnx(model, onnx)
        say(f"{onnx}: {count(done['onnx'], 'byte')}.")
    if projector is not None:
        done["points"] = export_projector(model, projector)
        say(f"{projector}: vecs.tsv and meta.tsv, {count(done['points'], 'point')}.")
    if as_json:
        print_json(done)
