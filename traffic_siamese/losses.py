"""Losses that pull windows of one label together and push labels apart in the cube.

A loss never chooses windows. What a batch must look like is its ``layout``:

``labels``
    (batch, embedding_dim) with integer labels (batch,) or (batch, 1), to find triplets in.
``triplets``
    (batch, 3, embedding_dim): anchor, positive, negative on an axis of their own.
``pairs``
    (batch, 1): the probability that ``PairwiseHead`` gives two windows of being of one label.

All distances are squared Euclidean, so no gradient is ever divided by a distance of zero.
"""

from __future__ import annotations

from typing import Any

from traffic_siamese import mining
from traffic_siamese.backend import keras, ops

_EPSILON = 1e-8


class _Configured(keras.losses.Loss):
    """A loss that is rebuilt from the attributes that it names in ``settings``."""

    settings: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the loss."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.settings}}


class _MarginLoss(_Configured):
    """What losses with a margin share."""

    settings: tuple[str, ...] = ("margin",)

    def __init__(self, margin: float = 0.4, *, name: str, **options: Any) -> None:
        if margin <= 0:
            raise ValueError(f"margin is {margin}, expected more than 0")
        super().__init__(name=name, **options)
        self.margin = float(margin)


@keras.saving.register_keras_serializable(package="traffic_siamese")
class TripletLoss(_MarginLoss):
    """Hinge on explicit triplets: ``max(d(a, p) - d(a, n) + margin, 0)``.

    Parameters
    ----------
    margin : float
        How much farther the negative should be than the positive, as a squared distance.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Schroff, Kalenichenko, Philbin 2015, FaceNet, section 3.1, doi:10.1109/CVPR.2015.7298682.
    """

    layout = "triplets"

    def __init__(self, margin: float = 0.4, name: str = "triplet", **options: Any) -> None:
        super().__init__(margin, name=name, **options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a triplet; ``y_true`` is not looked at."""
        near = mining.squared_distance(y_pred[:, 0], y_pred[:, 1])
        far = mining.squared_distance(y_pred[:, 0], y_pred[:, 2])
        return ops.relu(near - far + self.margin)


@keras.saving.register_keras_serializable(package="traffic_siamese")
class LosslessTripletLoss(_Configured):
    """Logarithmic loss on explicit triplets, which goes on learning where a hinge is at zero.

    ``-ln(1 - d(a, p) / beta + eps) - ln(1 - (N - d(a, n)) / beta + eps)`` with ``eps`` = 1e-8. For
    ``beta`` = N the second term is computed as ``-ln(d(a, n) / N + eps)``, which does not cancel in
    float32. With N = 3: perfect 0, all windows on one point 18.42, worst 36.84.

    Parameters
    ----------
    beta : float, optional
        N, the embedding's dimension, unless given; less than N has no logarithm.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Arsenault 2018, Lossless triplet loss.
    """

    layout = "triplets"
    settings = ("beta",)

    def __init__(self, beta: float | None = None, name: str = "lossless", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.beta = beta

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value a triplet; ``y_true`` is not looked at."""
        dim = y_pred.shape[-1]
        beta = float(dim if self.beta is None else self.beta)
        if beta < dim:
            raise ValueError(f"beta is {beta}, expected at least the embedding's dimension, {dim}")
        near = mining.squared_distance(y_pred[:, 0], y_pred[:, 1])
        far = mining.squared_distance(y_pred[:, 0], y_pred[:, 2])
        pull = ops.maximum(1.0 - near / beta, 0.0) + _EPSILON
        push = (beta - dim) / beta + far / beta + _EPSILON
        return -ops.log(pull) - ops.log(push)


@keras.saving.register_keras_serializable(package="traffic_siamese")
class SemiHardTripletLoss(_MarginLoss):
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
class HardTripletLoss(_MarginLoss):
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


@keras.saving.register_keras_serializable(package="traffic_siamese")
class SupervisedContrastiveLoss(_Configured):
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
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}, expected more than 0")
        super().__init__(name=name, **options)
        self.temperature = float(temperature)

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


@keras.saving.register_keras_serializable(package="traffic_siamese")
class PairwiseLoss(keras.losses.BinaryCrossentropy):
    """Binary cross-entropy on ``PairwiseHead``'s probability; ``y_true`` is 1 for one label."""

    layout = "pairs"


@keras.saving.register_keras_serializable(package="traffic_siamese")
class PairwiseHead(keras.layers.Layer):
    """Probability that two windows share a label: ``sigmoid(sum(w * |f - f'|) + b)``.

    Takes (batch, 2, embedding_dim), gives (batch, 1). ``w`` and ``b`` are trained, from where
    equal embeddings are probably of one label and opposite corners are not.

    References
    ----------
    Koch et al. 2015, Siamese neural networks for one-shot image recognition, section 3.1.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weight of each axis, and the offset."""
        start = keras.initializers.Constant
        self.weight = self.add_weight(
            shape=input_shape[-1:], initializer=start(-4.0), name="weight"
        )
        self.offset = self.add_weight(shape=(), initializer=start(2.0))

    def call(self, pairs: Any) -> Any:
        """Return the probability of each pair."""
        difference = ops.abs(pairs[:, 0] - pairs[:, 1])
        logit = ops.sum(difference * self.weight, axis=-1, keepdims=True) + self.offset
        return ops.sigmoid(logit)


LOSSES: dict[str, type[keras.losses.Loss]] = {
    "triplet": TripletLoss,
    "semi_hard": SemiHardTripletLoss,
    "hard": HardTripletLoss,
    "lossless": LosslessTripletLoss,
    "pairwise": PairwiseLoss,
    "supervised_contrastive": SupervisedContrastiveLoss,
}


def get_loss(name: str, **options: Any) -> keras.losses.Loss:
    """Return a loss by its name.

    Parameters
    ----------
    name : {"triplet", "semi_hard", "hard", "lossless", "pairwise", "supervised_contrastive"}
        Which one.
    **options
        What that loss takes, such as ``margin``.

    Raises
    ------
    ValueError
        If there is no such loss.
    """
    if name not in LOSSES:
        raise ValueError(f"loss is {name!r}, expected one of {', '.join(LOSSES)}")
    return LOSSES[name](**options)
