"""A loss on each member's axes and, again, on the first: the cube holds by itself."""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import keras


@keras.saving.register_keras_serializable(package="traffic_siamese")
class NestedLoss(keras.losses.Loss):
    """A loss on each member's part of the embedding, and again on the first axes alone.

    Each member learns for itself, so that their errors differ: from windows of its own, where the
    labels have a column for each. The first axes hold by themselves what can be held in so few:
    they are the cube that is drawn, while all axes together decide.

    Parameters
    ----------
    inner : keras.losses.Loss
        The loss.
    n_axes : int
        How many of the first axes are to hold by themselves.
    weight : float
        Of the loss on them.
    n_members : int
        Equal parts of the embedding, each with a loss of its own.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Kusupati et al. 2022, Matryoshka representation learning, equation 1, arXiv:2205.13147.
    Lakshminarayanan, Pritzel, Blundell 2017, Simple and scalable predictive uncertainty estimation
    using deep ensembles, section 2.4, arXiv:1612.01474.
    """

    def __init__(
        self,
        inner: keras.losses.Loss,
        n_axes: int = 3,
        weight: float = 0.3,
        n_members: int = 1,
        name: str = "nested",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.inner = inner
        self.n_axes = n_axes
        self.weight = weight
        self.n_members = n_members

    @property
    def layout(self) -> str:
        """What the inner loss takes."""
        return str(self.inner.layout)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the sum of all.

        Parameters
        ----------
        y_true : tensor of shape (batch,), (batch, 1) or (batch, n_members)
            Labels; of one column, they are those of every member.
        y_pred : tensor of shape (batch, embedding_dim)
            The parts of the members beside each other.
        """
        parts = keras.ops.split(y_pred, self.n_members, axis=-1)
        own = len(y_true.shape) > 1 and y_true.shape[-1] == self.n_members
        labels = keras.ops.split(y_true, self.n_members, axis=-1) if own else [y_true] * len(parts)
        cube = self.weight * self.inner(labels[0], y_pred[..., : self.n_axes])
        pairs = zip(labels, parts, strict=True)
        return sum((self.inner(label, part) for label, part in pairs), cube)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the loss."""
        inner = keras.saving.serialize_keras_object(self.inner)
        own = {
            "inner": inner,
            "n_axes": self.n_axes,
            "weight": self.weight,
            "n_members": self.n_members,
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> NestedLoss:
        """Rebuild the loss."""
        inner = keras.saving.deserialize_keras_object(config["inner"])
        return cls(**{**config, "inner": inner})
