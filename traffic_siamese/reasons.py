"""How the calm part of a log differs from a network's normal: the greatest changes, in figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import SIGNALLING

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
