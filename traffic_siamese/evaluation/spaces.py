"""Ways to say how far windows lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray, Int64Array

Distances = NDArray[np.floating[Any]]


class Space(Protocol):
    """Anything that says how far windows lie apart."""

    def distances(self, queries: Int64Array, library: Int64Array) -> Distances:
        """Distances between rows of the corpus, (n_queries, n_library)."""
        ...


@dataclass(frozen=True, eq=False)
class Points:
    """Windows as points, compared by Euclidean distance.

    Attributes
    ----------
    points : ndarray of shape (n_windows, n_dims), float32
    """

    points: FloatArray

    def distances(self, queries: Int64Array, library: Int64Array) -> Distances:
        """Distances between rows of the corpus, (n_queries, n_library)."""
        # Around a middle point, so that the expansion into products loses few digits.
        middle = self.points[library].mean(axis=0, dtype=np.float64)
        a, b = self.points[queries] - middle, self.points[library] - middle
        squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float64)


def summary(X: FloatArray) -> FloatArray:
    """Mean, deviation, least and most of each feature, (n_windows, 4 * n_features)."""
    return np.concatenate([X.mean(1), X.std(1), X.min(1), X.max(1)], axis=1)


def flat(X: NDArray[np.float32]) -> FloatArray:
    """Each window as one point, (n_windows, n_timesteps * n_channels)."""
    return X.reshape(len(X), -1)
