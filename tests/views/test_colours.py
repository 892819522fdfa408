"""A label looks the same everywhere, and labels look different."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.views.colours import FIXED, PALETTE, label_colour, label_colours

# Machado, Oliveira, Fernandes 2009, table 1, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}


def oklab(colour: str, vision: np.ndarray) -> np.ndarray:
    """Perceptual coordinates of a colour as such an eye sees it (Ottosson 2020, OKLab)."""
    srgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(vision @ linear, 0, 1)
    lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return lab @ np.cbrt(lms @ linear)


def test_known_labels_have_the_colours_that_people_expect() -> None:
    """Green, red and orange, told by which parts of the colour are strong."""
    red, green, blue = (int(label_colour("normal")[at : at + 2], 16) for at in (1, 3, 5))
    assert green > max(red, blue)
    red, green, blue = (int(label_colour("blocked")[at : at + 2], 16) for at in (1, 3, 5))
    assert red > 2 * max(green, blue)
    red, green, blue = (int(label_colour("capacity")[at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > 2 * blue


@pytest.mark.parametrize("vision", VISION)
def test_the_three_main_colours_stay_apart_for_every_eye(vision: str) -> None:
    """Distance 0.1 in OKLab is several times the just noticeable difference of 0.02."""
    colours = [
        oklab(label_colour(name), VISION[vision]) for name in ("normal", "blocked", "capacity")
    ]
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(one - other) > 0.1


def test_palette_colours_differ_from_each_other_and_from_the_fixed_ones() -> None:
    """All that may stand in one film, seen by a common eye."""
    colours = [oklab(colour, VISION["normal"]) for colour in {*PALETTE, *FIXED.values()}]
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(one - other) > 0.07


@given(st.sets(st.text(max_size=8), max_size=30))
def test_labels_shown_together_never_share_a_colour(labels: set[str]) -> None:
    """Except the ways to say that the label is not known, which share their grey."""
    named = labels - {"", "unknown", "unlabelled"}
    colours = label_colours(named)
    assert set(colours) == named
    assert len(set(colours.values())) == len(named)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())


@given(st.text(max_size=12))
def test_a_label_alone_has_its_own_colour(label: str) -> None:
    """The two functions agree where nothing collides."""
    assert label_colours([label]) == {label: label_colour(label)}
