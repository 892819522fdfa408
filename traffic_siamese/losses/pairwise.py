"""The classic siamese pair: a trained head says how probably two windows share a label."""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import keras, ops


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
