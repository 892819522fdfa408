"""Which features a series has, and how each is seen: the value that travels with the numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

View = Literal["log", "linear"]
Kind = Literal["counter", "delta", "gauge", "event"]
"""What a column of a table holds: a cumulative counter, the amount since the row before, a state,
or events that each count in their own moment."""
KINDS: tuple[Kind, ...] = ("counter", "delta", "gauge", "event")


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a traffic series.

    Attributes
    ----------
    name : str
        Column name; the unit stands at its end where it is not a count.
    unit : str
    meaning : str
        What counts.
    floor : float, > 0
        Scale of the logarithmic view, log(1 + value / floor): below it, changes hardly matter.
        Of a linear view, value / floor, what usual variation amounts to.
    held : bool
        True: a bin in which nothing was measured holds the previous bin's value (a mean without
        members is not zero).
    view : {"log", "linear"}
        Linear for a state that stays near one value, whose small changes tell something.
    kind : str
        For columns of tables, one of `KINDS`; empty for what is measured in captures.
    """

    name: str
    unit: str
    meaning: str
    floor: float = 1.0
    held: bool = False
    view: View = "log"
    kind: Kind | Literal[""] = ""

    @property
    def is_count(self) -> bool:
        """Whether it is a number of events or an amount in a bin, and grows with the load."""
        if self.kind:
            return self.kind != "gauge"
        return not self.held and self.unit not in ("share", "bits")


@dataclass(frozen=True)
class FeatureSchema:
    """The features of a series, in the order of its columns.

    Attributes
    ----------
    features : tuple of Feature
    is_table : bool
        False for what is measured in captures, True for columns of somebody's table.
    by, time, timezone : str
        How such a table is read: the columns of network element and time, and the zone of times
        that say none; see ``logs.options``.
    alike : tuple of str
        Elements whose columns are seen by rank; see ``like_columns``.
    relations : bool
        Whether a model sees what does not follow from the other columns; see ``relations``.
    """

    features: tuple[Feature, ...]
    is_table: bool = False
    by: str = ""
    time: str = ""
    timezone: str = "UTC"
    alike: tuple[str, ...] = ()
    relations: bool = False

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def floors(self) -> NDArray[np.float32]:
        """Floors, shape (n_features,)."""
        return np.array([feature.floor for feature in self.features], np.float32)

    @cached_property
    def is_linear(self) -> NDArray[np.bool_]:
        """Which features have the linear view, shape (n_features,)."""
        return np.array([feature.view == "linear" for feature in self.features], np.bool_)

    @cached_property
    def is_count(self) -> NDArray[np.bool_]:
        """Which features are counts, shape (n_features,)."""
        return np.array([feature.is_count for feature in self.features], np.bool_)

    @cached_property
    def digest(self) -> str:
        """Name of the list of features: what is learned of one list holds for no other.

        Sixteen hexadecimal digits of the names' SHA-256; of a table also of views and floors,
        which come from the data.
        """
        lines = list(self.names)
        if self.is_table:
            lines += [f"{one.view} {one.floor!r}" for one in self.features]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
