"""Merge the verdicts of overlapping windows into incidents with a start and an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from traffic_siamese.types import NORMAL, UNKNOWN, Incident, Verdict


def window_midpoint_ns(verdict: Verdict) -> int:
    """Time at which a window's verdict is placed: its midpoint.

    Windows overlap, and one turns from one label to the next when about half of it shows the
    new state, so the first window of a fault has its midpoint where the fault began.
    """
    return (verdict.start_ns + verdict.end_ns) // 2


class IncidentMerger:
    """Merge verdicts as they come, with hysteresis; for live traffic.

    A label is *raised* after ``raise_after`` windows of it in a row and *cleared* after
    ``clear_after`` windows in a row of anything else; fewer are taken for a flicker, which
    neither splits the incident nor counts among its windows. ``unknown`` is a label like any
    other; ``normal`` never makes an incident. A change of capture or a missing window ends the
    stretch and with it any incident.

    An incident starts at the midpoint of its first window and ends at the midpoint of its last
    one. Where these are the first or last window of the stretch, it starts with the window or ends
    with it: no other window says that the fault began later or ended earlier. An incident of
    one window lasts at least one stride.

    Parameters
    ----------
    raise_after, clear_after : int, >= 1
        Windows in a row that raise and clear a label.
    stride_ns : int, > 0
        From one window's start to the next one's, nanoseconds. Windows more than one and a half
        strides apart have a gap between them.

    Raises
    ------
    ValueError
        If one of the parameters is too small.
    """

    def __init__(self, *, raise_after: int = 2, clear_after: int = 2, stride_ns: int) -> None:
        for name, value in (
            ("raise_after", raise_after),
            ("clear_after", clear_after),
            ("stride_ns", stride_ns),
        ):
            if value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
        self._raise_after = raise_after
        self._clear_after = clear_after
        self._stride_ns = stride_ns
        self._first: Verdict | None = None
        self._last: Verdict | None = None
        self._run: list[Verdict] = []  # the latest verdicts that agree, while nothing is raised
        self._members: list[Verdict] = []  # windows of the raised incident
        self._away: list[Verdict] = []  # the latest verdicts that disagree with it

    def push(self, verdict: Verdict) -> list[Incident]:
        """Take the next verdict; return the incidents that it ended (two at most)."""
        done = [] if self._continues(verdict) else self.finish()
        if self._first is None:
            self._first = verdict
        self._last = verdict
        return done + self._step(verdict)

    def finish(self) -> list[Incident]:
        """End the stretch; return the incident that was still open, if any."""
        done = [self._close()] if self._members else []
        self._begin_stretch()
        return done

    @property
    def open_incident(self) -> Incident | None:
        """The raised incident as it stands now, its end not yet final."""
        return self._close() if self._members else None

    def _begin_stretch(self) -> None:
        self._first = self._last = None
        self._run, self._members, self._away = [], [], []

    def _continues(self, verdict: Verdict) -> bool:
        last = self._last
        if last is None:
            return True
        step = verdict.start_ns - last.start_ns
        return verdict.capture == last.capture and 0 < step <= 1.5 * self._stride_ns

    def _step(self, verdict: Verdict) -> list[Incident]:
        if self._members:
            return self._step_raised(verdict)
        same = self._run and self._run[-1].label == verdict.label
        self._run = [*self._run[-self._raise_after :], verdict] if same else [verdict]
        if verdict.label != NORMAL and len(self._run) >= self._raise_after:
            self._members, self._run = self._run, []
        return []

    def _step_raised(self, verdict: Verdict) -> list[Incident]:
        if verdict.label == self._members[0].label:
            self._members.append(verdict)
            self._away = []
            return []
        self._away.append(verdict)
        if len(self._away) < self._clear_after:
            return []
        incident, away = self._close(), self._away
        self._members, self._away = [], []
        # What cleared this incident may hold the next one.
        return [incident, *(later for row in away for later in self._step(row))]

    def _close(self) -> Incident:
        first, last = self._members[0], self._members[-1]
        start = first.start_ns if first is self._first else window_midpoint_ns(first)
        end = last.end_ns if last is self._last else window_midpoint_ns(last)
        if end <= start:
            end = min(start + self._stride_ns, last.end_ns)
        confidence = sum(verdict.confidence for verdict in self._members) / len(self._members)
        reason = _most_common(verdict.reason for verdict in self._members)
        return Incident(
            first.capture, start, end, first.label, confidence, len(self._members), reason
        )


def merge_incidents(
    verdicts: Iterable[Verdict],
    *,
    raise_after: int = 2,
    clear_after: int = 2,
    stride_ns: int,
) -> list[Incident]:
    """Merge all verdicts of some captures into incidents.

    Parameters
    ----------
    verdicts : iterable of Verdict
        In any order; captures are taken in the order of their first verdict.
    raise_after, clear_after, stride_ns : int
        See `IncidentMerger`, which also says where an incident starts and ends.

    Returns
    -------
    list of Incident
        By capture, then by time; no two of one capture overlap.
    """
    merger = IncidentMerger(raise_after=raise_after, clear_after=clear_after, stride_ns=stride_ns)
    captures: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        captures.setdefault(verdict.capture, []).append(verdict)
    incidents: list[Incident] = []
    for rows in captures.values():
        for verdict in sorted(rows, key=lambda row: row.start_ns):
            incidents += merger.push(verdict)
        incidents += merger.finish()
    return incidents


def absorb_transitions(
    incidents: Iterable[Incident], *, window_ns: int, stride_ns: int
) -> list[Incident]:
    """Join what belongs to one incident: the windows that straddle its start, its end or a lull.

    A window that a change goes through looks like neither side and is often ``unknown``. An
    ``unknown`` incident no longer than such windows can make it, next to a named one, is taken
    into that one; two incidents of one label with nothing else between them become one.

    Parameters
    ----------
    incidents : iterable of Incident
        By capture, then by time, as from `merge_incidents`.
    window_ns, stride_ns : int
        Length of a window, and from one window's start to the next one's.

    Returns
    -------
    list of Incident
        In the same order.
    """
    joined: list[Incident] = []
    for incident in incidents:
        last = joined[-1] if joined else None
        near = (
            last is not None
            and last.capture == incident.capture
            and incident.start_ns - last.end_ns <= 2 * stride_ns
        )
        if last is not None and near and _belong_together(last, incident, window_ns, stride_ns):
            joined[-1] = _join(last, incident)
        else:
            joined.append(incident)
    return joined


def _belong_together(first: Incident, second: Incident, window_ns: int, stride_ns: int) -> bool:
    if first.label == second.label:
        return True
    return any(
        one.label == UNKNOWN and one.windows * stride_ns <= window_ns + stride_ns
        for one in (first, second)
    )


def _join(first: Incident, second: Incident) -> Incident:
    """Return one incident over both; the named one tells label, confidence and reason."""
    same = first.label == second.label
    told = (first, second) if same else (second if first.label == UNKNOWN else first,)
    n_told = sum(one.windows for one in told)
    return Incident(
        first.capture,
        first.start_ns,
        second.end_ns,
        told[0].label,
        sum(one.confidence * one.windows for one in told) / n_told,
        first.windows + second.windows,
        told[0].reason,
    )


def _most_common(reasons: Iterable[str]) -> str:
    counts = Counter(reason for reason in reasons if reason)
    return counts.most_common(1)[0][0] if counts else ""
