"""``traffic-siamese film``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import count, print_json, say
from traffic_siamese.cli.progress import Progress

_VIDEO = (".mp4", ".gif")


def _check_video(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.lower().endswith(_VIDEO):
        raise click.BadParameter(f"{value!r}, expected a name that ends in .mp4 or .gif.")
    return value


@click.command(
    cls=Manual,
    each="file that was written",
    answer={
        "path": "The page, or the video.",
        "bytes": "Its size.",
        "points, frames": "How many windows it shows, at how many moments of the training.",
    },
)
@click.argument("model", type=click.Path(), metavar="MODEL")
@click.argument("other", type=click.Path(), metavar="[OTHER]", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The HTML page to write.",
)
@click.option(
    "--video",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    callback=_check_video,
    help="A video to write, .mp4 or .gif; needs the video extra, and no browser.",
)
@click.option("--title", metavar="TEXT", help="Heading of the page; default: the model's name.")
@click.option(
    "--projection",
    type=click.Choice(["axes", "pca"]),
    default="axes",
    show_default=True,
    help="Which three axes are drawn of an embedding with more: the first, or the principal ones.",
)
@click.option(
    "--max-points",
    type=click.IntRange(min=1),
    default=3000,
    show_default=True,
    help="Windows to draw; labels are thinned to equal numbers above it.",
)
@click.option(
    "--max-frames",
    type=click.IntRange(min=2),
    default=120,
    show_default=True,
    help="Epochs to show; some are left out above it.",
)
@json_option
@common_options
def command(
    model: str,
    other: str | None,
    output: str | None,
    video: str | None,
    title: str | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write the film of how MODEL learned to tell faults apart.

    One HTML page that needs no network: open it in a browser, press ? for its keys. Each point is
    a window of traffic, each colour a fault, each frame an epoch. Faults that were added with an
    example since the training enter at the end. With OTHER, two trainings run side by side.

    \b
    Example:
      traffic-siamese film model -o separation.html
      traffic-siamese film model --video separation.mp4
      traffic-siamese film triplet lossless -o compare.html
    """
    if output is None and video is None:
        raise click.UsageError("nothing to write: give -o FILE for a page, or --video FILE.")
    from traffic_siamese.pipeline import film
    from traffic_siamese.views.film_data import FilmOptions

    options = FilmOptions(**chosen)
    for path in (output, video):
        if path is None:
            continue
        what = "drawing the page" if path == output else "painting the video"
        with Progress(what) as line:
            made = film(
                model,
                path,
                other=other,
                title=title,
                options=options,
                progress=partial(_tell, line, what),
            )
        if as_json:
            figures = {"bytes": made.n_bytes, "points": made.n_points, "frames": made.n_frames}
            print_json({"path": str(made.path), **figures})
            continue
        how = "Open it in a browser." if path == output else "Play it."
        say(
            f"{made.path}: {count(made.n_points, 'window')} over {count(made.n_frames, 'frame')}, "
            f"{made.n_bytes / 1e6:.1f} MB. {how}"
        )


def _tell(line: Progress, what: str, share: float) -> None:
    line.step(share, what)
