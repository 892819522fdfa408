"""What normal looks like on one network: centre and spread of each feature's logarithm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES, SIGNALLING
from traffic_siamese.table_calm import LEAST_SPREAD, table_trouble
from traffic_siamese.types import FloatArray, Int64Array

MIN_BINS = 30
_CALM_SHARE = 0.3
_TOLERATED_TROUBLE = 0.3
_SMOOTH_BINS = 16
_SILENCE = 1 / 5  # of the busy quarter's packets
_SILENCE_TROUBLE = 10.0
FAILURES = (
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
_CALM_TABLE_SHARE = 0.5
_TABLE_TROUBLE = 2.0  # times the calm bins' limit that a table's normal rows stay within


def log_view(values: FloatArray, schema: FeatureSchema = SIGNALLING) -> FloatArray:
    """Return features in their views; floors and views stand in the schema.

    Logarithmic: log(1 + value / floor), of what is negative the same mirrored. Linear:
    value / floor.

    Parameters
    ----------
    values : ndarray of shape (..., n_features), float32
        Features as read.
    schema : FeatureSchema

    Returns
    -------
    ndarray of the same shape, float32
    """
    scaled = np.asarray(values, np.float32) / schema.floors
    if not schema.is_table:
        logs: FloatArray = np.log1p(scaled)
        return logs
    return np.where(schema.is_linear, scaled, mirrored_log(scaled)).astype(np.float32)


def mirrored_log(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return log(1 + value), of negative values -log(1 - value)."""
    logs: NDArray[np.floating] = np.sign(values) * np.log1p(np.abs(values))
    return logs


def as_measured(view: NDArray[np.floating], schema: FeatureSchema) -> NDArray[np.float64]:
    """Return values from their views: the inverse of `log_view`."""
    view = np.asarray(view, np.float64)
    # A steady state may lie thousands of its spreads from zero: too far for an exponential.
    logs = np.sign(view) * np.expm1(np.where(schema.is_linear, 0, np.abs(view)))
    return np.where(schema.is_linear, view, logs) * schema.floors.astype(np.float64)


def learn_baseline(values: FloatArray, schema: FeatureSchema = SIGNALLING) -> FloatArray:
    """Learn a network's normal from bins of normal traffic.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32
    schema : FeatureSchema

    Returns
    -------
    ndarray of shape (2, n_features), float32
        Mean and standard deviation of the logarithmic view, each feature's most extreme
        twentieths left out: a hiccup in otherwise normal traffic does not move it.
    """
    logs = np.sort(log_view(values, schema), axis=0)
    cut = len(logs) // 20
    core = logs[cut : len(logs) - cut]
    return np.stack([core.mean(axis=0), core.std(axis=0)]).astype(np.float32)


def estimate_baseline(values: FloatArray, schema: FeatureSchema = SIGNALLING) -> FloatArray:
    """Estimate a network's normal from a log that may hold a fault.

    The calmest 30 % of the bins are taken for normal: few repeats, refusals and failures for the
    requests made, answers as quick as this log's quick ones, and a volume that is neither a surge
    nor a silence beside its quartiles. Of a table, whose columns may mean anything, the half is
    taken that lies nearest to the columns' medians.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32
    schema : FeatureSchema

    Returns
    -------
    ndarray of shape (2, n_features), float32
        As from `learn_baseline`.
    """
    return learn_baseline(values[calmest_bins(values, schema)], schema)


def calmest_bins(values: FloatArray, schema: FeatureSchema = SIGNALLING) -> Int64Array:
    """Row numbers of the calmest 30 % of bins (of 30 at least), ascending; `estimate_baseline`."""
    if schema.is_table:
        return np.sort(_by_calm(table_trouble(log_view(values, schema)), _CALM_TABLE_SHARE))
    return np.sort(_by_calm(_smooth(_trouble(values))))


def untroubled_bins(values: FloatArray, schema: FeatureSchema = SIGNALLING) -> NDArray[np.bool_]:
    """Tell which bins of mostly normal traffic are normal.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32
    schema : FeatureSchema

    Returns
    -------
    ndarray of shape (n_bins,), bool
        Bins hardly more troubled than the calmest 30 %: so nearly all of normal traffic, where
        `estimate_baseline` sees the quickest part of it alone.
    """
    if schema.is_table:
        odd = table_trouble(log_view(values, schema))
        most = _TABLE_TROUBLE * odd[_by_calm(odd, _CALM_TABLE_SHARE)].max()
        return np.asarray(odd <= most, np.bool_)
    trouble = _smooth(_trouble(values))
    limit = trouble[_by_calm(trouble)].max() + _TOLERATED_TROUBLE
    return np.asarray(trouble <= limit, np.bool_)


def deviation(center: NDArray[np.floating], baseline: FloatArray) -> NDArray[np.floating]:
    """Say how far features lie from normal, in units of the network's own spread.

    Parameters
    ----------
    center : ndarray of shape (..., n_features)
        Logarithmic view.
    baseline : ndarray of shape (2, n_features), float32

    Returns
    -------
    ndarray of the shape of ``center``
        Signed; the unit is the spread and 0.3 more.
    """
    away: NDArray[np.floating] = (center - baseline[0]) / (baseline[1] + LEAST_SPREAD)
    return away


def blend_baselines(
    old: FloatArray, new: FloatArray, *, old_bins: int, new_bins: int
) -> FloatArray:
    """Return the baseline of two stretches of traffic taken together, from their baselines.

    Parameters
    ----------
    old, new : ndarray of shape (2, n_features), float32
    old_bins, new_bins : int
        What each was learned from: its weight.

    Returns
    -------
    ndarray of shape (2, n_features), float32
        Mean and standard deviation of both: the distance of the two centres adds to the spread.
    """
    share = new_bins / (old_bins + new_bins)
    center = (1 - share) * old[0] + share * new[0]
    variance = (1 - share) * (old[1] ** 2 + (old[0] - center) ** 2)
    variance += share * (new[1] ** 2 + (new[0] - center) ** 2)
    return np.stack([center, np.sqrt(variance)]).astype(np.float32)


def _by_calm(trouble: NDArray[np.float64], share: float = _CALM_SHARE) -> Int64Array:
    n_calm = min(len(trouble), max(MIN_BINS, round(len(trouble) * share)))
    return np.argsort(trouble, kind="stable")[:n_calm]


def _column(values: FloatArray, name: str) -> FloatArray:
    return values[:, FEATURE_NAMES.index(name)]


def _both(values: FloatArray, name: str) -> FloatArray:
    return _column(values, f"to_service_{name}") + _column(values, f"from_service_{name}")


def _trouble(values: FloatArray) -> NDArray[np.float64]:
    """How troubled each bin is, shape (n_bins,): failures per request, slowness, odd volume."""
    asked = _smooth(_both(values, "new_transactions")) + 1
    failures = np.sum([_both(values, name) for name in FAILURES], axis=0)
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
