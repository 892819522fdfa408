"""Other networks than those that were captured: the same mix of traffic, less of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import COUNTERS
from traffic_siamese.features.slots import DIRECTIONS
from traffic_siamese.simulate.counts import COUNTER_NAMES, INDEX, TrafficWindows
from traffic_siamese.types import FloatArray

_COUNTS = tuple(counter.name for counter in COUNTERS if counter.name != "bytes")
_COUNTER_COLUMNS = [INDEX[f"{way}_{name}"] for way in DIRECTIONS for name in COUNTER_NAMES]


def thin_network(
    values: NDArray[np.floating], baseline: FloatArray, keep: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], FloatArray]:
    """Return windows as a smaller network would show them, and that network's baseline.

    Each event is kept with probability ``keep``, which leaves the mix and adds the noise of small
    numbers; delays stay.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Features as read.
    baseline : ndarray of shape (2, n_features), float32
        Of the network that they come from.
    keep : float, in (0, 1]
    rng : numpy.random.Generator

    Returns
    -------
    values : ndarray of the same shape, float64
    baseline : ndarray of shape (2, n_features), float32
    """
    windows = TrafficWindows(values, rng)
    old = windows.values.copy()
    for way, direction in enumerate(DIRECTIONS):
        windows.keep(way, _COUNTS, keep)
        windows.get(way, "bytes")[:] *= keep
        packets = windows.get(way, "packets")
        fewer = old[..., INDEX[f"{direction}_packets"]] - packets
        idle = windows.get(way, "idle_share")
        idle[:] = np.clip(idle * np.power(0.9, -fewer), 0, 1)
    moved = baseline.copy()
    usual = np.expm1(baseline[0, _COUNTER_COLUMNS])
    moved[0, _COUNTER_COLUMNS] = np.log1p(keep * usual)
    return windows.values, moved
