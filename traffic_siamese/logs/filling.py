"""What stands where a value is missing: the one before it, never a zero that nobody measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import FeatureSchema


def fill_missing(
    blocks: list[NDArray[np.float64]], schema: FeatureSchema, label: str, warnings: list[str]
) -> None:
    """Fill in place: events with zero, everything else with the value before it.

    At the start of a block that is the first value after it; in a block without any, the last of
    the block before. A column that is empty everywhere is zero.

    Parameters
    ----------
    blocks : list of ndarray of shape (n_bins, n_features), float64
        Unbroken stretches in time order; NaN where missing.
    schema : FeatureSchema
    label : str
        The log, for warnings.
    warnings : list of str
        Told to: columns with many missing values.
    """
    n_bins = sum(len(block) for block in blocks)
    missing = np.zeros(len(schema), np.int64)
    last = np.full(len(schema), np.nan)
    held = np.array([feature.held for feature in schema.features])
    for block in blocks:
        missing += np.isnan(block).sum(axis=0)
        block[:, ~held] = np.nan_to_num(block[:, ~held])
        _hold(block, last)
        last = block[-1].copy()
    for block in reversed(blocks):
        after = np.isnan(block[0])
        block[:, after] = np.where(np.isnan(last), 0.0, last)[after]
        last = block[0]
    _tell(missing, held, n_bins, schema, label, warnings)


def _hold(block: NDArray[np.float64], before: NDArray[np.float64]) -> None:
    """Hold each column's last value; what nothing stands before takes its first, or ``before``."""
    for column in np.flatnonzero(np.isnan(block).any(axis=0)).tolist():
        values = block[:, column]
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            values[:] = before[column]
            continue
        place = np.searchsorted(known, np.arange(len(values)), side="right") - 1
        values[:] = values[known[np.maximum(place, 0)]]


def _tell(
    missing: NDArray[np.int64],
    held: NDArray[np.bool_],
    n_bins: int,
    schema: FeatureSchema,
    label: str,
    warnings: list[str],
) -> None:
    some = np.flatnonzero(held & (missing > max(1, n_bins // 20)))
    if not len(some):
        return
    worst = some[np.argsort(-missing[some], kind="stable")[:3]].tolist()
    named = ", ".join(f"{schema.names[i]} in {missing[i]}" for i in worst)
    more = f" and {len(some) - 3} columns more" if len(some) > 3 else ""
    warnings.append(
        f"{label}: values are missing in the {n_bins} bins: {named}{more}; "
        "the value before was held."
    )
