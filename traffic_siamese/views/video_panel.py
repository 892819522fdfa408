"""Beside the cubes of a video: heading, legend, curves, epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.views.colours import UNLABELLED
from traffic_siamese.views.film_data import DrawnRun
from traffic_siamese.views.video_ink import ACCENT, CARD, INK, LINE, SECOND, SOFT, font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_FINE = 3  # lines and dots are drawn in a third of the size and then averaged


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of a diagram.

    Attributes
    ----------
    name : str
        What it shows; empty where the heading says it.
    colour : str
        ``#rrggbb``.
    values : ndarray of shape (n_epochs + 1,), float
        NaN where it has none.
    """

    name: str
    colour: str
    values: NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Diagram:
    """Curves over the epochs, under a heading.

    Attributes
    ----------
    title : str
    curves : sequence of Curve
    is_share : bool
        Whether values are shares, told in per cent.
    """

    title: str
    curves: Sequence[Curve]
    is_share: bool = False

    @property
    def top(self) -> float:
        """Where its upright axis ends."""
        if self.is_share:
            return 1.0
        highest = max(
            (float(np.nanmax(curve.values)) for curve in self.curves if _known(curve)), default=1.0
        )
        return highest * 1.08 if highest > 0 else 1.0

    def told(self, curve: Curve, epoch: float) -> str:
        """Say a curve's value at an epoch."""
        value = value_at(curve, epoch)
        if not np.isfinite(value):
            return "-"
        return f"{value:.0%}" if self.is_share else f"{value:.2f}"


def _known(curve: Curve) -> bool:
    return bool(np.isfinite(curve.values).any())


def value_at(curve: Curve, epoch: float) -> float:
    """Return a curve's value between two epochs; past its end, the last."""
    epoch = min(epoch, len(curve.values) - 1.0)
    before = int(epoch)
    after = min(before + 1, len(curve.values) - 1)
    if not np.isfinite(curve.values[[before, after]]).all():
        return float(curve.values[round(epoch)])
    return float(np.interp(epoch, [before, before + 1], curve.values[[before, after]]))


def diagrams_of(drawn: Sequence[DrawnRun]) -> list[Diagram]:
    """Return the diagrams of one training, or of two side by side."""
    if len(drawn) == 1:
        history, measures = drawn[0].run.history, drawn[0].measures
        losses = [
            Curve("training", ACCENT, history.loss),
            Curve("held out", SECOND, history.val_loss),
        ]
        distances = [
            Curve("different", "#12a87c", measures.between),
            Curve("same", "#cf2231", measures.within),
        ]
        order = [Curve("", "#b04fd0", measures.out_of_order)]
        found = [
            Diagram("Loss", losses),
            Diagram("Distance in the cube", distances),
            Diagram("Triplets out of order", order, is_share=True),
        ]
    else:
        pairs = list(zip(drawn, (ACCENT, SECOND), strict=True))
        found = [
            Diagram(
                "Separation", [Curve(o.run.name, c, o.run.history.separation) for o, c in pairs]
            ),
            Diagram(
                "Triplets out of order",
                [Curve(o.run.name, c, o.measures.out_of_order) for o, c in pairs],
                is_share=True,
            ),
        ]
    kept = [Diagram(d.title, [c for c in d.curves if _known(c)], d.is_share) for d in found]
    return [diagram for diagram in kept if diagram.curves]


class DiagramPicture:
    """A diagram's picture: drawn once, its dots at each epoch.

    Parameters
    ----------
    diagram : Diagram
    box : tuple of int
        Left, top, width and height in the picture, in pixels.
    n_epochs : int
        Where its level axis ends.
    """

    def __init__(self, diagram: Diagram, box: tuple[int, int, int, int], n_epochs: int) -> None:
        self.diagram = diagram
        self.left, self.top, self.width, self.height = box
        self.n_epochs = max(n_epochs, 1)

    def _x(self, epoch: float) -> float:
        return self.width * epoch / self.n_epochs

    def _y(self, value: float) -> float:
        plot = self.height - 30
        return 26 + plot * (1 - max(value, 0.0) / self.diagram.top)

    def paint_still(self, picture: Image) -> None:
        """Paint what does not move: heading, axes, curves."""
        from PIL import Image, ImageDraw

        fine = Image.new("RGB", (_FINE * (self.width + 8), _FINE * self.height), CARD)
        draw = ImageDraw.Draw(fine)
        for share in (0.0, 0.5, 1.0):
            y = _FINE * self._y(share * self.diagram.top)
            draw.line((0, y, _FINE * self.width, y), fill=LINE, width=_FINE)
        for curve in self.diagram.curves:
            for stretch in _stretches(curve.values):
                points = [
                    (_FINE * self._x(epoch), _FINE * self._y(float(curve.values[epoch])))
                    for epoch in stretch
                ]
                draw.line(points, fill=curve.colour, width=2 * _FINE, joint="curve")
        picture.paste(fine.reduce(_FINE), (self.left, self.top))
        at = (self.left, self.top + 8)
        ImageDraw.Draw(picture).text(
            at, self.diagram.title, fill=INK, font=font(15), anchor="lm", stroke_width=0.3
        )

    def paint_epoch(self, draw: ImageDraw, epoch: float) -> None:
        """Paint the epoch's line, the curves' dots, and their values."""
        x = self.left + self._x(epoch)
        draw.line((x, self.top + 26, x, self.top + self.height - 4), fill=SOFT)
        right = float(self.left + self.width + 4)
        for curve in reversed(self.diagram.curves):
            text = f"{curve.name}  {self.diagram.told(curve, epoch)}"
            draw.text((right, self.top + 8), text, fill=curve.colour, font=font(13), anchor="rm")
            right -= font(13).getlength(text) + 12
            value = value_at(curve, epoch)
            if np.isfinite(value):
                y = self.top + self._y(value)
                draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=curve.colour, outline=CARD)


def _stretches(values: NDArray[np.floating]) -> list[list[int]]:
    """Return runs of epochs with a value, each at least two long."""
    found: list[list[int]] = [[]]
    for epoch, value in enumerate(values):
        if np.isfinite(value):
            found[-1].append(epoch)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if len(stretch) > 1]


def paint_legend(picture: Image, colours: Mapping[str, str], box: tuple[int, int, int, int]) -> int:
    """Write the labels with their colours, in lines; return where the next line would be."""
    from PIL import Image, ImageDraw

    left, top, width, height = box
    draw = ImageDraw.Draw(picture)
    x, y = left, top
    dot = Image.new("L", (48, 48))
    ImageDraw.Draw(dot).ellipse((0, 0, 47, 47), fill=255)
    dot = dot.reduce(4)
    for label, colour in colours.items():
        text = label or UNLABELLED
        needed = 20 + round(font(15).getlength(text)) + 16
        if x > left and x + needed > left + width:
            x, y = left, y + 24
        if y + 24 > top + height:
            break
        picture.paste(colour, (x, y + 4), dot)
        draw.text((x + 18, y + 10), text, fill=INK, font=font(15), anchor="lm")
        x += needed
    return y + 24
