"""What classifying counts, for a monitoring system: logs, windows, incidents, trouble, time."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from traffic_siamese.classification import LogResult
from traffic_siamese.tables import plain_value
from traffic_siamese.types import NORMAL, UNKNOWN

MAX_OPEN = 100
"""Open incidents that are named one by one: each is a time series of its own."""

OUTCOMES = ("read", "damaged", "skipped")
PREFIX = "traffic_siamese_"


@dataclass(frozen=True, slots=True)
class Metric:
    """Name, meaning and labels of a metric; counters end in ``_total``."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


COUNTERS = (
    Metric("logs", "Logs: read, damaged (read with warnings) or skipped.", ("outcome",)),
    Metric("packets", "Packets of captures and rows of tables that were read."),
    Metric("windows", "Windows of traffic, by what they show.", ("label",)),
    Metric("incidents", "Incidents.", ("label",)),
    Metric("trouble_seconds", "Seconds of traffic that lie in incidents.", ("label",)),
    Metric("classify_seconds", "Seconds that reading and classifying took."),
)
GAUGES = (
    Metric(
        "incident_open",
        f"1 for an incident that was not over when its log ended; the first {MAX_OPEN} of a run.",
        ("label", "log"),
    ),
    Metric("open_incidents", "Incidents that were not over when their logs ended.", ("label",)),
    Metric("last_run_timestamp_seconds", "When the run ended, or counted last."),
    Metric("last_run_success", "1 where the run came to its end and read a log, else 0."),
    Metric("model_info", "The model that was used.", ("model", "encoder", "version")),
)

Samples = dict[tuple[str, ...], float]
"""Values of one metric by the values of its labels."""


@dataclass(frozen=True, slots=True)
class UsedModel:
    """What is told of the model.

    Attributes
    ----------
    model : str
        Its directory.
    encoder : str
        Hash of its encoder.
    version : str
        Of this package.
    labels : tuple of str
        What it can say; each counts from zero, so that the first incident is a rise.
    """

    model: str
    encoder: str
    version: str
    labels: tuple[str, ...]


@dataclass(slots=True)
class RunMetrics:
    """Counts what one run does; may be read by another thread meanwhile.

    Parameters
    ----------
    network : str
        Put to every sample; empty where none was named.
    model : UsedModel
    before : mapping of str to Samples, optional
        Counters to continue, by name.
    """

    network: str
    model: UsedModel
    before: dict[str, Samples] = field(default_factory=dict)
    _values: dict[str, Samples] = field(default_factory=dict, init=False)
    _n_read: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Let everything that can be counted be there from the start."""
        self._values = {metric.name: {} for metric in (*COUNTERS, *GAUGES)}
        for name, samples in self.before.items():
            self._count(name, samples)
        self._count("windows", {(label,): 0.0 for label in (*self.model.labels, UNKNOWN)})
        faults = [label for label in (*self.model.labels, UNKNOWN) if label != NORMAL]
        for name in ("incidents", "trouble_seconds", "open_incidents"):
            self._count(name, {(label,): 0.0 for label in faults})
        self._count("logs", {(outcome,): 0.0 for outcome in OUTCOMES})
        self._count("packets", {(): 0.0})
        self._count("classify_seconds", {(): 0.0})
        self._count("last_run_success", {(): 0.0})
        self._count("model_info", {(self.model.model, self.model.encoder, self.model.version): 1.0})

    def add(self, result: LogResult, *, spent_s: float, now_s: float) -> None:
        """Count one log's result.

        Parameters
        ----------
        result : LogResult
        spent_s : float
            Seconds that it took.
        now_s : float
            The time, seconds since the epoch.
        """
        incidents = result.incidents
        still_open = [one for one in incidents if one.is_open]
        with self._lock:
            self._n_read += not result.error
            self._count("logs", {(_outcome(result),): 1.0})
            self._count("packets", {(): float(result.n_packets)})
            self._count("windows", _by_label((one.label, 1.0) for one in result.verdicts))
            self._count("incidents", _by_label((one.label, 1.0) for one in incidents))
            lengths = ((one.label, (one.end_ns - one.start_ns) / 1e9) for one in incidents)
            self._count("trouble_seconds", _by_label(lengths))
            self._count("classify_seconds", {(): spent_s})
            self._count("open_incidents", _by_label((one.label, 1.0) for one in still_open))
            named = self._values["incident_open"]
            for one in still_open[: max(0, MAX_OPEN - len(named))]:
                named[one.label, plain_value("text", one.capture)] = 1.0
            self._values["last_run_timestamp_seconds"][()] = now_s

    def finish(self, *, success: bool, now_s: float) -> None:
        """Say how the run ended, and when."""
        with self._lock:
            self._values["last_run_success"][()] = float(success and self._n_read > 0)
            self._values["last_run_timestamp_seconds"][()] = now_s

    def samples(self, metric: Metric) -> Samples:
        """Return a copy of a metric's values."""
        with self._lock:
            return dict(self._values[metric.name])

    def _count(self, name: str, samples: Samples) -> None:
        values = self._values[name]
        for key, value in samples.items():
            values[key] = values.get(key, 0.0) + value


def _outcome(result: LogResult) -> str:
    if result.error:
        return "skipped"
    return "damaged" if result.warnings else "read"


def _by_label(pairs: Iterable[tuple[str, float]]) -> Samples:
    sums: Samples = {}
    for label, value in pairs:
        sums[label,] = sums.get((label,), 0.0) + value
    return sums
