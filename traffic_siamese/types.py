"""The frozen values that pass between floors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import FeatureSchema

NORMAL = "normal"
UNKNOWN = "unknown"
VIRTUAL = "~"
"""First character of the labels of virtual faults, which only training sees."""

SYNTHETIC = "synthetic"
"""Capture and network of windows that nobody captured: they come from many networks."""

CUBE_DIM = 3
"""The first axes of an embedding: the cube that is drawn."""

FloatArray = NDArray[np.float32]
StringArray = NDArray[np.str_]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TrafficSeries:
    """An unbroken stretch of per-bin features.

    Attributes
    ----------
    values : ndarray of shape (n_bins, n_features), float32
        One row per bin, in the units that the feature table states. No NaN.
    start_ns : int
        Start of the first bin, nanoseconds since the Unix epoch, UTC.
    bin_s : float
        Length of one bin in seconds.
    feature_names : tuple of str
        Names of the columns.
    """

    values: FloatArray
    start_ns: int
    bin_s: float
    feature_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TrafficLog:
    """All that was read from one traffic log.

    Attributes
    ----------
    name : str
        How the log is called in verdicts: the path the user gave.
    series : tuple of TrafficSeries
        Unbroken stretches in time order; a gap longer than the limit starts a new one.
    n_packets : int
        Whole packets read, of interest or not.
    warnings : tuple of str
        What was wrong with the log and did not stop the reading.
    schema : FeatureSchema, optional
        Of a table: its columns. None: what is measured in captures.
    protocols : mapping of str to int
        Of a capture: signalling messages of each protocol found, the most frequent first.
    """

    name: str
    series: tuple[TrafficSeries, ...]
    n_packets: int
    warnings: tuple[str, ...] = ()
    schema: FeatureSchema | None = None
    protocols: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How a series is cut into windows.

    Attributes
    ----------
    n_timesteps : int
        Bins in one window.
    stride : int
        Bins from one window's start to the next one's.
    bin_s : float
        Length of one bin in seconds.
    """

    n_timesteps: int = 32
    stride: int = 8
    bin_s: float = 1.0


@dataclass(frozen=True, slots=True)
class LabelledInterval:
    """One row of ``labels.csv``: what a capture shows from start (included) to end (excluded)."""

    capture: str
    start_ns: int
    end_ns: int
    label: str
    network: str


@dataclass(frozen=True, slots=True, eq=False)
class Prototype:
    """One labelled example window, with its embedding.

    Attributes
    ----------
    label : str
        The fault that it shows, or ``normal``.
    raw : ndarray of shape (n_timesteps, n_features), float32
        The window's features as read, so that a new encoder can embed it again.
    baseline : ndarray of shape (2, n_features), float32
        Centre and spread of the network that it was seen on.
    embedding : ndarray of shape (embedding_dim,), float32
        Where the encoder puts it.
    source : dict
        Where it came from: capture, network, start, end, how and when it was added.
    """

    label: str
    raw: FloatArray
    baseline: FloatArray
    embedding: FloatArray
    source: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one window shows. Times are nanoseconds since the Unix epoch, UTC.

    Attributes
    ----------
    capture : str
        The log, as it was named.
    start_ns, end_ns : int
        The window.
    label : str
        The nearest label, or ``unknown``.
    distance, confidence : float
        See ``oneshot.recognition``, as for the next two.
    second_label : str
    second_distance : float
    x, y, z : float
        The window's place in the cube.
    reason : str
        What differs most from normal; empty for ``normal``, unless it is ambiguous.
    p_value : float
        Share of its nearest label's windows that lie at least so far from their examples.
    ambiguous : bool
        Nearly as near to the second label.
    normal_distance : float
        To the nearest example of ``normal``; NaN where there is none.
    """

    capture: str
    start_ns: int
    end_ns: int
    label: str
    distance: float
    confidence: float
    second_label: str
    second_distance: float
    x: float
    y: float
    z: float
    reason: str
    p_value: float = math.nan
    ambiguous: bool = False
    normal_distance: float = math.nan


@dataclass(frozen=True, slots=True)
class Incident:
    """Consecutive verdicts, merged. Times are nanoseconds since the epoch, UTC.

    Attributes
    ----------
    capture : str
        The log, as it was named.
    start_ns, end_ns : int
        From when to when.
    label : str
        What its windows agree on; ``unknown`` where they name no fault.
    confidence : float, in [0, 1]
        Mean over the windows of that label.
    windows : int
        Windows that it was found in.
    reason : str
        What differs most from normal.
    second_label : str
        Another label that most of its windows are nearly as near to; empty where there is none.
    normal_per_day : float
        How often a day normal traffic strays as far as it did; NaN where that is not known.
    features : tuple of str
        Names of the features that made the difference, most first.
    is_open : bool
        Not yet over when its log ended: ``end_ns`` is then where the log ends, or nearly.
    details : str
        The reason at length: also what did not change, and what tells it from the runner-up.
    """

    capture: str
    start_ns: int
    end_ns: int
    label: str
    confidence: float
    windows: int
    reason: str
    second_label: str = ""
    normal_per_day: float = math.nan
    features: tuple[str, ...] = ()
    is_open: bool = False
    details: str = ""
