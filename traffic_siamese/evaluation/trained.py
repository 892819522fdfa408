"""A model of what a fold trains on, and where it puts all windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.model import Model
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.scaling import Scaler
from traffic_siamese.types import CUBE_DIM, FloatArray, StringArray


@dataclass(frozen=True, eq=False)
class Trained:
    """A model of what a fold trains on, and where it puts all windows of the corpus.

    Attributes
    ----------
    model : Model
        Its files are gone; what is in memory classifies.
    embeddings : ndarray of shape (n_windows, embedding_dim), float32
    """

    model: Model
    embeddings: FloatArray

    @property
    def embed(self) -> Callable[[FloatArray], FloatArray]:
        """From model inputs to embeddings."""
        return self.model.encoder.embed

    @property
    def scaler(self) -> Scaler:
        """The model's scaling."""
        return self.model.scaler

    @property
    def prototypes(self) -> FloatArray:
        """Examples of the labels trained on, chosen as the package chooses them."""
        return self.model.prototypes

    @property
    def prototype_labels(self) -> StringArray:
        """Their labels."""
        return self.model.prototype_labels

    @property
    def calibration(self) -> Calibration:
        """How far labels reach."""
        return self.model.bundle.info.calibration

    def cube(self) -> FloatArray:
        """Return the first three axes of the embeddings."""
        return self.embeddings[:, :CUBE_DIM]


def embedded(corpus: Corpus, model: Model) -> Trained:
    """Return a model with its embeddings of all windows."""
    return Trained(model, model.encoder.embed(corpus.inputs(model.scaler)))
