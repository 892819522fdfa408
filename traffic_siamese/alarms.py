"""When windows that are not normal raise an alarm."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from traffic_siamese.oneshot.tail import NormalTail
from traffic_siamese.types import NORMAL, Verdict, WindowSpec

PER_DAY = 1.0
"""False alarms a day, unless the user says otherwise."""

_FARTHER = 1.4
"""How much farther a window must be from normal that is still called normal.

Without it, the 13 simulated networks that it was chosen on raised 43 false incidents in 85 hours at
one a day; with it 1 in 103, and real faults are raised some two seconds later.
"""


class AlarmRule(Protocol):
    """What `IncidentMerger` asks of each window, in time order.

    Attributes
    ----------
    turn_share : float
        Share of a window that shows a fault when the window turns away from normal.
    """

    turn_share: float

    def is_away(self, verdict: Verdict) -> bool:
        """Tell whether a window belongs to an incident, once that is raised."""

    def push(self, verdict: Verdict) -> float:
        """Take the next window; return how often a day normal traffic looks like the latest."""

    def is_due(self, per_day: float) -> bool:
        """Tell whether what ``push`` returned raises an alarm."""

    def reset(self) -> None:
        """Forget the windows before: the next one does not follow them."""


class LabelRule:
    """Raise after so many windows in a row that are called anything but ``normal``.

    For models that do not know how far normal traffic strays. Nothing is promised of how often it
    raises without reason.

    Parameters
    ----------
    raise_after : int, >= 1
        Windows in a row.
    """

    turn_share = 0.5

    def __init__(self, raise_after: int = 2) -> None:
        if raise_after < 1:
            raise ValueError(f"raise_after is {raise_after}, expected at least 1")
        self._raise_after, self._n_away = raise_after, 0

    def is_away(self, verdict: Verdict) -> bool:
        """Tell whether the label is not ``normal``."""
        return verdict.label != NORMAL

    def push(self, verdict: Verdict) -> float:
        """Count the windows in a row; nothing is known of normal traffic, hence NaN."""
        self._n_away = self._n_away + 1 if self.is_away(verdict) else 0
        return np.nan

    def is_due(self, per_day: float) -> bool:
        """Tell whether there are enough windows in a row."""
        return self._n_away >= self._raise_after

    def reset(self) -> None:
        """Start counting anew."""
        self._n_away = 0


class RateRule:
    """Raise when normal traffic would look like this less often than the user allows.

    One window raises if it is farther from normal than normal traffic gets so often a day; a
    smaller distance raises if several windows in a row keep it. Each of the tail's spans has an
    equal part of the rate. While the latest window is still nearest to normal, all distances must
    be 1.4 times as large: some networks' normal traffic strays farther than virtual ones' does, but
    seldom towards a fault. What has been raised stays until windows are nearer to normal than the
    least of the distances that raise.

    Parameters
    ----------
    tail : NormalTail
        From the model's calibration.
    per_day : float, > 0, default 1.0
        How often a day normal traffic may raise an alarm.

    Raises
    ------
    ValueError
        If the rate is not positive.
    """

    turn_share = 1 / 8

    def __init__(self, tail: NormalTail, *, per_day: float = PER_DAY) -> None:
        self._tail, self._per_day = tail, per_day
        self._least_away = min(tail.levels(per_day))
        self._recent: deque[float] = deque(maxlen=max(span.n_windows for span in tail.spans))

    def is_away(self, verdict: Verdict) -> bool:
        """Tell whether it is farther from normal than normal traffic stays for long."""
        return not verdict.normal_distance < self._least_away

    def push(self, verdict: Verdict) -> float:
        """Return how often a day normal traffic strays so far, for so long."""
        self._recent.append(verdict.normal_distance)
        farther = _FARTHER if verdict.label == NORMAL else 1.0
        recent = [distance / farther for distance in self._recent]
        least = [
            min(recent[-span.n_windows :]) if len(recent) >= span.n_windows else 0.0
            for span in self._tail.spans
        ]
        return self._tail.rate(least)

    def is_due(self, per_day: float) -> bool:
        """Tell whether that is as seldom as the user allows."""
        return per_day <= self._per_day

    def reset(self) -> None:
        """Forget the windows before."""
        self._recent.clear()


def alarm_rule(tail: NormalTail | None, *, per_day: float = PER_DAY) -> AlarmRule:
    """Return the rule for a model: by rate where it knows its normal traffic's tail."""
    return LabelRule() if tail is None else RateRule(tail, per_day=per_day)


def tail_of_log(tail: NormalTail | None, verdicts: Sequence[Verdict]) -> NormalTail | None:
    """Return how far normal traffic strays in one log, which may be farther than is usual.

    An estimated baseline, or a network unlike those of the training, puts all of its normal traffic
    farther from normal. How far, the windows called ``normal`` tell, where they are at least half.

    Parameters
    ----------
    tail : NormalTail, optional
        From the model's calibration.
    verdicts : sequence of Verdict
        Of all windows of the log, at the stride of `looks`.
    """
    calm = [verdict.normal_distance for verdict in verdicts if verdict.label == NORMAL]
    if tail is None or 2 * len(calm) < len(verdicts):
        return tail
    return tail.widened(np.array(calm, np.float32))


def looks(tail: NormalTail | None, spec: WindowSpec) -> WindowSpec:
    """Return how the windows lie that are looked at for an alarm: more often than told of."""
    return spec if tail is None else replace(spec, stride=tail.stride)
