"""What a reader of tables may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic_siamese.feature_schema import Kind


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user, or a model, says about a log beforehand.

    Attributes
    ----------
    by : str
        Column that names the network element of a row; empty: all rows are of one element.
    time : str
        Column of the time; empty: it is guessed.
    timezone : str
        IANA name of the zone of times that say none, such as ``Europe/Berlin``; UTC by default.
    names : tuple of str
        Names of the columns, for a table without a header.
    start, step_s : str, float
        Time of the first row, and seconds from row to row, for a table without times.
    kinds : mapping of str to {"counter", "delta", "gauge", "event", "ignore"}
        Kinds that are not to be guessed.
    alike : tuple of str
        Elements that the table holds side by side, as they stand in the columns' names, if a fault
        is the same whichever of them it befalls.
    relations : bool
        Whether a model is to see how the columns go together, too.
    granularity_s : float, optional
        How long the period of a row is.
    max_bytes : int, optional
        How much a log that is no capture may hold, decompressed.
    bin_s : float, optional
        Length of a bin, for readers that give series; `read_logs` sets it.
    """

    by: str = ""
    time: str = ""
    timezone: str = "UTC"
    names: tuple[str, ...] = ()
    start: str = ""
    step_s: float = 0.0
    kinds: Mapping[str, Kind | str] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    relations: bool = False
    granularity_s: float | None = None
    max_bytes: int | None = None
    bin_s: float | None = None
