"""How strong a fault is over time: steady, on and off, rising or falling, in bursts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROFILES = ("steady", "on_off", "ramp", "burst")


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_profile(
    rng: np.random.Generator, kind: str, n_windows: int, n_timesteps: int
) -> NDArray[np.float64]:
    """Draw how a fault of one kind goes in several windows.

    Period, duty and density belong to the fault; phase, slope and jitter to each window.

    Returns
    -------
    ndarray of shape (n_windows, n_timesteps), float64, in [0, 1]
    """
    shape = (n_windows, n_timesteps)
    time = np.arange(n_timesteps)[None]
    if kind == "on_off":
        period_bins, duty = log_uniform(rng, 2, 16), rng.uniform(0.3, 0.7)
        drift = np.cumsum(rng.normal(0, 0.3 / period_bins, shape), axis=1)
        phase = time / period_bins + rng.uniform(0, 1, (n_windows, 1)) + drift
        return np.asarray(phase % 1 < duty, np.float64)
    if kind == "ramp":
        first, last = rng.uniform(0.3, 1, (2, n_windows, 1))
        return np.asarray(first + (last - first) * time / n_timesteps, np.float64)
    if kind == "burst":
        return np.asarray(rng.random(shape) < rng.uniform(0.1, 0.4), np.float64)
    return np.ones(shape)
