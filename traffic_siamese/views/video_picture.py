"""The whole picture of a video: one cube and its curves, or two cubes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traffic_siamese.views.colours import label_colours
from traffic_siamese.views.film_data import DrawnRun
from traffic_siamese.views.film_words import headline
from traffic_siamese.views.video_ink import ACCENT, CARD, INK, LINE, PAPER, SOFT, font
from traffic_siamese.views.video_panel import DiagramPicture, diagrams_of, paint_legend
from traffic_siamese.views.video_stage import Stage
from traffic_siamese.views.video_time import Timing

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 1280, 720
_EDGE = 20
_HEAD = 70
_ONE = (_EDGE, _HEAD, 840, HEIGHT - _HEAD - _EDGE)  # left, top, width, height of a cube
_TWO = tuple((_EDGE + at * 630, _HEAD, 610, 466) for at in range(2))
_Box = tuple[int, int, int, int]


class VideoPicture:
    """Paints the frames of a video.

    Parameters
    ----------
    drawn : sequence of DrawnRun
        One training, or two.
    timing : Timing
        Of the video.
    title : str
        Heading.
    """

    def __init__(self, drawn: Sequence[DrawnRun], timing: Timing, title: str) -> None:
        self.timing = timing
        colours = label_colours({name for one in drawn for name in one.label.tolist()})
        self._boxes: Sequence[_Box] = (_ONE,) if len(drawn) == 1 else _TWO
        self._stages = [
            Stage(one, colours, timing, (box[2] - 2, box[3] - 2))
            for one, box in zip(drawn, self._boxes, strict=True)
        ]
        self._names = [one.run.name for one in drawn] if len(drawn) > 1 else []
        panel = (880, _HEAD, WIDTH - 880 - _EDGE, HEIGHT - _HEAD - _EDGE)
        foot = (_EDGE, 556, WIDTH - 2 * _EDGE, HEIGHT - 556 - _EDGE)
        self._still = self._frame(panel if len(drawn) == 1 else foot)
        self._write_head(drawn, title)
        if len(drawn) == 1:
            self._diagrams = _beside(self._still, drawn, timing, colours, panel)
        else:
            self._diagrams = _below(self._still, drawn, timing, colours, foot)
        for diagram in self._diagrams:
            diagram.paint_still(self._still)

    def paint(self, time_s: float) -> Image:
        """Return the picture at a time, RGB, 1280 x 720."""
        from PIL import ImageDraw

        picture = self._still.copy()
        for stage, (left, top, _, _) in zip(self._stages, self._boxes, strict=True):
            picture.paste(stage.paint(time_s), (left + 1, top + 1))
        draw = ImageDraw.Draw(picture)
        for name, (left, top, _, _) in zip(self._names, self._boxes, strict=False):
            draw.text((left + 14, top + 20), name, fill=INK, font=font(19), anchor="lm")
        epoch = self.timing.epoch(time_s)
        for diagram in self._diagrams:
            diagram.paint_epoch(draw, epoch)
        self._count(draw, epoch, time_s)
        return picture

    def _frame(self, other: _Box) -> Image:
        from PIL import Image, ImageDraw

        still = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
        draw = ImageDraw.Draw(still)
        for left, top, width, height in (*self._boxes, other):
            box = (left, top, left + width - 1, top + height - 1)
            draw.rectangle(box, fill=CARD, outline=LINE)
        return still

    def _write_head(self, drawn: Sequence[DrawnRun], title: str) -> None:
        from PIL import ImageDraw

        draw = ImageDraw.Draw(self._still)
        draw.text((_EDGE, 24), title, fill=INK, font=font(24), anchor="lm")
        names = [one.run.name if len(drawn) > 1 else "" for one in drawn]
        sentence = "   |   ".join(
            headline(one.run.history, name).replace("→", "to")
            for one, name in zip(drawn, names, strict=True)
        )
        draw.text((_EDGE, 52), sentence, fill=SOFT, font=font(15), anchor="lm")

    def _count(self, draw: ImageDraw, epoch: float, time_s: float) -> None:
        right = WIDTH - _EDGE
        text = f"epoch {round(epoch)} / {self.timing.n_epochs}"
        draw.text((right, 28), text, fill=INK, font=font(24), anchor="rm")
        share = min(time_s / self.timing.total_s, 1.0)
        draw.rectangle((right - 200, 50, right, 53), fill=LINE)
        draw.rectangle((right - 200, 50, right - 200 + 200 * share, 53), fill=ACCENT)


def _beside(
    still: Image,
    drawn: Sequence[DrawnRun],
    timing: Timing,
    colours: dict[str, str],
    box: _Box,
) -> list[DiagramPicture]:
    """Legend above, diagrams below, in the panel at the right."""
    left, top, width, height = box
    low = paint_legend(still, colours, (left + 16, top + 14, width - 32, 190)) + 10
    diagrams = diagrams_of(drawn)
    each = min((top + height - low) // max(len(diagrams), 1), 180)
    return [
        DiagramPicture(one, (left + 16, low + at * each, width - 40, each - 14), timing.n_epochs)
        for at, one in enumerate(diagrams)
    ]


def _below(
    still: Image,
    drawn: Sequence[DrawnRun],
    timing: Timing,
    colours: dict[str, str],
    box: _Box,
) -> list[DiagramPicture]:
    """Legend at the left, diagrams at the right, in the panel at the foot."""
    left, top, _, height = box
    paint_legend(still, colours, (left + 16, top + 12, 400, height - 16))
    return [
        DiagramPicture(one, (left + 440 + at * 400, top + 12, 370, height - 20), timing.n_epochs)
        for at, one in enumerate(diagrams_of(drawn))
    ]
