"""Triplet losses that find their triplets among the labelled windows of a batch."""

from __future__ import annotations

from typing import Any

from traffic_siamese import mining
from traffic_siamese.backend import keras, ops
from traffic_siamese.losses.base import MarginLoss


@keras.saving.register_keras_serializable(package="traffic_siamese")
class SemiHardTripletLoss(MarginLoss):
    """Triplet hinge over every positive pair of the batch, each with one negative chosen for it.

    The negative is the nearest of those farther than the positive and inside the margin. Where
    there is none, it is the farthest of those not farther than the positive; where there is none
    of these either, the pair adds 0. The mean is over the positive pairs that have a negative.

    Parameters
    ----------
    margin : float
        How much farther the negative should be than the positive, as a squared distance.
    n_per_label : int, optional
        No label has more windows in a batch than this. Only this many pairs an anchor are then
        looked at, which is what makes a large batch cheap; without it, all pairs of the batch.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Schroff, Kalenichenko, Philbin 2015, FaceNet, section 3.2, doi:10.1109/CVPR.2015.7298682.
    """

    layout = "labels"
    settings = ("margin", "n_per_label")

    def __init__(
        self,
        margin: float = 0.4,
        n_per_label: int | None = None,
        name: str = "semi_hard",
        **options: Any,
    ) -> None:
        super().__init__(margin, name=name, **options)
        self.n_per_label = n_per_label

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the batch's positive pairs."""
        distances = mining.all_distances(y_pred)
        same, other = mining.same_label(y_true)
        near, paired = mining.positives(distances, same, n_per_label=self.n_per_label)
        negative, found = mining.semi_hard_negatives(distances, near, other, margin=self.margin)
        far = ops.take_along_axis(distances, negative, axis=1)
        hinge = ops.where(found, ops.relu(near - far + self.margin), 0.0)
        return mining.mean_where(hinge, ops.logical_and(paired, ops.any(other, axis=1)[:, None]))


@keras.saving.register_keras_serializable(package="traffic_siamese")
class HardTripletLoss(MarginLoss):
    """Triplet hinge on each anchor's farthest positive and nearest negative in the batch.

    The mean is over the anchors that have both. Sharper than semi-hard mining, and quicker to
    collapse onto one point.

    Parameters
    ----------
    margin : float
        How much farther the negative should be than the positive, as a squared distance.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Hermans, Beyer, Leibe 2017, In defense of the triplet loss, equation 5, arXiv:1703.07737.
    """

    layout = "labels"

    def __init__(self, margin: float = 0.4, name: str = "hard", **options: Any) -> None:
        super().__init__(margin, name=name, **options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the batch's anchors."""
        distances = mining.all_distances(y_pred)
        same, other = mining.same_label(y_true)
        farthest = ops.max(ops.where(same, distances, -mining.NEVER), axis=1)
        nearest = ops.min(ops.where(other, distances, mining.NEVER), axis=1)
        valid = ops.logical_and(ops.any(same, axis=1), ops.any(other, axis=1))
        gap = ops.where(valid, farthest - nearest, 0.0)
        return mining.mean_where(ops.relu(gap + self.margin), valid)
