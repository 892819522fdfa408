"""What a film is made of: a training's history, and what the model knows beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from traffic_siamese.history import TrainingHistory
from traffic_siamese.types import FloatArray, StringArray

MARGIN = 0.4
FALSE_UNKNOWN_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class AddedExamples:
    """Examples of faults that the encoder was never trained on.

    Attributes
    ----------
    embeddings : ndarray of shape (n_examples, embedding_dim), float32
        Where the trained encoder puts them.
    label, capture, network : ndarray of shape (n_examples,), str
        What they show and where they were seen.
    start : ndarray of shape (n_examples,), str
        When, as it is told to people.
    """

    embeddings: FloatArray
    label: StringArray
    capture: StringArray
    network: StringArray
    start: StringArray


def no_examples() -> AddedExamples:
    """Return an empty set: nothing was added."""
    empty = np.empty(0, np.str_)
    return AddedExamples(np.empty((0, 0), np.float32), empty, empty, empty, empty)


@dataclass(frozen=True, slots=True, eq=False)
class FilmRun:
    """One training, as a film shows it.

    Attributes
    ----------
    history : TrainingHistory
        Where every point stood after each epoch.
    name : str
        What to call the model; needed where two are compared.
    added : AddedExamples
        Faults that enter when the training is over.
    embedding_dim : int
        Width of the encoder's embedding; 0 where the history holds all of it.
    radii : mapping of str to float
        Per label, how far from an example a window may lie and still be recognised.
    pooled_radius : float
        The same for labels without a radius of their own; NaN where nothing was calibrated.
    margin : float
        By how much the negative of a triplet should be farther than the positive, as a squared
        distance.
    false_unknown_share : float, in (0, 1)
        Share of a known label's windows that may lie beyond its radius.
    """

    history: TrainingHistory
    name: str = ""
    added: AddedExamples = field(default_factory=no_examples)
    embedding_dim: int = 0
    radii: Mapping[str, float] = field(default_factory=dict)
    pooled_radius: float = float("nan")
    margin: float = MARGIN
    false_unknown_share: float = FALSE_UNKNOWN_SHARE

    @property
    def n_dims(self) -> int:
        """Width of the encoder's embedding."""
        return self.embedding_dim or int(self.history.last.shape[1])
