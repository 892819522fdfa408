"""What the incident page knows of each log, as plain values: in short for all, in full for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traffic_siamese.log_detail import FeatureTrack, LogDetail
from traffic_siamese.tables import plain_value
from traffic_siamese.types import Incident, Prototype, Verdict

_PLACES = 1000  # steps of an axis of the cube; half a pixel
_DIGITS = 3


class Classified(Protocol):
    """What classifying one log gave: a ``LogResult``."""

    @property
    def log(self) -> str:
        """How the log is called."""

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """In time order."""

    @property
    def incidents(self) -> Sequence[Incident]:
        """In time order."""

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong and did not stop it."""

    @property
    def error(self) -> str:
        """Why it could not be classified."""

    @property
    def detail(self) -> LogDetail | None:
        """Its telling features."""


def entry(result: Classified) -> dict[str, Any]:
    """Return what the page always holds of a log: enough to list, search and sort it.

    Parameters
    ----------
    result : Classified

    Returns
    -------
    dict
        Times in whole milliseconds since the epoch, UTC; ``start`` is None where nothing was read.
    """
    verdicts = result.verdicts
    return {
        "name": plain_value("text", result.log),
        "start": _ms(verdicts[0].start_ns) if verdicts else None,
        "end": _ms(max(one.end_ns for one in verdicts)) if verdicts else None,
        "windows": len(verdicts),
        "incidents": [_short(one) for one in result.incidents],
        "warnings": [plain_value("text", one) for one in result.warnings],
        "error": plain_value("text", result.error),
    }


def _short(one: Incident) -> dict[str, Any]:
    return {
        "start": _ms(one.start_ns),
        "end": _ms(one.end_ns),
        "label": one.label,
        "confidence": _rounded(one.confidence),
        "reason": one.reason,
    }


def full(result: Classified) -> dict[str, Any]:
    """Return what the page unpacks when a log is opened.

    Parameters
    ----------
    result : Classified
        With verdicts.

    Returns
    -------
    dict
        Lists that repeat little: labels and reasons as numbers, times and coordinates as the
        difference from the one before.
    """
    verdicts = result.verdicts
    labels = sorted({name for one in verdicts for name in (one.label, one.second_label)})
    reasons = sorted({one.reason for one in verdicts})
    label_place, reason_place = _places(labels), _places(reasons)
    return {
        "labels": labels,
        "reasons": reasons,
        "windows": {
            "start": _steps(_ms(one.start_ns) for one in verdicts),
            "length": _ms(verdicts[0].end_ns - verdicts[0].start_ns),
            "label": [label_place[one.label] for one in verdicts],
            "second": [label_place[one.second_label] for one in verdicts],
            "confidence": _all_rounded([one.confidence for one in verdicts]),
            "odds": [_times_as_far(one) for one in verdicts],
            "reason": [reason_place[one.reason] for one in verdicts],
            "place": [_steps(_place(getattr(one, axis)) for one in verdicts) for axis in "xyz"],
        },
        "incidents": [_more(one, verdicts) for one in result.incidents],
        "detail": _drawn(result.detail) if result.detail else None,
    }


def examples(prototypes: Iterable[Prototype]) -> list[dict[str, Any]]:
    """Return the labelled examples and where they lie in the cube."""
    return [
        {
            "label": one.label,
            "place": [_place(float(value)) for value in _cube(one.embedding)],
            "capture": one.source.get("capture", ""),
            "network": one.source.get("network", ""),
        }
        for one in prototypes
    ]


def _cube(embedding: NDArray[np.floating]) -> list[float]:
    return [*embedding[:3].tolist(), 0.0, 0.0][:3]


def _more(one: Incident, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Say of an incident what only its own page shows."""
    second, times = _runner_up(one, verdicts)
    return {
        "windows": one.windows,
        "features": list(one.features),
        "second": second,
        "times": times,
        "either": bool(one.second_label),
        "per_day": _rounded(one.normal_per_day),
    }


def _runner_up(one: Incident, verdicts: Sequence[Verdict]) -> tuple[str, float | None]:
    """Return the label that comes next most often, and how many times as far away it is."""
    mine = [
        row
        for row in verdicts
        if row.label == one.label and one.start_ns <= (row.start_ns + row.end_ns) // 2 < one.end_ns
    ]
    named = Counter(row.second_label for row in mine if row.second_label)
    if one.second_label:
        second = one.second_label
    elif named:
        second = named.most_common(1)[0][0]
    else:
        return "", None
    ratios = [_times_as_far(row) for row in mine if row.second_label == second]
    known = [ratio for ratio in ratios if ratio is not None]
    return second, _rounded(median(known)) if known else None


def _times_as_far(one: Verdict) -> float | None:
    """Distance to the runner-up over the distance to the label; None where it says nothing."""
    if not np.isfinite(one.second_distance) or not one.distance > 0:
        return None
    return _rounded(min(one.second_distance / one.distance, 100.0))


def _drawn(detail: LogDetail) -> dict[str, Any]:
    bin_ms = detail.bin_s * 1000
    return {
        "start": _steps(_ms(value) for value in detail.start_ns.tolist()),
        "breaks": np.flatnonzero(np.diff(detail.stretch)).tolist(),
        "bin": _rounded(bin_ms),
        "network": detail.network,
        "tracks": [_track(one) for one in detail.tracks],
    }


def _track(one: FeatureTrack) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "unit": one.unit,
        "meaning": one.meaning,
        "normal": [_rounded(value) for value in one.normal],
        "values": _all_rounded(one.values),
    }


def _places(texts: Sequence[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(texts)}


def _ms(time_ns: int) -> int:
    return time_ns // 1_000_000


def _place(value: float) -> int:
    return round(_PLACES * value) if np.isfinite(value) else 0


def _steps(numbers: Iterable[int]) -> list[int]:
    """Return the first number and then the differences, which compress to little."""
    whole = list(numbers)
    return [*whole[:1], *(after - before for before, after in pairwise(whole))]


def _rounded(value: float) -> float | int | None:
    """Return three digits: more cannot be seen. None for what is not finite."""
    return _plain(float(f"{value:.{_DIGITS}g}"))


def _plain(value: float) -> float | int | None:
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _all_rounded(values: ArrayLike) -> list[float | int | None]:
    """Return the same for many numbers at once."""
    exact = np.asarray(values, np.float64)
    known = np.isfinite(exact) & (exact != 0)
    digits = np.zeros(exact.shape)
    digits[known] = _DIGITS - 1 - np.floor(np.log10(np.abs(exact[known])))
    # Powers of ten up to 10^22 are exact, so their quotient is the nearest number to the decimal.
    up, down = 10.0 ** np.clip(digits, 0, 22), 10.0 ** np.clip(-digits, 0, 22)
    short = np.rint(exact / down * up) / up * down
    return [_plain(value) for value in short.tolist()]
