"""``traffic-siamese film``."""

from __future__ import annotations

import click

from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import count, print_json, say
from traffic_siamese.cli.progress import Progress


@click.command()
@click.argument("model", type=click.Path(), metavar="MODEL")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The HTML page to write.",
)
@click.option("--title", metavar="TEXT", help="Heading of the page; default: the model's name.")
@click.option("--max-points", type=click.IntRange(min=1), default=3000, show_default=True)
@click.option("--max-frames", type=click.IntRange(min=2), default=120, show_default=True)
@json_option
@common_options
def command(
    model: str,
    output: str,
    title: str | None,
    max_points: int,
    max_frames: int,
    as_json: bool,
) -> None:
    """Write the film of how MODEL learned to tell faults apart.

    One HTML page that needs no network: open it in a browser.

    \b
    Example:
      traffic-siamese film model -o separation.html
    """
    from traffic_siamese.pipeline import film

    with Progress("drawing"):
        made = film(model, output, title=title, max_points=max_points, max_frames=max_frames)
    if as_json:
        figures = {"bytes": made.n_bytes, "points": made.n_points, "frames": made.n_frames}
        print_json({"path": str(made.path), **figures})
        return
    say(
        f"{made.path}: {count(made.n_points, 'window')} over {count(made.n_frames, 'frame')}, "
        f"{made.n_bytes / 1e6:.1f} MB. Open it in a browser."
    )
