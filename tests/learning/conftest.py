"""Synthetic windows: every label has its own pattern over the channels, on two networks."""

from collections.abc import Callable

import numpy as np
import pytest

from traffic_siamese.windows import WindowSet

N_TIMESTEPS = 16
N_CHANNELS = 12
LABELS = ("blocked", "capacity", "flood", "normal")

MakeWindows = Callable[..., WindowSet]


def build_windows(
    labels: tuple[str, ...] = LABELS,
    *,
    n_captures: int = 4,
    n_bins: int = 60,
    noise: float = 0.5,
    seed: int = 0,
) -> WindowSet:
    """Make captures of noise around a pattern: constant, rising, pulsing or flat channels."""
    pattern_rng = np.random.default_rng(7)
    rng = np.random.default_rng(seed)
    patterns = {name: pattern_rng.normal(0, 1, N_CHANNELS) for name in sorted(labels)}
    patterns["normal"] = np.zeros(N_CHANNELS)
    inputs, index, start, label, capture, network = [], [], [], [], [], []
    for name in labels:
        for number in range(n_captures):
            wave = 1 + 0.3 * np.sin(np.arange(n_bins) / 3 + rng.uniform(0, 6))
            series = wave[:, None] * patterns[name] * rng.uniform(0.8, 1.2)
            series = series + rng.normal(0, noise, (n_bins, N_CHANNELS))
            starts = np.arange(0, n_bins - N_TIMESTEPS + 1, 4)
            index += [len(inputs)] * len(starts)
            inputs.append(series.astype(np.float32))
            start += starts.tolist()
            label += [name] * len(starts)
            where = "AB"[number % 2]
            capture += [f"{where}/{name}-{number}.pcap"] * len(starts)
            network += [where] * len(starts)
    start_bin = np.array(start, np.int64)
    return WindowSet(
        tuple(inputs),
        N_TIMESTEPS,
        np.array(index, np.int64),
        start_bin,
        start_bin * 1_000_000_000,
        np.array(label),
        np.array(capture),
        np.array(network),
    )


@pytest.fixture(scope="session")
def windows() -> WindowSet:
    """Four labels, four captures each."""
    return build_windows()


@pytest.fixture(scope="session")
def make_windows() -> MakeWindows:
    """Give the function that makes window sets."""
    return build_windows
