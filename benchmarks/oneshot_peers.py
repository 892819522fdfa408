"""Other ways to compare windows, on the same inputs: what the encoders must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from oneshot_data import Corpus, Fold, training_logs

from traffic_siamese.baseline import log_view
from traffic_siamese.types import NORMAL, FloatArray

DTW_COMPONENTS = 8
DTW_WINDOW = 0.2


class Space(Protocol):
    """Anything that says how far windows lie apart."""

    def distances(self, queries: np.ndarray, library: np.ndarray) -> FloatArray:
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

    def distances(self, queries: np.ndarray, library: np.ndarray) -> FloatArray:
        """Distances between rows of the corpus, (n_queries, n_library)."""
        # Around a middle point, so that the expansion into products loses few digits.
        middle = self.points[library].mean(axis=0, dtype=np.float64)
        a, b = self.points[queries] - middle, self.points[library] - middle
        squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        return np.sqrt(np.maximum(squared, 0))


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


@dataclass(frozen=True, eq=False)
class FoldInputs:
    """What peers see of a fold.

    Attributes
    ----------
    logs, relative : ndarray of shape (n_windows, n_timesteps, n_features), float32
        Logarithms of the features, and what the encoders see: relative to the network's normal.
    taught : ndarray of int64
        Windows of the trained networks, of known faults and normal traffic.
    labels : ndarray of shape (n_windows,), str
    """

    logs: FloatArray
    relative: FloatArray
    taught: np.ndarray
    labels: np.ndarray


def fold_inputs(corpus: Corpus, fold: Fold) -> FoldInputs:
    """Scale all windows as the encoders see them in this fold."""
    scaler = training_logs(corpus, fold, views="relative").scaler
    wanted = (NORMAL, *fold.known)
    taught = np.concatenate([corpus.rows(network, wanted) for network in fold.trained])
    logs = log_view(corpus.windows.gather())
    return FoldInputs(logs, corpus.inputs(scaler), taught, corpus.labels)


def peers() -> dict[str, Callable[[FoldInputs], Space]]:
    """Peers that can run here, by name."""
    found: dict[str, Callable[[FoldInputs], Space]] = {
        "nearest, log features": lambda inputs: Points(_flat(inputs.logs)),
        "nearest, relative features": lambda inputs: Points(_flat(inputs.relative)),
        "nearest, summary of relative": lambda inputs: Points(summary(inputs.relative)),
        "LDA on summary, nearest": _discriminant,
    }
    if find_spec("aeon"):
        found["MiniRocket, nearest"] = _mini_rocket
        found["DTW, nearest"] = _warped
    return found


def summary(X: FloatArray) -> FloatArray:
    """Mean, deviation, least and most of each feature, (n_windows, 4 * n_features)."""
    return np.concatenate([X.mean(1), X.std(1), X.min(1), X.max(1)], axis=1)


def _flat(X: FloatArray) -> FloatArray:
    return X.reshape(len(X), -1)


def _discriminant(inputs: FoldInputs) -> Space:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    points = summary(inputs.relative)
    learned = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    learned.fit(points[inputs.taught], inputs.labels[inputs.taught])
    return Points(learned.transform(points))


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
