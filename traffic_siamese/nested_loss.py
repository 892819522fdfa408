"""A loss on all axes and, again, on the first: the cube holds by itself."""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import keras


@keras.saving.register_keras_serializable(package="traffic_siamese")
class NestedLoss(keras.losses.Loss):
    """A loss on the whole embedding, and again on its first axes alone.

    The first axes then hold by themselves what can be held in so few: they are the cube that is
    drawn, while all axes together decide.

    Parameters
    ----------
    inner : keras.losses.Loss
        The loss.
    n_axes : int
        How many of the first axes are to hold by themselves.
    weight : float
        Of the loss on them.
    name, **options
        What ``keras.losses.Loss`` takes.

    References
    ----------
    Kusupati et al. 2022, Matryoshka representation learning, equation 1, arXiv:2205.13147.
    """

    def __init__(
        self,
        inner: keras.losses.Loss,
        n_axes: int = 3,
        weight: float = 0.3,
        name: str = "nested",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.inner = inner
        self.n_axes = n_axes
        self.weight = weight

    @property
    def layout(self) -> str:
        """What the inner loss takes."""
        return str(self.inner.layout)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the sum of both."""
        return self.inner(y_true, y_pred) + self.weight * self.inner(
            y_true, y_pred[..., : self.n_axes]
        )

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the loss."""
        inner = keras.saving.serialize_keras_object(self.inner)
        own = {"inner": inner, "n_axes": self.n_axes, "weight": self.weight}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> NestedLoss:
        """Rebuild the loss."""
        inner = keras.saving.deserialize_keras_object(config["inner"])
        return cls(**{**config, "inner": inner})
