"""One colour per label, the same in every page.

Normal is green, blocked red and capacity orange, as in the first pictures of such a cube; the green
leans to blue and the orange is lighter than the red, so that they stay apart for colour-blind eyes.
"""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Iterable

from traffic_siamese.types import NORMAL, UNKNOWN

UNLABELLED = "unlabelled"

FIXED = {
    NORMAL: "#12a87c",
    "blocked": "#cf2231",
    "capacity": "#f5a11d",
    UNKNOWN: "#8a8f98",
    UNLABELLED: "#8a8f98",
    "": "#8a8f98",
}
PALETTE = (
    "#2f6fe0",
    "#b04fd0",
    "#4fbdf0",
    "#8a5a34",
    "#f07ab8",
    "#5b4bb0",
    "#c9c132",
    "#2393a6",
)
GOLDEN_RATIO = 0.618034


def label_colour(label: str) -> str:
    """Return the colour of a label; it depends on nothing but the name.

    Parameters
    ----------
    label : str
        Name of a fault, ``normal``, ``unknown``, or empty for unlabelled.

    Returns
    -------
    str
        ``#rrggbb``.

    Examples
    --------
    >>> label_colour("normal")
    '#12a87c'
    """
    return FIXED.get(label) or PALETTE[_slot(label)]


def label_colours(labels: Iterable[str]) -> dict[str, str]:
    """Return colours for labels that are shown together, no two alike.

    A label keeps ``label_colour`` unless one before it in the alphabet has it already; then it
    takes the palette's next free colour, and a hue of its own when the palette is used up.

    Parameters
    ----------
    labels : iterable of str
        Names, in any order; repetition is harmless.

    Returns
    -------
    dict of str to str
        Label to ``#rrggbb``, in the alphabetical order of the labels.
    """
    colours: dict[str, str] = {}
    taken: set[str] = set()
    for label in sorted(set(labels)):
        colour = FIXED.get(label) or _free_colour(label, taken)
        colours[label] = colour
        taken.add(colour)
    return colours


def _slot(label: str) -> int:
    return zlib.crc32(label.encode()) % len(PALETTE)


def _free_colour(label: str, taken: set[str]) -> str:
    start = _slot(label)
    for colour in PALETTE[start:] + PALETTE[:start]:
        if colour not in taken:
            return colour
    hue = zlib.crc32(label.encode()) / 2**32
    while (colour := _from_hue(hue)) in taken:
        hue = (hue + GOLDEN_RATIO) % 1.0
    return colour


def _from_hue(hue: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, 0.5, 0.55))
