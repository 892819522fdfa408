"""The three principal axes of a wide embedding: fitted once, the same for every epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_AXES = 3


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalAxes:
    """A rotation of an embedding to the three axes along which its points lie widest.

    Attributes
    ----------
    centre : ndarray of shape (embedding_dim,), float64
        Mean of the points that it was fitted on.
    directions : ndarray of shape (embedding_dim, 3), float64
        Orthonormal columns, widest first; 0 where there are fewer than three.
    share : float, in [0, 1]
        How much of the points' variance the three axes hold.
    """

    centre: NDArray[np.float64]
    directions: NDArray[np.float64]
    share: float

    def turn(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return positions along the axes, shape (..., 3), of embeddings of shape (..., dim)."""
        turned = (embeddings - self.centre) @ self.directions
        return turned.astype(np.float32)


def principal_axes(points: NDArray[np.float32]) -> PrincipalAxes:
    """Fit the axes to points.

    Each axis is signed so that its largest loading is positive: equal points give one view.

    Parameters
    ----------
    points : ndarray of shape (n_points, embedding_dim), float32
        Finite; where the points stand after the last epoch.

    References
    ----------
    Jolliffe 2002, Principal Component Analysis, section 3.5 (singular value decomposition).
    """
    centre = points.mean(axis=0, dtype=np.float64)
    _, values, rows = np.linalg.svd(points - centre, full_matrices=False)
    directions = np.zeros((points.shape[1], N_AXES))
    directions[:, : len(rows[:N_AXES])] = rows[:N_AXES].T
    biggest = directions[np.abs(directions).argmax(axis=0), np.arange(N_AXES)]
    variance = np.square(values)
    share = float(variance[:N_AXES].sum() / variance.sum()) if variance.sum() > 0 else 1.0
    return PrincipalAxes(centre, directions * np.where(biggest < 0, -1.0, 1.0), share)
