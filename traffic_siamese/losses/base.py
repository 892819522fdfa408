"""What losses share: settings that survive saving, some of them above zero."""

from __future__ import annotations

from typing import Any

from traffic_siamese.backend import keras


class ConfiguredLoss(keras.losses.Loss):
    """A loss that is rebuilt from the attributes that it names in ``settings``."""

    settings: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the loss."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.settings}}


class MarginLoss(ConfiguredLoss):
    """What losses with a margin share."""

    settings: tuple[str, ...] = ("margin",)

    def __init__(self, margin: float = 0.4, *, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.margin = require_positive("margin", margin)


def require_positive(name: str, value: float) -> float:
    """Return a setting as a float.

    Raises
    ------
    ValueError
        If it is not above zero.
    """
    if value <= 0:
        raise ValueError(f"{name} is {value}, expected more than 0")
    return float(value)
