"""Windows as another network would show them, whatever their features are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.simulate.networks import another_network
from traffic_siamese.simulate.profiles import log_uniform
from traffic_siamese.types import FloatArray

_LEAST_LOAD, _MOST_LOAD = 0.35, 2.0
_OWN_LOAD = 0.3  # standard deviation of the logarithm: columns do not all grow alike
_SHIFT = 1.0  # of a state that stays near one value: in its usual spreads


def carried_elsewhere(
    values: NDArray[np.floating],
    baseline: FloatArray,
    schema: FeatureSchema,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return windows as some other network would show them, and that network's baseline.

    What is measured in captures: see `another_network`. Of a table, counts grow or shrink with
    the load, each a little in its own way, and states lie elsewhere; both with their baseline.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        As read.
    baseline : ndarray of shape (2, n_features), float32
        Of the network that they come from.
    schema : FeatureSchema
    rng : numpy.random.Generator

    Returns
    -------
    values : ndarray of the same shape, float32
    baseline : ndarray of shape (2, n_features), float32
    """
    if not schema.is_table:
        return another_network(values, baseline, rng)
    n_features = len(schema)
    load = log_uniform(rng, _LEAST_LOAD, _MOST_LOAD) * np.exp(rng.normal(0, _OWN_LOAD, n_features))
    load = np.where(schema.is_count & ~schema.is_linear, load, 1.0)
    shift = np.where(schema.is_linear, rng.normal(0, _SHIFT, n_features), 0.0)
    moved = baseline.astype(np.float64)
    size = np.where(schema.is_linear, 0, np.abs(moved[0]))
    scaled = np.sign(moved[0]) * np.log1p(load * np.expm1(size))
    moved[0] = np.where(schema.is_linear, moved[0] + shift, scaled)
    out = values * load + shift * schema.floors
    return out.astype(np.float32), moved.astype(np.float32)
