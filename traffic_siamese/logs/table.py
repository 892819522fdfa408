"""A table of counters: what every reader of a log that is no capture gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import KINDS, Kind
from traffic_siamese.types import Int64Array

MAX_COLUMNS = 10_000
"""In one table; more are refused."""
MAX_CELLS = 20_000_000
"""Rows times columns of one log; more are refused."""


@dataclass(frozen=True, slots=True, eq=False)
class CounterTable:
    """Numbers of one network element over time.

    Attributes
    ----------
    name : str
        The log, as the user named it.
    element : str
        Which network element the rows are of; empty where the log has but one.
    time_ns : ndarray of shape (n_rows,), int64
        Time of each row, nanoseconds since the Unix epoch, UTC; in any order. A row tells of the
        time up to it: since the row before, or over ``granularity_s``. An event counts in its
        own moment.
    columns : mapping of str to ndarray of shape (n_rows,), float64
        NaN where a value is missing.
    kinds : mapping of str to {"counter", "delta", "gauge", "event"}
        For each column: a cumulative counter, the amount in the row's period, a state, or events
        at the row's moment (rows that are not there are zero, not missing).
    granularity_s : float, optional
        How long the period of a row is; without it, the time since the row before.
    warnings : tuple of str
        What was wrong and did not stop the reading.

    Raises
    ------
    ValueError
        If columns and kinds do not fit.
    """

    name: str
    element: str
    time_ns: Int64Array
    columns: Mapping[str, NDArray[np.float64]]
    kinds: Mapping[str, Kind]
    granularity_s: float | None = None
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Check that the parts fit."""
        if set(self.columns) != set(self.kinds):
            odd = sorted(set(self.columns) ^ set(self.kinds))[:5]
            raise ValueError(f"columns and kinds differ in {odd}, expected a kind for each column")
        for name, kind in self.kinds.items():
            if kind not in KINDS:
                raise ValueError(
                    f"column {name!r} has kind {kind!r}, expected one of {', '.join(KINDS)}"
                )
            if self.columns[name].shape != self.time_ns.shape:
                raise ValueError(
                    f"column {name!r} has shape {self.columns[name].shape}, "
                    f"expected {self.time_ns.shape}"
                )

    @property
    def label(self) -> str:
        """What the element's log is called: ``file#element``, or the file alone."""
        return f"{self.name}#{self.element}" if self.element else self.name
