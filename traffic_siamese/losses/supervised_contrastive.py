"""Cross-entropy over a batch: the anchor's label against all others."""

from __future__ import annotations

from typing import Any

from traffic_siamese import mining
from traffic_siamese.backend import keras, ops
from traffic_siamese.losses.base import ConfiguredLoss, require_positive


@keras.saving.register_keras_serializable(package="traffic_siamese")
class SupervisedContrastiveLoss(ConfiguredLoss):
    """Cross-entropy of picking a window of the anchor's label out of the batch.

    The similarity is ``-d / temperature``, since points of a cube have no angle to compare. The
    mean is over the anchors that have a positive.

    Parameters
    ----------
    temperature : float
        Squared distance that counts as one unit of similarity.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Khosla et al. 2020, Supervised contrastive learning, equation 2, arXiv:2004.11362.
    """

    layout = "labels"
    settings = ("temperature",)

    def __init__(
        self, temperature: float = 0.1, name: str = "supervised_contrastive", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.temperature = require_positive("temperature", temperature)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the batch's anchors."""
        similarity = -mining.all_distances(y_pred) / self.temperature
        same, other = mining.same_label(y_true)
        compared = ops.where(ops.logical_or(same, other), similarity, -mining.NEVER)
        log_share = similarity - ops.logsumexp(compared, axis=1, keepdims=True)
        weight = ops.cast(same, similarity.dtype)
        n_positives = ops.sum(weight, axis=1)
        per_anchor = -ops.sum(log_share * weight, axis=1) / ops.maximum(n_positives, 1.0)
        return mining.mean_where(per_anchor, n_positives > 0)
