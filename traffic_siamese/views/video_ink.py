"""Colours and letters of videos, and what draws with them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from traffic_siamese.errors import MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

PAPER = "#f6f7f9"
CARD = "#ffffff"
INK = "#16202c"
SOFT = "#5c6875"
LINE = "#dfe4e9"
CUBE = "#a9b3be"
ACCENT = "#1d4ed8"
SECOND = "#d97a1e"


def load_package(name: str) -> ModuleType:
    """Import a package of the ``video`` extra.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as err:
        raise MissingExtraError(
            f"a video needs {name.split('.')[0]}, which is not installed. "
            'Install it with: pip install "traffic-siamese[video]"'
        ) from err


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of ``#rrggbb``."""
    value = int(colour[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255


@lru_cache(maxsize=32)
def font(size: int) -> FreeTypeFont:
    """Return the letters that come with Pillow, in this height in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)  # type: ignore[return-value]  # with a size: FreeType


@lru_cache(maxsize=256)
def name_tag(name: str, colour: str, size: int) -> Image:
    """Return a label's name in a frame of its colour, as an RGBA picture."""
    from PIL import Image, ImageDraw

    fine = 3  # round corners want finer pixels
    left, _, right, _ = font(size).getbbox(name)
    width, height = round(right - left) + size, round(1.6 * size)
    frame = Image.new("RGBA", (fine * width, fine * height), CARD + "00")
    ImageDraw.Draw(frame).rounded_rectangle(
        (0, 0, fine * width - 1, fine * height - 1), 5 * fine, CARD, colour, fine + 1
    )
    tag = frame.reduce(fine)
    at = (width / 2, height / 2)
    ImageDraw.Draw(tag).text(at, name, fill=INK, font=font(size), anchor="mm")
    return tag
