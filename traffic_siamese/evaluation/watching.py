"""What an operator would see: false incidents on normal traffic, and how soon a fault is raised."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.alarms import looks, tail_of_log
from traffic_siamese.evaluation.corpus import calm_captures
from traffic_siamese.evaluation.intervals import NOTHING, Interval, poisson_interval
from traffic_siamese.incidents import IncidentMerger
from traffic_siamese.oneshot.recognition import Recognition
from traffic_siamese.oneshot.tail import NormalTail
from traffic_siamese.types import (
    NORMAL,
    UNKNOWN,
    FloatArray,
    Int64Array,
    LabelledInterval,
    Verdict,
    WindowSpec,
)


@dataclass(frozen=True, slots=True)
class Detection:
    """When one labelled fault was raised.

    Attributes
    ----------
    capture, label : str
    any_s, right_s : float or None
        Seconds from its labelled start to the end of the window that raised an incident, of
        whatever label and of its own; None where none was raised.
    is_known : bool
        Whether its label is in the library.
    """

    capture: str
    label: str
    any_s: float | None
    right_s: float | None
    is_known: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What was raised while whole captures were watched.

    Attributes
    ----------
    n_false, n_false_unknown : int
        Incidents on captures that show normal traffic alone, and those of them called unknown.
    calm_h : float
        Hours of such captures.
    calm : tuple of str
        Such captures.
    detections : tuple of Detection
        One per labelled fault.
    """

    n_false: int
    n_false_unknown: int
    calm_h: float
    calm: tuple[str, ...]
    detections: tuple[Detection, ...]

    def delays(self, *, right: bool = False) -> list[float]:
        """Seconds to the incident of each fault that was raised; of its own name if `right`."""
        found = [one.right_s if right else one.any_s for one in self.asked(right=right)]
        return [value for value in found if value is not None]

    def asked(self, *, right: bool = False) -> list[Detection]:
        """Faults that could be raised: all, or those whose own name is in the library."""
        return [one for one in self.detections if one.is_known or not right]


def false_per_hour(runs: Sequence[Watched]) -> Interval:
    """Rate of false incidents over runs, with an exact 95 % interval for rare events.

    Runs that watched the same captures (with other encoders or examples) count their hours once
    for the interval: they tell nothing new of the traffic.
    """
    hours = sum(one.calm_h for one in runs)
    if not hours:
        return NOTHING
    rate = sum(one.n_false for one in runs) / hours
    distinct_h = sum({one.calm: one.calm_h for one in runs}.values())
    low, high = poisson_interval(round(rate * distinct_h))
    return Interval(rate, low / distinct_h, high / distinct_h, sum(one.n_false for one in runs))


def watch(
    verdicts: Mapping[str, Sequence[Verdict]],
    intervals: Sequence[LabelledInterval],
    *,
    spec: WindowSpec,
    known: Collection[str],
    tail: NormalTail | None = None,
) -> Watched:
    """Merge verdicts into incidents as classifying does, and compare with what is labelled.

    Parameters
    ----------
    verdicts : mapping of str to sequence of Verdict
        Of all windows of each capture, labelled or not, in time order, as often as ``looks`` says.
    intervals : sequence of LabelledInterval
        What the captures show; captures without verdicts are left out.
    spec : WindowSpec
    known : collection of str
        Labels in the library.
    tail : NormalTail, optional
        How far normal traffic strays, from the model's calibration.
    """
    mine = [one for one in intervals if one.capture in verdicts]
    calm = calm_captures(mine)
    incidents = [
        incident
        for name in calm
        for incident in IncidentMerger.for_model(tail_of_log(tail, verdicts[name]), spec).merge(
            verdicts[name]
        )
    ]
    hours = sum(len(verdicts[name]) for name in calm) * _stride_ns(looks(tail, spec)) / 3.6e12
    unknown = sum(incident.label == UNKNOWN for incident in incidents)
    detections = [
        _detect(verdicts[one.capture], one, spec, tail, is_known=one.label in known)
        for one in mine
        if one.label != NORMAL
    ]
    return Watched(len(incidents), unknown, hours, tuple(calm), tuple(detections))


def first_raised_ns(
    verdicts: Sequence[Verdict],
    start_ns: int,
    end_ns: int,
    *,
    merger: IncidentMerger,
    labels: Collection[str] = (),
) -> int | None:
    """End of the window with which an incident stood, in an interval; None if none did.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of one capture, in time order.
    start_ns, end_ns : int
        From when to when an incident counts; one that was raised before does not.
    merger : IncidentMerger
        A new one.
    labels : collection of str
        Labels that count; any, where it is empty.
    """
    before = False
    for verdict in verdicts:
        merger.push(verdict)
        incident = merger.open_incident
        counts = incident is not None and (not labels or incident.label in labels)
        if counts and not before and start_ns < verdict.end_ns <= end_ns:
            return verdict.end_ns
        before = counts
    return None


def verdicts_of(
    capture: str,
    start_ns: Int64Array,
    embeddings: FloatArray,
    found: Recognition,
    spec: WindowSpec,
) -> list[Verdict]:
    """Return what was recognised in a capture's windows as verdicts, without reasons."""
    cube = np.pad(embeddings[:, :3], ((0, 0), (0, max(0, 3 - embeddings.shape[1])))).tolist()
    return [
        Verdict(
            capture,
            start,
            start + _window_ns(spec),
            str(found.label[i]),
            float(found.distance[i]),
            float(found.confidence[i]),
            str(found.second_label[i]),
            float(found.second_distance[i]),
            cube[i][0],
            cube[i][1],
            cube[i][2],
            "",
            float(found.p_value[i]),
            bool(found.ambiguous[i]),
            float(found.normal_distance[i]),
        )
        for i, start in enumerate(start_ns.tolist())
    ]


def _detect(
    verdicts: Sequence[Verdict],
    interval: LabelledInterval,
    spec: WindowSpec,
    tail: NormalTail | None,
    *,
    is_known: bool,
) -> Detection:
    # A window that began in the fault may still raise it after its end.
    span = interval.start_ns, interval.end_ns + _window_ns(spec)
    tail = tail_of_log(tail, verdicts)

    def seconds(labels: Collection[str]) -> float | None:
        raised_ns = first_raised_ns(
            verdicts, *span, merger=IncidentMerger.for_model(tail, spec), labels=labels
        )
        return None if raised_ns is None else (raised_ns - interval.start_ns) / 1e9

    right_s = seconds((interval.label,)) if is_known else None
    return Detection(interval.capture, interval.label, seconds(()), right_s, is_known)


def _stride_ns(spec: WindowSpec) -> int:
    return round(spec.stride * spec.bin_s * 1e9)


def _window_ns(spec: WindowSpec) -> int:
    return round(spec.n_timesteps * spec.bin_s * 1e9)
