"""Stretches of traffic in which everything is steady, and comparisons of them."""

from __future__ import annotations

import numpy as np

from traffic_siamese.baseline import learn_baseline
from traffic_siamese.explanation.comparison import Comparison, compare
from traffic_siamese.features.schema import FEATURE_NAMES, SIGNALLING
from traffic_siamese.types import FloatArray

USUAL = {
    "to_service_packets": 40,
    "from_service_packets": 40,
    "from_service_bytes": 16_000,
    "to_service_new_transactions": 10,
    "to_service_request_session_start": 10,
    "to_service_request_registration": 2,
    "from_service_answer_success": 9,
    "from_service_answer_user_unavailable": 1,
    "from_service_started_sessions": 8,
    "to_service_first_answer_delay_median_s": 0.024,
}


def stretch(n_bins: int = 8, **values: float) -> FloatArray:
    """Return bins that all show these values, and zero elsewhere."""
    bins = np.zeros((n_bins, len(FEATURE_NAMES)), np.float32)
    for name, value in values.items():
        bins[:, FEATURE_NAMES.index(name)] = value
    return bins


def compared(protocol: str = "sip", bin_s: float = 1.0, **values: float) -> Comparison:
    """Compare usual traffic in which these values are different with usual traffic."""
    baseline = learn_baseline(stretch(**USUAL))
    now = stretch(**(USUAL | values))
    return compare(now, baseline, SIGNALLING, bin_s=bin_s, protocol=protocol)
