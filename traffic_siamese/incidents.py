"""Merge the verdicts of overlapping windows into incidents with a start and an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from traffic_siamese.alarms import PER_DAY, AlarmRule, LabelRule, alarm_rule, looks
from traffic_siamese.oneshot.tail import NormalTail
from traffic_siamese.types import NORMAL, UNKNOWN, Incident, Verdict, WindowSpec

_SETTLED_WINDOWS = 1.25
"""Lengths of a window that a label must hold for: longer than a change takes to go through one."""

_NAMED_SHARE = 0.25
"""Share of a window that must still show a fault for the window to bear its name."""


def label_in_incident(verdict: Verdict) -> str:
    """Label of a window for the incident that it lies in.

    In an incident, ``normal`` is no answer: too far from normal, nearer to nothing else.
    """
    return UNKNOWN if verdict.label == NORMAL else verdict.label


class IncidentMerger:
    """Merge verdicts as they come, with hysteresis; for live traffic.

    An alarm rule decides when an incident is *raised*; it is *cleared* after ``clear_after``
    windows in a row that are normal again; fewer are taken for a lull, and count among its windows
    if it goes on. Normal again is, while a fault is named, what is called ``normal``, and
    otherwise what the rule does not find away from normal. What is left of a named fault, called
    ``normal`` but not quite normal yet, raises no other incident. A change of capture or a missing
    window ends the stretch and with it any incident.

    The label is provisional at first: the fault that its windows name with most confidence, or
    ``unknown`` where they name none. It is settled once more windows agree on it, within twice
    that time, than one and a quarter lengths of a window hold, and then stays; when another label
    settles, it is the next incident. Changes that only go through a window, and windows that
    flicker, settle nothing.

    A window turns away from normal when a certain share of it shows the fault (``turn_share`` of
    the rule), so an incident starts by that share before the end of its first window, and ends by
    it after the start of its last one (by a quarter at least, where a fault is named). Where these
    are the first or last window of the stretch, it starts with the window or ends with it: no
    other window says that the fault began later or ended earlier. Between two incidents that
    follow each other lies the midpoint of the later one's first window. An incident lasts at least
    one stride.

    Parameters
    ----------
    stride_ns : int, > 0
        From one window's start to the next one's, nanoseconds. Windows more than one and a half
        strides apart have a gap between them.
    rule : AlarmRule, optional
        By default two windows in a row that are not called ``normal``.
    clear_after : int, >= 1, default 2
        Windows in a row that clear an incident.

    Raises
    ------
    ValueError
        If one of the parameters is too small.
    """

    def __init__(
        self, *, stride_ns: int, rule: AlarmRule | None = None, clear_after: int = 2
    ) -> None:
        for name, value in (("clear_after", clear_after), ("stride_ns", stride_ns)):
            if value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
        self._rule = rule or LabelRule()
        self._clear_after = clear_after
        self._stride_ns = stride_ns
        self._first: Verdict | None = None
        self._last: Verdict | None = None
        self._begin_stretch()

    @classmethod
    def for_model(
        cls, tail: NormalTail | None, spec: WindowSpec, *, per_day: float = PER_DAY
    ) -> Self:
        """Return the merger that classifying with a model uses.

        Parameters
        ----------
        tail : NormalTail, optional
            From the model's calibration.
        spec : WindowSpec
            From the model; what is pushed are windows at the stride of `looks`.
        per_day : float, > 0, default 1.0
            How often a day normal traffic may raise an incident.
        """
        stride = looks(tail, spec).stride
        return cls(
            stride_ns=round(stride * spec.bin_s * 1e9),
            rule=alarm_rule(tail, per_day=per_day),
            clear_after=2 * spec.stride // stride,
        )

    def push(self, verdict: Verdict) -> list[Incident]:
        """Take the next verdict; return the incidents that it ended (one at most a stretch)."""
        done = [] if self._continues(verdict) else self._end_stretch(verdict)
        if self._first is None:
            self._first = verdict
        self._last = verdict
        per_day = self._rule.push(verdict)
        return done + self._step(verdict, per_day)

    def finish(self) -> list[Incident]:
        """End the stretch; return the incident that was still open, if any."""
        still_open = self.open_incident
        self._begin_stretch()
        return [still_open] if still_open else []

    def merge(self, verdicts: Iterable[Verdict]) -> list[Incident]:
        """Merge all verdicts of some captures.

        Parameters
        ----------
        verdicts : iterable of Verdict
            In any order; captures are taken in the order of their first verdict.

        Returns
        -------
        list of Incident
            By capture, then by time; no two of one capture overlap.
        """
        captures: dict[str, list[Verdict]] = {}
        for verdict in verdicts:
            captures.setdefault(verdict.capture, []).append(verdict)
        incidents: list[Incident] = []
        for rows in captures.values():
            for verdict in sorted(rows, key=lambda row: row.start_ns):
                incidents += self.push(verdict)
            incidents += self.finish()
        return incidents

    @property
    def open_incident(self) -> Incident | None:
        """The raised incident as it stands now, its end and perhaps its label not yet final."""
        return replace(self._close(), is_open=True) if self._raised else None

    def _end_stretch(self, following: Verdict) -> list[Incident]:
        """End the stretch; where its log goes on after a gap, the log has not ended."""
        goes_on = self._last is not None and following.capture == self._last.capture
        return [replace(one, is_open=not goes_on) for one in self.finish()]

    def _begin_stretch(self) -> None:
        self._first = self._last = None
        self._rule.reset()
        self._echoes = False  # an incident was cleared, and windows are not quite normal yet
        self._forget()

    def _forget(self) -> None:
        self._raised, self._settled, self._start_ns = False, "", 0
        self._members: list[Verdict] = []  # windows of the incident, or the latest ones away
        self._lull: list[Verdict] = []  # the latest windows that are normal again
        self._named: dict[str, float] = {}  # confidence in all, by fault
        self._per_day = np.inf

    def _continues(self, verdict: Verdict) -> bool:
        last = self._last
        if last is None:
            return True
        step = verdict.start_ns - last.start_ns
        return verdict.capture == last.capture and 0 < step <= 1.5 * self._stride_ns

    def _step(self, verdict: Verdict, per_day: float) -> list[Incident]:
        if not self._is_away(verdict):
            return self._calm(verdict)
        self._echoes = False
        self._members += [*self._lull, verdict]
        self._lull = []
        _count(self._named, verdict)
        self._per_day = np.fmin(self._per_day, per_day)
        if not self._raised and self._rule.is_due(per_day):
            self._raised, self._start_ns = True, self._edge_ns(self._members[0])
        return self._settle(verdict) if self._raised else []

    def _is_away(self, verdict: Verdict) -> bool:
        if self._raised and self._label() != UNKNOWN:
            return verdict.label != NORMAL
        if self._echoes and verdict.label == NORMAL:
            return False
        return self._rule.is_away(verdict)

    def _calm(self, verdict: Verdict) -> list[Incident]:
        if not self._raised:
            self._echoes &= self._rule.is_away(verdict)
            self._forget()
            return []
        self._lull.append(verdict)
        if len(self._lull) < self._clear_after:
            return []
        incident = self._close()
        self._echoes = self._rule.is_away(verdict)
        self._forget()
        return [incident]

    def _settle(self, verdict: Verdict) -> list[Incident]:
        """Settle the label; where it is another than before, end the incident that bore it."""
        lasting_ns = _SETTLED_WINDOWS * (verdict.end_ns - verdict.start_ns)
        recent = self._members[-int(2 * lasting_ns // self._stride_ns) :]
        label, n = Counter(map(label_in_incident, recent)).most_common(1)[0]
        if n * self._stride_ns <= lasting_ns or label == self._settled:
            return []
        before, self._settled = self._settled, label
        return [self._split(recent, label, before)] if before else []

    def _split(self, recent: Sequence[Verdict], label: str, before: str) -> Incident:
        """End the incident where the new label's windows begin."""
        place = len(self._members) - len(recent)
        place += [label_in_incident(row) for row in recent].index(label)
        first = self._members[place]
        earlier, self._members = self._members[:place], self._members[place:]
        change_ns = (first.start_ns + first.end_ns) // 2
        incident = _incident(earlier, before, self._start_ns, change_ns, self._per_day)
        self._start_ns, self._named = change_ns, {}
        for row in self._members:
            _count(self._named, row)
        return incident

    def _edge_ns(self, first: Verdict) -> int:
        if first is self._first:
            return first.start_ns
        return first.end_ns - round(self._rule.turn_share * (first.end_ns - first.start_ns))

    def _close(self) -> Incident:
        last = self._members[-1]
        share = self._rule.turn_share
        if self._label() != UNKNOWN:  # which is away as long as it bears a fault's name
            share = max(share, _NAMED_SHARE)
        end_ns = last.start_ns + round(share * (last.end_ns - last.start_ns))
        if last is self._last:
            end_ns = last.end_ns
        end_ns = max(end_ns, self._start_ns + self._stride_ns)
        return _incident(self._members, self._label(), self._start_ns, end_ns, self._per_day)

    def _label(self) -> str:
        named = self._named
        return self._settled or max(named, key=lambda name: named[name], default=UNKNOWN)


def _count(named: dict[str, float], verdict: Verdict) -> None:
    """Add a window's confidence to that of the fault it names, if it names one."""
    if label_in_incident(verdict) != UNKNOWN:
        named[verdict.label] = named.get(verdict.label, 0.0) + verdict.confidence


def _incident(
    members: Sequence[Verdict], label: str, start_ns: int, end_ns: int, per_day: float
) -> Incident:
    mine = [row for row in members if label_in_incident(row) == label] or list(members)
    sure = [row.confidence if row.label == label else 1 - row.confidence for row in mine]
    others = Counter(row.second_label for row in mine if row.ambiguous)
    runner_up, n_ambiguous = others.most_common(1)[0] if others else ("", 0)
    ambiguous = 2 * n_ambiguous > len(mine)
    return Incident(
        members[0].capture,
        start_ns,
        end_ns,
        label,
        sum(sure) / len(sure),
        len(members),
        _most_common(row.reason for row in mine),
        runner_up if ambiguous else "",
        float(per_day) if np.isfinite(per_day) else np.nan,
    )


def _most_common(reasons: Iterable[str]) -> str:
    counts = Counter(reason for reason in reasons if reason)
    return counts.most_common(1)[0][0] if counts else ""
