"""``traffic-siamese export``."""

from __future__ import annotations

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import complain, count, print_json, say


@click.command(
    cls=Manual,
    files={
        "vecs.tsv": "One point a row, one axis a column.",
        "meta.tsv": "What each point is, with a line of headings.",
        "projector_config": ".json for the web page, .pbtxt for TensorBoard.",
    },
    answer={
        "onnx": "Bytes of the encoder, with --onnx.",
        "points, axes": "What --projector wrote.",
    },
)
@click.argument("model", type=click.Path(), metavar="MODEL")
@click.option("--onnx", type=click.Path(), metavar="FILE", help="Write the encoder as ONNX.")
@click.option(
    "--projector",
    type=click.Path(),
    metavar="DIR",
    help="Write vecs.tsv and meta.tsv: every example and every window followed in training.",
)
@click.option(
    "--projector-url",
    "address",
    metavar="URL",
    help="Where DIR will be published; for projector_config.json.",
)
@json_option
@common_options
def command(
    model: str, onnx: str | None, projector: str | None, address: str | None, as_json: bool
) -> None:
    """Hand MODEL to other tools.

    The encoder goes out as ONNX, the points as files for the Embedding Projector of TensorFlow.
    Its web page loads vecs.tsv and meta.tsv (button Load), or opens DIR where it is published,
    with ?config=URL/projector_config.json. TensorBoard shows DIR with --logdir DIR.

    \b
    Example:
      traffic-siamese export model --onnx encoder.onnx
      traffic-siamese export model --projector points/
      traffic-siamese export model --projector points --projector-url https://example.org/points
    """
    from traffic_siamese.exporting import export_onnx

    if onnx is None and projector is None:
        raise click.UsageError("nothing to export: give --onnx FILE or --projector DIR.")
    if address is not None and projector is None:
        raise click.UsageError("--projector-url is of no use without --projector DIR.")
    done = {}
    if onnx is not None:
        done["onnx"] = export_onnx(model, onnx)
        say(f"{onnx}: {count(done['onnx'], 'byte')}.")
    if projector is not None:
        done |= _export_points(model, projector, address or "")
    if as_json:
        print_json(done)


def _export_points(model: str, folder: str, address: str) -> dict[str, int]:
    from traffic_siamese.exporting import export_projector

    made = export_projector(model, folder, address=address)
    say(
        f"{folder}: vecs.tsv and meta.tsv, {count(made.n_points, 'point')} with "
        f"{made.n_axes} axes each; projector_config.json and .pbtxt."
    )
    if made.n_axes < made.n_model_axes:
        complain(
            f"{model}: the model has {made.n_model_axes} axes, but only the {made.n_axes} drawn "
            "ones were kept of the windows followed in training. Train again to export all."
        )
    return {"points": made.n_points, "axes": made.n_axes}
