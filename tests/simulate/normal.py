"""Normal signalling traffic drawn from known means: every expectation has a closed form."""

from __future__ import annotations

import numpy as np

from traffic_siamese.features.schema import COUNTERS, FEATURE_NAMES
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS

PLACE = {name: i for i, name in enumerate(FEATURE_NAMES)}
RATES = {
    "new_transactions": 11.5,
    "request_session_start": 3.0,
    "request_session_end": 2.0,
    "request_cancel": 0.3,
    "request_registration": 4.0,
    "request_keep_alive": 1.0,
    "request_message": 1.0,
    "request_acknowledgement": 3.0,
    "request_other": 0.2,
    "answer_provisional": 3.0,
    "answer_success": 9.0,
    "answer_challenge": 4.0,
    "answer_not_found": 0.1,
    "answer_user_unavailable": 0.2,
    "started_sessions": 3.0,
    "done_registrations": 4.0,
}
MEASURES = {
    "first_answer_delay_median_s": 0.02,
    "first_answer_delay_p95_s": 0.04,
    "final_answer_delay_median_s": 0.02,
    "final_answer_delay_p95_s": 0.04,
    "first_answer_delay_std_s": 0.01,
}
UNDIRECTED = {
    "session_length_mean_s": 60.0,
    "active_endpoints": 40.0,
    "busiest_source_share": 0.1,
    "source_entropy_bits": 5.0,
    "targets_per_source": 1.2,
}
MESSAGES = [f"request_{k}" for k in REQUEST_KINDS] + [f"answer_{a}" for a in ANSWER_CLASSES]
WHOLE = [PLACE[f"{way}_{c.name}"] for way in DIRECTIONS for c in COUNTERS if c.name != "bytes"]


def normal_bins(n_bins: int, *, seed: int = 0, load: float = 1.0) -> np.ndarray:
    """Draw bins of normal traffic over UDP, (n_bins, n_features) float32."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n_bins, len(FEATURE_NAMES)), np.float32)
    for way, busy in zip(DIRECTIONS, (1.0, 0.4), strict=True):
        for name, rate in RATES.items():
            values[:, PLACE[f"{way}_{name}"]] = rng.poisson(rate * busy * load, n_bins)
        packets = sum(values[:, PLACE[f"{way}_{name}"]] for name in MESSAGES)
        values[:, PLACE[f"{way}_packets"]] = packets
        size = 500 * np.exp(rng.normal(0, 0.1, n_bins))
        values[:, PLACE[f"{way}_bytes"]] = np.rint(size * packets)
        seen = values[:, PLACE[f"{way}_bytes"]] / np.maximum(packets, 1)
        values[:, PLACE[f"{way}_mean_size_bytes"]] = np.where(packets > 0, seen, 500)
        values[:, PLACE[f"{way}_idle_share"]] = 0.9**packets
        for name, mean in MEASURES.items():
            noise = np.exp(rng.normal(0, 0.1, n_bins))
            values[:, PLACE[f"{way}_{name}"]] = mean * noise
    for name, mean in UNDIRECTED.items():
        values[:, PLACE[name]] = mean * np.exp(rng.normal(0, 0.05, n_bins))
    return values


def normal_windows(
    n_windows: int, *, n_timesteps: int = 32, seed: int = 0, load: float = 1.0
) -> np.ndarray:
    """Draw windows of normal traffic, (n_windows, n_timesteps, n_features) float32."""
    bins = normal_bins(n_windows * n_timesteps, seed=seed, load=load)
    return bins.reshape(n_windows, n_timesteps, -1)


def column(values: np.ndarray, way: int, name: str) -> np.ndarray:
    """Return a directed feature."""
    return values[..., PLACE[f"{DIRECTIONS[way]}_{name}"]]


def assert_total(counts: np.ndarray, expected: float) -> None:
    """Check that a sum of independent counts lies within five deviations of its mean."""
    assert abs(counts.sum() - expected) <= 5 * np.sqrt(expected) + 1e-6, (counts.sum(), expected)
