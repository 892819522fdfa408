"""Peers from aeon, beside those of the package: what the encoders must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from traffic_siamese.evaluation import peers as general
from traffic_siamese.evaluation.peers import FoldInputs, fold_inputs
from traffic_siamese.evaluation.spaces import Points, Space, summary
from traffic_siamese.types import FloatArray

__all__ = ["FoldInputs", "Points", "Space", "Warped", "fold_inputs", "peers", "summary"]

DTW_COMPONENTS = 8
DTW_WINDOW = 0.2


@dataclass(frozen=True, eq=False)
class Warped:
    """Windows compared by dynamic time warping; `prepare` computes what is asked for later."""

    series: FloatArray  # (n_windows, n_components, n_timesteps)
    known: dict[int, FloatArray]

    def distances(self, queries: np.ndarray, library: np.ndarray) -> FloatArray:
        """Distances between rows of the corpus, (n_queries, n_library)."""
        columns = [self._column(int(row)) for row in library]
        return np.stack(columns, axis=1)[queries]

    def prepare(self, queries: np.ndarray, library: np.ndarray) -> None:
        """Compute what will be asked for, at once; all else is infinitely far."""
        from aeon.distances import pairwise_distance

        found = pairwise_distance(
            self.series[queries], self.series[library], method="dtw", window=DTW_WINDOW
        )
        for column, row in enumerate(library.tolist()):
            self.known[row] = np.full(len(self.series), np.inf, np.float64)
            self.known[row][queries] = np.sqrt(found[:, column])

    def _column(self, row: int) -> FloatArray:
        if row not in self.known:
            raise KeyError(f"row {row} was not prepared")
        return self.known[row]


def peers() -> dict[str, Callable[[FoldInputs], Space]]:
    """Peers that can run here, by name."""
    found = general.peers()
    if find_spec("aeon"):
        found["MiniRocket, nearest"] = _mini_rocket
        found["DTW, nearest"] = _warped
    return found


def _mini_rocket(inputs: FoldInputs) -> Space:
    from aeon.transformations.collection.convolution_based import MiniRocket

    series = np.ascontiguousarray(inputs.relative.transpose(0, 2, 1))
    rocket = MiniRocket(random_state=0).fit(series[inputs.taught])
    points = np.asarray(rocket.transform(series), np.float32)
    middle, spread = points[inputs.taught].mean(0), points[inputs.taught].std(0)
    return Points((points - middle) / np.maximum(spread, 1e-3))


def _warped(inputs: FoldInputs) -> Space:
    """Cut to the main components of the trained windows, so that it ends in minutes."""
    from sklearn.decomposition import PCA

    n_features = inputs.relative.shape[2]
    components = PCA(min(DTW_COMPONENTS, n_features), random_state=0)
    components.fit(inputs.relative[inputs.taught].reshape(-1, n_features))
    reduced = components.transform(inputs.relative.reshape(-1, n_features))
    shape = (*inputs.relative.shape[:2], -1)
    return Warped(np.ascontiguousarray(reduced.reshape(shape).transpose(0, 2, 1)), {})
