"""Names that do not cover one another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_GAP = 4.0
_ROUNDS = 40
_PULL = 0.15


def declutter(
    wanted: NDArray[np.float64], sizes: NDArray[np.float64], width: float, height: float
) -> NDArray[np.float64]:
    """Move boxes apart until none overlaps, each as near as may be to where it wants to be.

    Parameters
    ----------
    wanted : ndarray of shape (n_boxes, 2), float64
        Where their middles want to be, pixels across and down.
    sizes : ndarray of shape (n_boxes, 2), float64
        Their widths and heights.
    width, height : float
        Of the picture; boxes stay inside if there is room.

    Returns
    -------
    ndarray of shape (n_boxes, 2), float64
        Their middles.
    """
    boxes = [
        _Box(x, y, w / 2 + _GAP / 2, h / 2 + _GAP / 2)
        for (x, y), (w, h) in zip(wanted.tolist(), sizes.tolist(), strict=True)
    ]
    for turn in range(2 * _ROUNDS):
        for box, (x, y) in zip(boxes, wanted.tolist(), strict=True):
            if turn < _ROUNDS:  # later rounds only push apart
                box.x += _PULL * (x - box.x)
                box.y += _PULL * (y - box.y)
            box.keep_inside(width, height)
        moved = [_push_apart(one, two) for one, two in combinations(boxes, 2)]
        if turn >= _ROUNDS and not any(moved):
            break
    return np.array([(box.x, box.y) for box in boxes], np.float64).reshape(-1, 2)


@dataclass(slots=True)
class _Box:
    """A middle, and half the width and height of the room that the box takes."""

    x: float
    y: float
    half_width: float
    half_height: float

    def keep_inside(self, width: float, height: float) -> None:
        low_x, low_y = self.half_width, self.half_height
        self.x = min(max(self.x, low_x), max(width - low_x, low_x))
        self.y = min(max(self.y, low_y), max(height - low_y, low_y))


def _push_apart(one: _Box, two: _Box) -> bool:
    """Push two boxes apart along the shorter way; tell whether they overlapped."""
    step_x, step_y = two.x - one.x, two.y - one.y
    over_x = one.half_width + two.half_width - abs(step_x)
    over_y = one.half_height + two.half_height - abs(step_y)
    if over_x <= 0 or over_y <= 0:
        return False
    if over_x < over_y:
        push = math.copysign(over_x / 2 + 0.01, step_x)
        one.x -= push
        two.x += push
    else:
        push = math.copysign(over_y / 2 + 0.01, step_y)
        one.y -= push
        two.y += push
    return True
