"""Other ways to compare windows, on the same inputs: what an encoder must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from traffic_siamese.baseline import log_view
from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.folds import Fold, training_logs
from traffic_siamese.evaluation.spaces import Points, Space, flat, summary
from traffic_siamese.types import FloatArray, Int64Array, StringArray


@dataclass(frozen=True, eq=False)
class FoldInputs:
    """What peers see of a fold.

    Attributes
    ----------
    logs, relative : ndarray of shape (n_windows, n_timesteps, n_features), float32
        Logarithms of the features, and what the encoders see: relative to the network's normal.
    taught : ndarray of int64
        Windows that training sees: of trained networks, of known faults and normal traffic.
    labels : ndarray of shape (n_windows,), str
    """

    logs: FloatArray
    relative: FloatArray
    taught: Int64Array
    labels: StringArray


def fold_inputs(corpus: Corpus, fold: Fold) -> FoldInputs:
    """Scale all windows as the encoders see them in this fold."""
    scaler = training_logs(corpus, fold, views="relative").scaler
    wanted = ("normal", *fold.known)
    taught = np.concatenate([corpus.rows(network, wanted) for network in fold.trained])
    taught = taught[~np.isin(corpus.windows.capture[taught], list(fold.held_out))]
    logs = log_view(corpus.windows.gather(), corpus.schema)
    return FoldInputs(logs, corpus.inputs(scaler), taught, corpus.labels)


def peers() -> dict[str, Callable[[FoldInputs], Space]]:
    """Peers that can run here, by name; LDA where scikit-learn is installed."""
    found: dict[str, Callable[[FoldInputs], Space]] = {
        "nearest, log features": lambda inputs: Points(flat(inputs.logs)),
        "nearest, relative features": lambda inputs: Points(flat(inputs.relative)),
        "nearest, summary of relative": lambda inputs: Points(summary(inputs.relative)),
    }
    if find_spec("sklearn"):
        found["LDA on summary, nearest"] = _discriminant
    return found


def _discriminant(inputs: FoldInputs) -> Space:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    points = summary(inputs.relative)
    learned = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    learned.fit(points[inputs.taught], inputs.labels[inputs.taught])
    return Points(learned.transform(points))
