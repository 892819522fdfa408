"""What the incident page draws of one log beside its verdicts: values passed on, nothing done."""

from __future__ import annotations

from dataclasses import dataclass

from traffic_siamese.types import FloatArray, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTrack:
    """One feature of a log over time, in the unit that it is measured in.

    Attributes
    ----------
    name : str
        The feature.
    title : str
        The same in plain words.
    unit : str
        Of the values, such as ``packets/s``; may be empty.
    meaning : str
        What counts.
    normal : tuple of three floats
        The network's normal: two spreads below the centre, the centre, two spreads above.
    values : ndarray of shape (n_points,), float32
        Means over the points' bins.
    """

    name: str
    title: str
    unit: str
    meaning: str
    normal: tuple[float, float, float]
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LogDetail:
    """The features of one log that are worth drawing.

    Attributes
    ----------
    tracks : tuple of FeatureTrack
        Those that made the difference in an incident first, then some of the usual ones.
    start_ns : ndarray of shape (n_points,), int64
        When each point begins, nanoseconds since the epoch, UTC. A point is one bin near
        incidents, and in long logs several bins elsewhere.
    stretch : ndarray of shape (n_points,), int64
        Which unbroken stretch of the log each point lies in.
    bin_s : float
        Length of a bin in seconds.
    network : str
        Whose learned normal the tracks are compared with; empty where it was estimated from the
        log itself.
    """

    tracks: tuple[FeatureTrack, ...]
    start_ns: Int64Array
    stretch: Int64Array
    bin_s: float
    network: str
