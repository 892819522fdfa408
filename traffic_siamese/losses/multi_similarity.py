"""Pairs weighted by how they compare with the other pairs of the same anchor."""

from __future__ import annotations

from typing import Any

from traffic_siamese import mining
from traffic_siamese.backend import keras, ops
from traffic_siamese.losses.base import ConfiguredLoss, require_positive


@keras.saving.register_keras_serializable(package="traffic_siamese")
class MultiSimilarityLoss(ConfiguredLoss):
    """Pull the pairs of one label that are not yet near enough, push those that are not yet far.

    ``ln(1 + sum(exp(-alpha (s - base)))) / alpha`` over the positives of an anchor, plus
    ``ln(1 + sum(exp(beta (s - base)))) / beta`` over its negatives, with ``s`` = 1 - d / 2. Only
    informative pairs count: positives less similar than the most similar negative plus
    ``epsilon``, and negatives more similar than the least similar positive minus ``epsilon``. The
    mean is over the anchors that have a positive and a negative in the batch.

    Parameters
    ----------
    alpha, beta : float
        How much more the worst positives and the worst negatives weigh than others.
    base : float
        Similarity at which pulling turns into pushing; 0.75 is a squared distance of 0.5.
    epsilon : float
        How much similarity a pair may be clear of the other kind and still count.
    name, **options
        What ``keras.losses.Loss`` takes.

    Notes
    -----
    The settings are the authors', but ``base``: 1 in the paper and 0.5 in their code, for points of
    a sphere. In the cube, 0.75 told more unseen faults apart than 0.5.

    References
    ----------
    Wang, Han, Huang, Dong, Scott 2019, Multi-similarity loss with general pair weighting for deep
    metric learning, doi:10.1109/CVPR.2019.00516.
    """

    layout = "labels"
    settings = ("alpha", "beta", "base", "epsilon")

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 50.0,
        base: float = 0.75,
        epsilon: float = 0.1,
        name: str = "multi_similarity",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.alpha = require_positive("alpha", alpha)
        self.beta = require_positive("beta", beta)
        self.base = float(base)
        self.epsilon = float(epsilon)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the batch's anchors."""
        similarity = mining.similarity(mining.all_distances(y_pred))
        same, other = mining.same_label(y_true)
        pulled, pushed = mining.informative_pairs(similarity, same, other, epsilon=self.epsilon)
        clear = similarity - self.base
        pull = mining.log_one_plus_sum(-self.alpha * clear, pulled) / self.alpha
        push = mining.log_one_plus_sum(self.beta * clear, pushed) / self.beta
        has_both = ops.logical_and(ops.any(same, axis=1), ops.any(other, axis=1))
        return mining.mean_where(pull + push, has_both)
