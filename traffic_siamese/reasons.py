"""Why a window is not normal, in a few words: what differs most from the network's normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured, deviation, log_view
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import SIGNALLING
from traffic_siamese.types import FloatArray

_MIN_CHANGE = 0.4  # of the logarithm: half as much again
_MIN_SPREADS = 2.0  # of a state that stays near one value: its usual spreads
_N_NAMED = 3
_DIRECTIONS = {"to_service_": "to service", "from_service_": "from service"}
_SAME = {
    "retransmitted_requests": "repeats",
    "retransmitted_answers": "repeats",
    "tcp_retransmissions": "repeats",
    "tcp_rst": "refusals",
    "icmp_unreachable": "refusals",
    "unanswered_4s": "unanswered_t1",
    "bytes": "packets",
    "first_answer_delay_p95_s": "first_answer_delay_median_s",
    "final_answer_delay_median_s": "first_answer_delay_median_s",
    "final_answer_delay_p95_s": "first_answer_delay_median_s",
    "first_answer_delay_std_s": "first_answer_delay_median_s",
}
"""Features that tell one story: only the one that changed most is named."""


def reason(window: FloatArray, baseline: FloatArray, schema: FeatureSchema = SIGNALLING) -> str:
    """Name the features of a window that differ most from normal.

    Parameters
    ----------
    window : ndarray of shape (n_timesteps, n_features), float32
        Features as read.
    baseline : ndarray of shape (2, n_features), float32
        Centre and spread of the network's normal, in the features' views.
    schema : FeatureSchema

    Returns
    -------
    str
        Such as ``packets from service 41 -> 0; repeats to service 0 -> 111``: the normal value,
        then the window's, per bin. Differences are ranked in units of normal spread, at least
        0.3; where none differs by half, that is said.
    """
    logs = log_view(window, schema).mean(axis=0)
    named = _named(logs, baseline, schema)
    if not named:
        return "no feature alone differs from normal by half"
    return "; ".join(change_words(i, baseline[0], logs, schema) for i in named)


def changed_features(
    window: FloatArray, baseline: FloatArray, schema: FeatureSchema = SIGNALLING
) -> tuple[str, ...]:
    """Return the names of the features that `reason` names, most first."""
    logs = log_view(window, schema).mean(axis=0)
    return tuple(schema.names[i] for i in _named(logs, baseline, schema))


def _named(logs: NDArray[np.floating], baseline: FloatArray, schema: FeatureSchema) -> list[int]:
    weight = np.abs(deviation(logs, baseline))
    least = np.where(schema.is_linear, _MIN_SPREADS, _MIN_CHANGE)
    weight = np.where(np.abs(logs - baseline[0]) < least, 0, weight)
    return largest_changes(weight, schema)[:_N_NAMED]


def largest_changes(weight: NDArray[np.floating], schema: FeatureSchema = SIGNALLING) -> list[int]:
    """Rank the features by how much they changed, most first.

    Parameters
    ----------
    weight : ndarray of shape (n_features,)
        How much each changed; 0 where it did not.
    schema : FeatureSchema

    Returns
    -------
    list of int
        Of features that tell one story, only the one that changed most.
    """
    named: dict[tuple[str, str], int] = {}
    for index in np.argsort(-weight, kind="stable").tolist():
        if weight[index] <= 0:
            break
        direction, name = _split(schema.names[index])
        named.setdefault((direction, _SAME.get(name, name)), index)
    return list(named.values())


def _split(name: str) -> tuple[str, str]:
    for prefix, direction in _DIRECTIONS.items():
        if name.startswith(prefix):
            return direction, name.removeprefix(prefix)
    return "", name


def change_words(
    index: int,
    normal: NDArray[np.floating],
    seen: NDArray[np.floating],
    schema: FeatureSchema = SIGNALLING,
) -> str:
    """Write a feature's normal and its present value, from views of all features."""
    feature = schema.features[index]
    before, now = (_figure(float(as_measured(view, schema)[index])) for view in (normal, seen))
    if schema.is_table:
        return f"{feature.name} {before} -> {now}"
    direction, name = _split(feature.name)
    unit = {"s": " s", "bits": " bits"}.get(feature.unit, "")
    plain = name.removesuffix("_s").removesuffix("_bits").replace("_", " ")
    plain = plain.replace("p95", "95th percentile").replace("unanswered t1", "unanswered 0.5 s")
    return f"{plain} {direction} {before} -> {now}{unit}".replace("  ", " ")


def _figure(value: float) -> str:
    """Write two or three digits, without an exponent."""
    if abs(value) < 0.0005:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"
