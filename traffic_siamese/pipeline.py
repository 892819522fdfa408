"""The three jobs as functions that a notebook can call: train, classify, add a fault; and the film.

Nothing here needs TensorFlow until ``train`` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from traffic_siamese.classification import LogResult, classify, classify_log
from traffic_siamese.errors import MissingExtraError
from traffic_siamese.filming import film
from traffic_siamese.network_normal import LearnedNormal, learn_network
from traffic_siamese.starting import start_model
from traffic_siamese.teaching import AddedFault, add_fault

if TYPE_CHECKING:
    from traffic_siamese.fitting import FitOptions, FitReport
    from traffic_siamese.keeper import EpochReport

__all__ = [
    "AddedFault",
    "LearnedNormal",
    "LogResult",
    "add_fault",
    "classify",
    "classify_log",
    "film",
    "learn_network",
    "load_training",
    "start_model",
    "train",
]

_EXTRA = ("keras", "onnx", "pandas", "sklearn", "tensorflow")


def load_training() -> ModuleType:
    """Return the module ``fitting``, which needs the ``train`` extra.

    Raises
    ------
    MissingExtraError
        If a package of the extra is not installed.
    """
    try:
        from traffic_siamese import fitting
    except ModuleNotFoundError as err:
        if (err.name or "").split(".")[0] not in _EXTRA:
            raise
        raise _missing(err.name or "a package") from err
    except MissingExtraError as err:
        raise _missing(getattr(err.__cause__, "name", None) or "TensorFlow") from err
    return fitting


def _missing(name: str) -> MissingExtraError:
    return MissingExtraError(
        f"training needs {name}, which is not installed. "
        'Install it with: pip install "traffic-siamese[train]"'
    )


def train(
    logs_dir: str | Path,
    labels: str | Path,
    model: str | Path,
    *,
    options: FitOptions | None = None,
    resume: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> FitReport:
    """Train an encoder on labelled logs and write a model bundle; see ``fitting.train``.

    Raises
    ------
    MissingExtraError
        If the packages of the ``train`` extra are not installed.
    LabelError, TrainingError, BundleError
        As ``fitting.train``.
    """
    report: FitReport = load_training().train(
        logs_dir, labels, model, options=options, resume=resume, progress=progress
    )
    return report
