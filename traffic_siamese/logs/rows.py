"""Rows of a table put in order: sorted by time, rows of one time made one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import Kind
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows in time order, each time once.

    Attributes
    ----------
    time_ns : ndarray of shape (n_rows,), int64
        Strictly ascending.
    values : ndarray of shape (n_rows, n_columns), float64
        NaN where a value is missing.
    names : tuple of str
    kinds : tuple of str
    warnings : tuple of str
    """

    time_ns: Int64Array
    values: NDArray[np.float64]
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    warnings: tuple[str, ...]


def sorted_rows(table: CounterTable) -> Rows:
    """Sort a table's rows, and make one row of those that share their time.

    Of rows that share their time, each column keeps the last value that is not missing; events
    are added up.
    """
    names = tuple(table.columns)
    kinds = tuple(table.kinds[name] for name in names)
    values = np.stack([np.asarray(table.columns[name], np.float64) for name in names], axis=1)
    time_ns = np.asarray(table.time_ns, np.int64)
    told = np.isfinite(values).any(axis=1)
    if told.any():
        time_ns, values = time_ns[told], values[told]  # a row without values is no row
    warnings: list[str] = []
    n_back = int(np.count_nonzero(np.diff(time_ns) < 0))
    if n_back:
        warnings.append(f"{table.label}: rows are not in time order ({n_back} steps back); sorted.")
        order = np.argsort(time_ns, kind="stable")
        time_ns, values = time_ns[order], values[order]
    first = np.flatnonzero(np.diff(time_ns, prepend=time_ns[:1] - 1))
    n_same = len(time_ns) - len(first)
    if n_same:
        is_event = np.array([kind == "event" for kind in kinds])
        if not is_event.all():
            warnings.append(
                f"{table.label}: {n_same} rows have the time of another; the last value counts."
            )
        values = _merged(values, first, is_event)
        time_ns = time_ns[first]
    return Rows(time_ns, values, names, kinds, tuple(warnings))


def _merged(
    values: NDArray[np.float64], first: Int64Array, is_event: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Merge runs of rows that start at ``first``."""
    place = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    last = np.maximum.reduceat(place, first, axis=0)
    kept = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    merged = np.where(last >= first[:, None], kept, np.nan)
    if is_event.any():
        merged[:, is_event] = np.add.reduceat(np.nan_to_num(values[:, is_event]), first, axis=0)
    return merged
