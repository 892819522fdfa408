"""Recognise recurring telecom faults in captured traffic; teach a new one with one example."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traffic_siamese.features.series import read_series
    from traffic_siamese.oneshot.classifier import OneShotClassifier
    from traffic_siamese.pipeline import (
        add_fault,
        classify,
        film,
        learn_network,
        start_model,
        train,
    )

__version__ = "0.1.0"

__all__ = [
    "OneShotClassifier",
    "__version__",
    "add_fault",
    "classify",
    "film",
    "learn_network",
    "read_series",
    "start_model",
    "train",
]

_HOMES = {
    "OneShotClassifier": "oneshot.classifier",
    "add_fault": "pipeline",
    "classify": "pipeline",
    "film": "pipeline",
    "learn_network": "pipeline",
    "read_series": "features.series",
    "start_model": "pipeline",
    "train": "pipeline",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: a bare import costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported yet or not."""
    return sorted({*globals(), *__all__})
