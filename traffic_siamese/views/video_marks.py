"""What a video lays over the points of a cube: spheres, names, a caption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import StringArray
from traffic_siamese.views.colours import UNLABELLED
from traffic_siamese.views.declutter import declutter
from traffic_siamese.views.video_camera import Camera
from traffic_siamese.views.video_ink import CARD, INK, LINE, SOFT, font, name_tag, rgb

if TYPE_CHECKING:
    from PIL.Image import Image

_FILL, _RIM = 36, 130  # opacity of a sphere, of 255
_RIM_WIDTH = 2.5
_LIFT, _MOST_LIFT = 20.0, 70.0
_NAME_SIZE = 14
_MOST_NAMES = 40  # more would cover the points


def paint_spheres(
    picture: Image, camera: Camera, middles: NDArray[np.float64], reach: float, colour: str
) -> None:
    """Paint spheres of one label as one area, with a rim where no other sphere covers it.

    Parameters
    ----------
    picture : Image
        RGB, changed in place; of the camera's size.
    camera : Camera
    middles : ndarray of shape (n, 3), float64
        In the unit cube.
    reach : float
        Radius, in edges of the cube.
    colour : str
        ``#rrggbb``.
    """
    from PIL import Image, ImageDraw

    across, down, away = camera.project(middles).T
    radius = camera.focal * reach / away
    low = np.floor([(across - radius).min(), (down - radius).min()]).astype(int).clip(0) - 1
    high = np.ceil([(across + radius).max(), (down + radius).max()]).astype(int) + 2
    high = np.maximum(np.minimum(high, [camera.width, camera.height]), low + 1)
    mask = Image.new("L", tuple((high - low).tolist()))
    draw = ImageDraw.Draw(mask)
    for inset, opacity in ((0.0, _RIM), (_RIM_WIDTH, _FILL)):
        for x, y, r in zip(across - low[0], down - low[1], radius - inset, strict=True):
            if r > 0:
                draw.ellipse((x - r, y - r, x + r, y + r), fill=opacity)
    picture.paste(rgb(colour), tuple(low.tolist()), mask)


def paint_names(
    picture: Image,
    camera: Camera,
    places: NDArray[np.float64],
    label: StringArray,
    colours: Mapping[str, str],
) -> None:
    """Write each label's name near the middle of its points, none over another.

    Parameters
    ----------
    picture : Image
        RGB, changed in place; the camera's may be larger by a whole factor.
    camera : Camera
    places : ndarray of shape (n_points, 3), float64
        In the unit cube; NaN for points that are not there yet.
    label : ndarray of shape (n_points,), str
    colours : mapping of str to str
        Label to ``#rrggbb``, for the labels that are written.
    """
    from PIL import ImageDraw

    there = np.isfinite(places).all(axis=1)
    counts = {name: int((there & (label == name)).sum()) for name in colours}
    names = sorted((name for name in colours if counts[name]), key=lambda name: -counts[name])
    names = sorted(names[:_MOST_NAMES])
    if not names:
        return
    mine = [places[there & (label == name)] for name in names]
    middles = np.array([points.mean(axis=0) for points in mine])
    spread = np.array([np.sqrt(points.var(axis=0).sum()) for points in mine])
    scale = camera.width / picture.width
    anchors = camera.project(middles)[:, :2] / scale
    tops = camera.project(middles + spread[:, None] * [0, 0, 1])[:, :2] / scale
    lift = _LIFT + np.minimum(anchors[:, 1] - tops[:, 1], _MOST_LIFT)
    tags = [name_tag(name or UNLABELLED, colours[name], _NAME_SIZE) for name in names]
    sizes = np.array([tag.size for tag in tags], np.float64)
    boxes = declutter(np.stack([anchors[:, 0], anchors[:, 1] - lift], axis=1), sizes, *picture.size)
    draw = ImageDraw.Draw(picture)
    for name, anchor, box, size in zip(names, anchors, boxes, sizes, strict=True):
        edge = np.clip(anchor, box - size / 2, box + size / 2)
        draw.line([*anchor.tolist(), *edge.tolist()], fill=colours[name])
    for tag, box in zip(tags, boxes, strict=True):
        left, top = round(box[0] - tag.width / 2), round(box[1] - tag.height / 2)
        picture.paste(tag, (left, top), tag)


def paint_caption(picture: Image, name: str, words: str, colour: str) -> None:
    """Write at the foot of a picture how a label came in, on two lines where one is too long."""
    from PIL import ImageDraw

    size = 18
    lines = [f"{name} {words}"]
    if font(size).getlength(lines[0]) > picture.width - 60:
        lines = [name, words]
    width = max(font(size).getlength(line) for line in lines) + 36
    height = 26 * len(lines) + 12
    left, top = (picture.width - width) / 2, picture.height - height - 14
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((left, top, left + width, top + height), 8, CARD, LINE)
    draw.rectangle((left, top + 3, left + 5, top + height - 3), colour)
    for number, line in enumerate(lines):
        at = (picture.width / 2, top + 19 + 26 * number)
        ink = INK if number == 0 else SOFT
        draw.text(at, line, fill=ink, font=font(size), anchor="mm")
