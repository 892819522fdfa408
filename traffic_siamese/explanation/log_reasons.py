"""The reasons of one log's incidents and windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from traffic_siamese.baseline import log_view
from traffic_siamese.explanation.comparison import Comparison, compare
from traffic_siamese.explanation.explain import N_NAMED, Explainer, reason_of
from traffic_siamese.explanation.onset import first_change
from traffic_siamese.explanation.reason import Reason
from traffic_siamese.explanation.topics import Topic
from traffic_siamese.explanation.vocabulary import protocol_of
from traffic_siamese.model import Model
from traffic_siamese.preparation import PreparedLog, bin_ns
from traffic_siamese.times import format_clock
from traffic_siamese.types import (
    NORMAL,
    UNKNOWN,
    FloatArray,
    Incident,
    Int64Array,
    TrafficSeries,
    Verdict,
)
from traffic_siamese.windows import WindowSet

_MOST_EXPLAINED = 100
"""Incidents of one log whose features are set to normal and embedded again: some 3 s of work."""

_N_WINDOWS = 3  # of an incident, that are embedded again
_BESIDE_WINDOWS = 2.0  # lengths of a window before and after a start in which to look for it
_ANOTHER_MOMENT_S = 10.0  # later or earlier than the first change, to be told
ESTIMATED = "baseline estimated from this log"


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where an incident is: bins [first, last) of a series, and the windows that lie in it."""

    series: TrafficSeries
    first: int
    last: int
    rows: Int64Array


class LogReasons:
    """Says why, for what was found in one log.

    Parameters
    ----------
    model : Model
    prepared : PreparedLog
    windows : WindowSet
        The windows that were looked at, of this log alone.
    verdicts : sequence of Verdict
        What each of them shows, in their order.
    """

    def __init__(
        self,
        model: Model,
        prepared: PreparedLog,
        windows: WindowSet,
        verdicts: Sequence[Verdict],
    ) -> None:
        self._explainer = Explainer(model)
        self._prepared, self._windows, self._verdicts = prepared, windows, verdicts
        self._protocol = protocol_of(prepared.log.protocols)
        self._topics: list[tuple[Incident, list[Topic]]] = []

    def incidents(self, merged: Sequence[Incident]) -> list[Incident]:
        """Return incidents with their reasons, from all that happened while they lasted.

        Of more than a hundred in one log, the others' features are ranked by how far they are
        from normal, without asking the encoder.
        """
        return [
            self._explained(one, ask_encoder=number < _MOST_EXPLAINED)
            for number, one in enumerate(merged)
        ]

    def window(self, row: int) -> str:
        """Return why a window is not normal, by what matters in the incident that it lies in."""
        series, verdict = self._series(row), self._verdicts[row]
        start, n_timesteps = int(self._windows.start_bin[row]), self._windows.n_timesteps
        seen = self._compare(series, series.values[start : start + n_timesteps])
        topics = [t for t in self._topics_at(verdict) if seen.weight[list(t.columns)].any()]
        return self.marked(reason_of(seen, topics or seen.changed_topics()[:N_NAMED]).short())

    def marked(self, why: str) -> str:
        """Say with a reason that normal was estimated, where it was."""
        return why if self._prepared.network else f"{why} ({ESTIMATED})"

    def _topics_at(self, verdict: Verdict) -> list[Topic]:
        middle_ns = (verdict.start_ns + verdict.end_ns) // 2
        for incident, topics in self._topics:
            if incident.start_ns <= middle_ns < incident.end_ns:
                return topics
        return []

    def _explained(self, incident: Incident, *, ask_encoder: bool) -> Incident:
        place = self._place(incident)
        if place is None:
            return incident
        seen = self._compare(place.series, _settled(place, self._windows.n_timesteps))
        inputs = self._windows.gather(place.rows if ask_encoder else place.rows[:0])
        topics = self._explainer.topics(inputs, self._prepared.baseline, seen)
        self._topics.append((incident, topics))
        why = reason_of(seen, topics, since=self._since(place, seen, topics))
        why = replace(
            why,
            unchanged=tuple(self._explainer.unchanged(seen)),
            against=self._against(incident, place.rows, inputs, seen),
        )
        return self._with_reason(incident, why)

    def _with_reason(self, incident: Incident, why: Reason) -> Incident:
        return replace(
            incident,
            reason=self.marked(why.short()),
            details=self.marked(why.long()),
            features=why.features,
        )

    def _against(
        self, incident: Incident, rows: Int64Array, inputs: FloatArray, seen: Comparison
    ) -> str:
        others = [self._verdicts[row].second_label for row in rows.tolist()]
        others = [name for name in others if name not in ("", NORMAL, incident.label)]
        if not others or not len(inputs):
            return ""
        runner_up = max(sorted(set(others)), key=others.count)
        words = self._explainer.against(runner_up, inputs, seen)
        if not words:
            return ""
        kind = "nearest is" if incident.label == UNKNOWN else "not"
        return f"{kind} {runner_up}: {words}"

    def _series(self, row: int) -> TrafficSeries:
        return self._prepared.log.series[int(self._windows.series_index[row])]

    def _compare(self, series: TrafficSeries, values: FloatArray) -> Comparison:
        return compare(
            values,
            self._prepared.baseline,
            self._explainer.schema,
            bin_s=series.bin_s,
            protocol=self._protocol,
        )

    def _place(self, incident: Incident) -> _Place | None:
        """Find an incident's bins, and a few windows that show it, preferably nothing else."""
        for index, series in enumerate(self._prepared.log.series):
            step = bin_ns(series)
            first = (incident.start_ns - series.start_ns) // step
            if 0 <= first < len(series.values):
                last = min(len(series.values), (incident.end_ns - series.start_ns) // step)
                last = max(first + 1, last)
                return _Place(series, first, last, self._rows(incident, index, first, last))
        return None

    def _rows(self, incident: Incident, series: int, first: int, last: int) -> Int64Array:
        starts, n = self._windows.start_bin, self._windows.n_timesteps
        mine = self._windows.series_index == series
        inside = np.flatnonzero(mine & (starts >= first) & (starts + n <= last))
        middles = starts + n // 2
        rows = (
            inside if len(inside) else np.flatnonzero(mine & (middles >= first) & (middles <= last))
        )
        named = [row for row in rows.tolist() if self._verdicts[row].label == incident.label]
        rows = np.array(named or rows, np.int64)
        # Inner ones of evenly spread: the first and last window hold some normal traffic.
        picks = (np.arange(_N_WINDOWS) + 0.5) * len(rows) / _N_WINDOWS
        return rows[np.unique(picks.astype(np.int64))] if len(rows) else rows

    def _since(self, place: _Place, seen: Comparison, topics: Sequence[Topic]) -> list[str]:
        """Return from when on each topic is different; nothing where that is the first's moment."""
        told: list[str] = []
        first_ns: int | None = None
        for topic in topics:
            time_ns = self._onset_ns(place, seen, seen.lead(topic))
            if time_ns is None or (first_ns is not None and _is_near(time_ns, first_ns)):
                told.append("")
                continue
            told.append(format_clock(time_ns))
            first_ns = time_ns if first_ns is None else first_ns
        return told

    def _onset_ns(self, place: _Place, seen: Comparison, column: int) -> int | None:
        series, beside = place.series, round(_BESIDE_WINDOWS * self._windows.n_timesteps)
        low = max(0, place.first - beside)
        views = log_view(series.values[low : min(place.last, place.first + beside)], seen.schema)
        split = first_change(views[:, column], rises=seen.change[column] > 0)
        if split is None:
            return None
        return int(series.start_ns + (low + split) * bin_ns(series))


def _is_near(one_ns: int, other_ns: int) -> bool:
    return abs(one_ns - other_ns) <= _ANOTHER_MOMENT_S * 1e9


def _settled(place: _Place, n_timesteps: int) -> FloatArray:
    """Bins of an incident without its edges, where it lasts long enough: what it is once there.

    Half a window either way where that leaves a whole one, or else a quarter.
    """
    lasts = place.last - place.first
    edge = next((part for part in (n_timesteps // 2, n_timesteps // 4) if lasts >= 4 * part), 0)
    return place.series.values[place.first + edge : place.last - edge]
