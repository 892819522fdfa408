"""One cube of a video, at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.views.film_data import PROTOTYPE, DrawnRun
from traffic_siamese.views.film_words import caption_of
from traffic_siamese.views.video_camera import Camera, camera_at
from traffic_siamese.views.video_ink import CARD, CUBE, INK, SOFT, font, rgb
from traffic_siamese.views.video_marks import paint_caption, paint_names, paint_spheres
from traffic_siamese.views.video_points import OUTLINE, paint_points
from traffic_siamese.views.video_time import Timing, newest_label, places_at, settled_labels

if TYPE_CHECKING:
    from PIL.Image import Image

_FINE = 2  # pixels are painted in half the size and then averaged
_CORNERS = np.array([[k & 1, k >> 1 & 1, k >> 2 & 1] for k in range(8)], np.float64)
_EDGES = [(a, a | 1 << axis) for a in range(8) for axis in range(3) if not a & 1 << axis]
_AXES = np.array([[0.5, 1.08, -0.04], [1.08, 0.5, -0.04], [1.05, -0.05, 0.5]])


class Stage:
    """Paints one training.

    Parameters
    ----------
    drawn : DrawnRun
        The training.
    colours : mapping of str to str
        Label to ``#rrggbb``.
    timing : Timing
        Of the whole video.
    size : tuple of int
        Width and height of the picture, in pixels.
    """

    def __init__(
        self,
        drawn: DrawnRun,
        colours: Mapping[str, str],
        timing: Timing,
        size: tuple[int, int],
    ) -> None:
        self.drawn = drawn
        self.timing = timing
        self.size = size
        names = np.unique(drawn.label)
        self.colours = {str(name): colours[str(name)] for name in names}
        self._number = np.searchsorted(names, drawn.label) % (OUTLINE - 1) + 1
        self._palette = _palette(list(self.colours.values()))

    def paint(self, time_s: float) -> Image:
        """Return the cube at a time, as an RGB picture."""
        width, height = self.size
        camera = camera_at(time_s / self.timing.total_s, _FINE * width, _FINE * height)
        places = places_at(self.drawn, self.timing, time_s)
        picture = _cube(camera, self.drawn.projection.axes)
        for name in settled_labels(self.drawn, self.timing, time_s):
            mine = (self.drawn.label == name) & (self.drawn.kind >= PROTOTYPE)
            reach = self.drawn.reach[name]
            paint_spheres(picture, camera, places[mine], reach, self.colours[name])
        self._points(picture, camera.project(places))
        small = picture.reduce(_FINE)
        paint_names(small, camera, places, self.drawn.label, self.colours)
        entering = newest_label(self.drawn, self.timing, time_s)
        if entering is not None:
            words = caption_of(self.drawn, entering)
            paint_caption(small, entering, words, self.colours[entering])
        return small

    def _points(self, picture: Image, places: NDArray[np.float64]) -> None:
        from PIL import Image

        numbers = np.zeros((picture.height, picture.width), np.uint8)
        radius = _FINE * float(np.clip(5.2 - 0.8 * np.log10(len(places)), 2.0, 3.6))
        paint_points(
            numbers,
            places,
            colour=self._number,
            kind=self.drawn.kind,
            radius=radius * min(1.0, self.size[0] / 760),
        )
        mask = Image.fromarray((numbers > 0).view(np.uint8) * np.uint8(255))
        coloured = Image.fromarray(numbers)
        coloured.putpalette(self._palette)
        picture.paste(coloured.convert("RGB"), mask=mask)


def _palette(colours: list[str]) -> bytes:
    table = np.zeros((256, 3), np.uint8)
    for number, colour in enumerate(colours):
        table[number % (OUTLINE - 1) + 1] = rgb(colour)
    table[OUTLINE] = rgb(INK)
    return table.tobytes()


def _cube(camera: Camera, axes: tuple[str, str, str]) -> Image:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (camera.width, camera.height), CARD)
    draw = ImageDraw.Draw(picture)
    corners = camera.project(_CORNERS)[:, :2].tolist()
    for a, b in _EDGES:
        draw.line([*corners[a], *corners[b]], fill=CUBE, width=_FINE)
    for name, (x, y, _) in zip(axes, camera.project(_AXES).tolist(), strict=True):
        draw.text((x, y), name, fill=SOFT, font=font(14 * _FINE), anchor="mm")
    return picture
