"""How far the normal traffic of one network strays, as its baseline was learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traffic_siamese.alarms import looks
from traffic_siamese.model import Model
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.oneshot.tail import NormalTail, farthest_normal
from traffic_siamese.preparation import all_windows, prepare
from traffic_siamese.types import NORMAL, FloatArray, TrafficLog

_LEAST_APART = 4
"""Windows that do not overlap; fewer say little of the farthest twentieth."""


def measure_straying(
    model: Model, logs: Sequence[TrafficLog], baseline: FloatArray, *, mostly_normal: bool
) -> float | None:
    """Measure how far a network's normal traffic gets from the model's examples of normal.

    Parameters
    ----------
    model : Model
    logs : sequence of TrafficLog
        What the baseline was learned from.
    baseline : ndarray of shape (2, n_features), float32
    mostly_normal : bool
        Leave out windows that are nearer to a fault than to normal.

    Returns
    -------
    float or None
        95 % quantile of the distance to the nearest normal example, in embedding units. None where
        the model does not know how far normal strays elsewhere, or there are too few windows.
    """
    tail = model.bundle.info.calibration.normal_tail
    names, index = label_index(model.prototype_labels)
    if tail is None or NORMAL not in names:
        return None
    spec = looks(tail, model.bundle.info.window)
    long = [log for log in logs if any(len(one.values) >= spec.n_timesteps for one in log.series)]
    prepared = [prepare(log, model.scaler, baseline=baseline) for log in long]
    parts = [model.embed_all(all_windows(one, spec)) for one in prepared]
    if not parts:
        return None
    to_label = nearest_labels(np.concatenate(parts), model.prototypes, index, len(names))
    own = to_label[:, names == NORMAL][:, 0]
    if mostly_normal:
        own = own[own <= to_label.min(axis=1)]
    if len(own) * spec.stride < _LEAST_APART * spec.n_timesteps:
        return None
    return farthest_normal(own)


def tail_of_network(model: Model, network: str | None) -> NormalTail | None:
    """Return how far normal traffic strays on a network: as its baseline says, or as anywhere."""
    tail = model.bundle.info.calibration.normal_tail
    if tail is None or network is None:
        return tail
    return tail.stretched(model.stored_baseline(network).straying(model.bundle.encoder_id))
