"""What normal looks like on one network: centre and spread of each feature's logarithm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import FEATURE_NAMES, FEATURES
from traffic_siamese.types import FloatArray

MIN_BINS = 30
_CALM_SHARE = 0.3
_SMOOTH_BINS = 16
_SILENCE = 1 / 5  # of the busy quarter's packets
_SILENCE_TROUBLE = 10.0
_TROUBLE = (
    "repeats",
    "refusals",
    "unanswered_t1",
    "answer_forbidden",
    "answer_not_found",
    "answer_timeout",
    "answer_bad_request",
    "answer_other_client_error",
    "answer_overload",
    "answer_other_server_error",
    "answer_global_failure",
)
_SUCCESSES = (
    ("started_sessions", "request_session_start"),
    ("done_registrations", "request_registration"),
)
_OPENING = (
    "packets",
    "request_session_start",
    "request_registration",
    "request_keep_alive",
    "request_message",
)
"""What surges by itself, and not because something else succeeds."""
_USUAL_SWING = 0.7  # of the logarithm: traffic may double or halve by itself
_FLOORS = np.array([feature.floor for feature in FEATURES], np.float32)


def log_view(values: FloatArray) -> FloatArray:
    """Return the logarithm of features, log(1 + value / floor); the floors stand in the schema.

    Parameters
    ----------
    values : ndarray of shape (..., n_features), float32
        Features as read, not negative.

    Returns
    -------
    ndarray of the same shape, float32
    """
    logs: FloatArray = np.log1p(np.asarray(values, np.float32) / _FLOORS)
    return logs


def learn_baseline(values: FloatArray) -> FloatArray:
    """Learn a network's normal from bins of normal traffic.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32

    Returns
    -------
    ndarray of shape (2, n_features), float32
        Mean and standard deviation of the logarithmic view, each feature's most extreme
        twentieths left out: a hiccup in otherwise normal traffic does not move it.
    """
    logs = np.sort(log_view(values), axis=0)
    cut = len(logs) // 20
    core = logs[cut : len(logs) - cut]
    return np.stack([core.mean(axis=0), core.std(axis=0)]).astype(np.float32)


def estimate_baseline(values: FloatArray) -> FloatArray:
    """Estimate a network's normal from a log that may hold a fault.

    The calmest 30 % of the bins are taken for normal: few repeats, refusals and failures for the
    requests made, answers as quick as this log's quick ones, and a volume that is neither a surge
    nor a silence beside its quartiles.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32

    Returns
    -------
    ndarray of shape (2, n_features), float32
        As from `learn_baseline`.
    """
    trouble = _smooth(_trouble(values))
    n_calm = min(len(values), max(MIN_BINS, round(len(values) * _CALM_SHARE)))
    calm = np.argsort(trouble, kind="stable")[:n_calm]
    return learn_baseline(values[np.sort(calm)])


def _column(values: FloatArray, name: str) -> FloatArray:
    return values[:, FEATURE_NAMES.index(name)]


def _both(values: FloatArray, name: str) -> FloatArray:
    return _column(values, f"to_service_{name}") + _column(values, f"from_service_{name}")


def _trouble(values: FloatArray) -> NDArray[np.float64]:
    """How troubled each bin is, shape (n_bins,): failures per request, slowness, odd volume."""
    asked = _smooth(_both(values, "new_transactions")) + 1
    failures = np.sum([_both(values, name) for name in _TROUBLE], axis=0)
    failing = np.log1p(_smooth(failures) / asked)
    packets = _smooth(_both(values, "packets"))
    busy = np.quantile(packets, 0.75)
    silent = (busy >= 1) & (packets < _SILENCE * busy)  # where nothing is sent, nothing fails
    odd = _SILENCE_TROUBLE * silent
    for name in _OPENING:
        volume = np.log1p(_smooth(_both(values, name)))
        # The largest alone: where requests are lost, each kind that is left looks like a surge.
        odd = np.maximum(odd, volume - np.quantile(volume[~silent], 0.25) - _USUAL_SWING)
    for done, asked_for in _SUCCESSES:
        share = _smooth(_both(values, done)) / (_smooth(_both(values, asked_for)) + 0.1)
        share = np.minimum(share, 1)
        failing += np.maximum(np.quantile(share, 0.75) - share, 0)
    slow = np.zeros(len(values))
    for direction in ("to_service", "from_service"):
        delay = _column(values, f"{direction}_first_answer_delay_median_s")
        delay = np.log1p(delay.astype(np.float64) / 0.001)
        slow += np.maximum(delay - np.quantile(delay, 0.25), 0)
    return np.asarray(failing + odd + slow, np.float64)


def _smooth(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centred moving average; at the ends over the bins that there are."""
    half = _SMOOTH_BINS // 2
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    place = np.arange(len(values))
    low, high = np.maximum(place - half, 0), np.minimum(place + half, len(values))
    return np.asarray((sums[high] - sums[low]) / np.maximum(high - low, 1), np.float64)
