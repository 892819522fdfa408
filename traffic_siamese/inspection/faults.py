"""Where a fault's examples came from, and how far the other labels are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traffic_siamese.errors import LibraryError
from traffic_siamese.model import Model
from traffic_siamese.spelling import did_you_mean


@dataclass(frozen=True, slots=True)
class FaultDescription:
    """A fault of a library.

    Attributes
    ----------
    label : str
    reach : float
        Distance from an example within which a window is taken for it.
    examples : tuple of dict
        Where each example came from.
    distances : dict of str to float
        For each other label, the distance between the nearest examples of the two; nearest first.
    """

    label: str
    reach: float
    examples: tuple[dict[str, str], ...]
    distances: dict[str, float]


def describe_fault(model: Model, label: str) -> FaultDescription:
    """Say where a fault's examples came from and how far the other labels are.

    Raises
    ------
    LibraryError
        If the model does not know it.
    """
    mine = model.prototype_labels == label
    if not mine.any():
        known = sorted(set(model.prototype_labels.tolist()))
        raise LibraryError(
            f"label {label!r} is not in {model.bundle.path}, expected one of: "
            f"{', '.join(known) or '(none)'}.{did_you_mean(label, known)}"
        )
    prototypes = model.library.prototypes(model.bundle.encoder_id)
    gaps = np.linalg.norm(model.prototypes[mine][:, None] - model.prototypes[None], axis=2)
    nearest = gaps.min(axis=0)
    others = sorted(set(model.prototype_labels.tolist()) - {label})
    distances = {name: float(nearest[model.prototype_labels == name].min()) for name in others}
    calibration = model.bundle.info.calibration
    return FaultDescription(
        label,
        calibration.radii.get(label, calibration.pooled_radius),
        tuple(p.source for p in prototypes if p.label == label),
        dict(sorted(distances.items(), key=lambda pair: pair[1])),
    )
