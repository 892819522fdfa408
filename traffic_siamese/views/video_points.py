"""Points as flat markers in a picture of colour numbers, the near ones over the far ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import Int64Array
from traffic_siamese.views.film_data import HELD_OUT, PROTOTYPE

OUTLINE = 255
"""Colour number of the outline of prototypes; 0 is empty, a label has its own from 1 on."""
_BODY, _RIM = 1, 2


def paint_points(
    picture: NDArray[np.uint8],
    places: NDArray[np.float64],
    *,
    colour: Int64Array,
    kind: Int64Array,
    radius: float,
) -> None:
    """Paint markers into a picture: discs, rings for held-out points, diamonds for examples.

    Parameters
    ----------
    picture : ndarray of shape (height, width), uint8
        Colour numbers, changed in place.
    places : ndarray of shape (n_points, 3), float64
        Pixels across, pixels down, distance; NaN for points that are not there yet.
    colour, kind : ndarray of shape (n_points,), int64
        The number to write, below ``OUTLINE``; and what the point is, see ``film_data``.
    radius : float
        Of a disc at the mean distance, in pixels.
    """
    there = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not len(there):
        return
    order = there[np.argsort(-places[there, 2], kind="stable")]
    across, down, away = places[order].T
    sizes = radius * np.where(kind[order] >= PROTOTYPE, 2.2, 1.0) * away.mean() / away
    shapes, shape = np.unique(
        np.stack([np.minimum(kind[order], PROTOTYPE), np.rint(4 * sizes)], 1),
        axis=0,
        return_inverse=True,
    )
    dx, dy = _offsets(int(np.ceil(sizes.max())))
    stamps = np.stack([_stamp(dx, dy, int(what), size / 4) for what, size in shapes])
    point, offset = np.nonzero(stamps[shape])  # the farthest point first
    column = np.rint(across).astype(np.int64)[point] + dx[offset]
    row = np.rint(down).astype(np.int64)[point] + dy[offset]
    inside = (row >= 0) & (row < picture.shape[0]) & (column >= 0) & (column < picture.shape[1])
    is_rim = stamps[shape[point], offset] == _RIM
    number = np.where(is_rim, OUTLINE, colour[order[point]]).astype(np.uint8)
    # Of equal places the last one written stays, so the nearest point is seen.
    picture[row[inside], column[inside]] = number[inside]


def _offsets(reach: int) -> tuple[Int64Array, Int64Array]:
    steps = np.arange(-reach, reach + 1, dtype=np.int64)
    dx, dy = np.meshgrid(steps, steps)
    return dx.ravel(), dy.ravel()


def _stamp(dx: Int64Array, dy: Int64Array, kind: int, size: float) -> NDArray[np.uint8]:
    """Return for each offset whether a marker covers it: 0, ``_BODY`` or ``_RIM``."""
    if kind >= PROTOTYPE:
        inside = (size - np.abs(dx) - np.abs(dy)) * np.sqrt(0.5)
        return np.where(inside <= 0, 0, np.where(inside < 2, _RIM, _BODY)).astype(np.uint8)
    inside = size - np.hypot(dx, dy)
    hole = 0.42 * size if kind == HELD_OUT else size
    return np.where((inside > 0) & (inside <= hole), _BODY, 0).astype(np.uint8)
