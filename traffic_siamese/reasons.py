"""Why a window is not normal, in a few words: what differs most from the network's normal."""

from __future__ import annotations

import numpy as np

from traffic_siamese.baseline import log_view
from traffic_siamese.features.schema import FEATURES
from traffic_siamese.types import FloatArray

_MIN_CHANGE = 0.4  # of the logarithm: half as much again
_N_NAMED = 3


def reason(window: FloatArray, baseline: FloatArray) -> str:
    """Name the features of a window that differ most from normal.

    Parameters
    ----------
    window : ndarray of shape (n_timesteps, n_features), float32
        Features as read.
    baseline : ndarray of shape (2, n_features), float32
        Centre and spread of the network's normal, logarithmic view.

    Returns
    -------
    str
        Such as ``from_service_packets 41 -> 0 packets``: the normal mean, then the window's.
        Differences are ranked in units of normal spread, at least 0.3.
    """
    logs = log_view(window).mean(axis=0)
    change = logs - baseline[0]
    weight = np.where(np.abs(change) < _MIN_CHANGE, 0, np.abs(change) / (baseline[1] + 0.3))
    named = [i for i in np.argsort(-weight, kind="stable")[:_N_NAMED] if weight[i] > 0]
    return "; ".join(_words(i, baseline[0, i], logs[i]) for i in named)


def _words(index: int, normal_log: float, seen_log: float) -> str:
    feature = FEATURES[index]
    normal, seen = (np.expm1(value) * feature.floor for value in (normal_log, seen_log))
    return f"{feature.name} {normal:.3g} -> {seen:.3g} {feature.unit}"
