"""Virtual faults on the columns of one's own tables, whatever these mean.

A fault takes hold of some columns that go together, or of a few that do not, and does one thing
to each: moves it, stops it, freezes it. How that goes over time is the fault's profile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured, log_view
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.simulate.profiles import draw_profile, log_uniform
from traffic_siamese.types import FloatArray

ACTIONS = ("shift", "stop", "freeze", "noise")
_CHANCES = (0.6, 0.2, 0.1, 0.1)
_PROFILES = ("steady", "step", "ramp", "burst", "on_off", "pulse")
_MOST_COLUMNS = 10
_TOGETHER = 0.6  # chance that the columns of a fault are those that go together
_CORRELATED = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class TableFault:
    """One fault.

    Attributes
    ----------
    profile : str
        How it goes over time.
    columns : ndarray of shape (n_columns,), int64
        What it takes hold of.
    actions : tuple of str
        What it does to each: one of `ACTIONS`.
    shifts : ndarray of shape (n_columns,), float64
        How far it moves each, in the columns' views: logarithms, or usual spreads.
    """

    profile: str
    columns: NDArray[np.int64]
    actions: tuple[str, ...]
    shifts: NDArray[np.float64]


def draw_table_fault(
    schema: FeatureSchema, values: NDArray[np.floating], rng: np.random.Generator
) -> TableFault:
    """Draw a fault.

    Parameters
    ----------
    schema : FeatureSchema
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Normal traffic: tells which columns go together.
    rng : numpy.random.Generator
    """
    columns = _draw_columns(log_view(np.asarray(values, np.float32), schema), rng)
    action = str(rng.choice(ACTIONS, p=_CHANCES))
    same = rng.random() < 0.7
    actions = tuple(
        action if same else str(rng.choice(ACTIONS, p=_CHANCES)) for _ in range(len(columns))
    )
    size = np.where(
        schema.is_linear[columns],
        [log_uniform(rng, 2, 60) for _ in columns],
        rng.uniform(0.6, 2.5, len(columns)),
    )
    sign = np.where(rng.random(len(columns)) < 0.8, rng.choice([-1, 1, 1]), rng.choice([-1, 1]))
    return TableFault(str(rng.choice(_PROFILES)), columns, actions, sign * size)


def _draw_columns(view: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw a column and those that go with it, or a few at random."""
    n_features = view.shape[-1]
    n_columns = int(min(n_features, np.rint(log_uniform(rng, 1, _MOST_COLUMNS))))
    first = int(rng.integers(n_features))
    if rng.random() < _TOGETHER:
        related = _correlation(view.reshape(-1, n_features), first)
        others = np.flatnonzero(np.nan_to_num(related) > _CORRELATED)
        others = rng.permutation(others[others != first])[: n_columns - 1]
    else:
        others = rng.choice(n_features, n_columns, replace=False)
        others = others[others != first][: n_columns - 1]
    return np.concatenate([[first], others]).astype(np.int64)


def _correlation(view: NDArray[np.floating], column: int) -> NDArray[np.float64]:
    """Absolute correlation of each column with one; 0 where one does not vary."""
    away = view.astype(np.float64) - view.mean(axis=0)
    size = np.sqrt((away**2).sum(axis=0))
    product = size * size[column]
    return np.asarray(
        np.where(product > 0, np.abs(away.T @ away[:, column]) / np.maximum(product, 1e-12), 0)
    )


def apply_table_fault(
    fault: TableFault,
    values: NDArray[np.floating],
    baselines: FloatArray,
    schema: FeatureSchema,
    rng: np.random.Generator,
) -> FloatArray:
    """Let normal windows go through a fault, each with a severity of its own.

    Parameters
    ----------
    fault : TableFault
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        As read; not changed.
    baselines : ndarray of shape (n_windows, 2, n_features), float32
        Of the network of each window.
    schema : FeatureSchema
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of the same shape, float32
    """
    n_windows, n_timesteps, _ = values.shape
    share = rng.uniform(0.6, 1.15, (n_windows, 1)) * _profile(fault, n_windows, n_timesteps, rng)
    view = log_view(np.asarray(values, np.float32), schema).astype(np.float64)
    spread = baselines[:, 1].astype(np.float64)
    for column, action, shift in zip(
        fault.columns.tolist(), fault.actions, fault.shifts.tolist(), strict=True
    ):
        seen = view[..., column]
        if action == "shift":
            seen += shift * share
        elif action == "stop":
            seen *= np.clip(1 - share, 0, 1)
        elif action == "freeze":
            seen[:] = np.where(share > 0.3, seen[:, :1], seen)
        else:
            noise = rng.normal(0, 1, seen.shape) * (spread[:, column, None] + abs(shift) / 3)
            seen += share * noise
        if not schema.is_linear[column]:
            np.maximum(seen, 0, out=seen)  # what is never negative stays so
    out = np.array(values, np.float64)
    out[..., fault.columns] = as_measured(view, schema)[..., fault.columns]
    counted = fault.columns[schema.is_count[fault.columns] & ~schema.is_linear[fault.columns]]
    out[..., counted] = np.rint(out[..., counted])
    return out.astype(np.float32)


def _profile(
    fault: TableFault, n_windows: int, n_timesteps: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """How strong the fault is, shape (n_windows, n_timesteps): windows see it at any stage."""
    time = np.arange(n_timesteps)[None]
    begin = rng.integers(-n_timesteps, max(1, n_timesteps // 2), (n_windows, 1))
    if fault.profile == "step":
        return np.asarray(time >= begin, np.float64)
    if fault.profile == "pulse":
        length = rng.integers(max(1, n_timesteps // 2), 2 * n_timesteps, (n_windows, 1))
        begin = np.minimum(begin, 0) + rng.integers(0, max(1, n_timesteps // 2), (n_windows, 1))
        return np.asarray((time >= begin) & (time < begin + length), np.float64)
    return draw_profile(rng, fault.profile, n_windows, n_timesteps)
