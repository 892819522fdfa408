"""A camera that goes slowly around the unit cube."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EYE = np.array([1.6, 1.33, 0.8])  # as the page's, a little farther off
_AIM = np.array([0.0, 0.0, -0.12])
_SWING = np.deg2rad(40)
_ZOOM = 1.2  # focal length, in shorter sides of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Where the cube is looked at from.

    Attributes
    ----------
    eye : ndarray of shape (3,), float64
        Its place, seen from the cube's middle, in edges of the cube.
    turn : ndarray of shape (3, 3), float64
        Rows: to the right, up, and backwards, each of length 1.
    width, height : int
        Of the picture, in pixels.
    """

    eye: NDArray[np.float64]
    turn: NDArray[np.float64]
    width: int
    height: int

    @property
    def focal(self) -> float:
        """Pixels to which an edge of the cube shrinks at a distance of one edge."""
        return _ZOOM * min(self.height, 0.95 * self.width)

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for points of shape (n, 3) in the unit cube: pixels across, down, and distance."""
        seen = (points - 0.5 - self.eye) @ self.turn.T
        away = -seen[:, 2]
        across = self.width / 2 + self.focal * seen[:, 0] / away
        down = self.height / 2 - self.focal * seen[:, 1] / away
        return np.stack([across, down, away], axis=1)


def camera_at(share: float, width: int, height: int) -> Camera:
    """Place the camera for a share of the film, 0 to 1, and a picture of this size in pixels."""
    angle = _SWING * (share - 0.5)
    cos, sin = np.cos(angle), np.sin(angle)
    eye = np.array([cos * _EYE[0] - sin * _EYE[1], sin * _EYE[0] + cos * _EYE[1], _EYE[2]])
    back = (eye - _AIM) / np.linalg.norm(eye - _AIM)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    return Camera(eye, np.stack([right, np.cross(back, right), back]), width, height)
