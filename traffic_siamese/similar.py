"""Find when it looked like this before: the windows of other logs that lie nearest to one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrafficSiameseError, WindowError
from traffic_siamese.model import Model
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.preparation import all_windows, bin_ns, prepare
from traffic_siamese.times import format_time
from traffic_siamese.types import FloatArray, Int64Array, StringArray, TrafficLog

_BRIDGED = 2  # windows of another label that do not end a stretch: as they do not end an incident


@dataclass(frozen=True, slots=True)
class Moment:
    """A window of a log, as the model sees it.

    Attributes
    ----------
    capture : str
        The log, as it was named.
    start_ns, end_ns : int
        The window, nanoseconds since the epoch, UTC.
    label : str
        What it is recognised as.
    """

    capture: str
    start_ns: int
    end_ns: int
    label: str


@dataclass(frozen=True, slots=True)
class Hit:
    """The window of a stretch that is most like the one asked about.

    Attributes
    ----------
    window : Moment
    distance : float
        Between the two embeddings; as between a window and an example in a verdict.
    from_ns, to_ns : int
        The stretch: windows in a row that are recognised as the same.
    """

    window: Moment
    distance: float
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Similar:
    """What `find_similar` found.

    Attributes
    ----------
    asked : Moment
        The window that was asked about.
    hits : tuple of Hit
        Nearest first, one for each stretch of each log.
    n_logs, n_windows : int
        What was compared.
    skipped : tuple of str
        Why logs could not be compared.
    """

    asked: Moment
    hits: tuple[Hit, ...]
    n_logs: int
    n_windows: int
    skipped: tuple[str, ...]


def find_similar(
    source: str | Path,
    at_ns: int,
    model: Model,
    *,
    among: Sequence[str | Path] = (),
    network: str | None = None,
    n: int = 10,
) -> Similar:
    """Find the windows most like the one at a time, by the distance that classifying goes by.

    All windows of all logs are embedded anew, at the model's stride: what verdicts keep are three
    of an embedding's axes. Of each stretch of windows with one label only the nearest is kept, and
    none that overlaps the stretch of a nearer one, or the stretch that is asked about: so that an
    incident, with its beginning and end, is found once.

    Parameters
    ----------
    source : str or Path
        The log; ``-`` reads standard input.
    at_ns : int
        The time, nanoseconds since the epoch, UTC: asked about is the window whose middle is
        nearest to it, at whatever bin that starts.
    model : Model
    among : sequence of str or Path
        Logs to look into; by default the log itself.
    network : str, optional
        Whose learned normal all logs are seen against; without it, normal is estimated from each.
    n : int, >= 1, default 10
        Hits at most.

    Raises
    ------
    CaptureError, WindowError
        If the log cannot be read, is shorter than a window, or does not hold the time.
    LibraryError
        If the network has no learned normal.
    ValueError
        If ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}, expected 1 or more")
    baseline = model.baseline_of(network) if network else None
    own = [_Embedded(log, model, baseline) for log in model.read_all(source)]
    asked, point = _asked(own, at_ns, model)
    hits: list[Hit] = []
    skipped: list[str] = []
    n_logs = n_windows = 0
    for path in among or [source]:
        try:
            logs = own if _is_same(source, path) else _read(path, model, baseline)
        except TrafficSiameseError as err:
            skipped.append(str(err))
            continue
        for log in logs:
            hits += log.hits(point, n, asked if log in own else None)
            n_logs, n_windows = n_logs + 1, n_windows + len(log.label)
        hits = sorted(hits, key=lambda hit: hit.distance)[:n]
    return Similar(asked, tuple(hits), n_logs, n_windows, tuple(skipped))


def _read(path: str | Path, model: Model, baseline: FloatArray | None) -> list[_Embedded]:
    return [_Embedded(log, model, baseline) for log in model.read_all(path)]


def _is_same(one: str | Path, other: str | Path) -> bool:
    """Tell whether two paths lead to one file."""
    if str(one) == str(other):
        return True
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


class _Embedded:
    """A log's windows: where they are, where the encoder puts them, what they show."""

    def __init__(self, log: TrafficLog, model: Model, baseline: FloatArray | None) -> None:
        self.prepared = prepare(log, model.scaler, baseline=baseline)
        self.model, self.spec = model, model.bundle.info.window
        self.windows = all_windows(self.prepared, self.spec)
        self.places = model.embed_all(self.windows)
        self.label = _labels(model, self.places)
        self.length_ns = round(self.spec.n_timesteps * self.spec.bin_s * 1e9)

    def window_at(self, at_ns: int) -> tuple[int, int] | None:
        """Return series and first bin of the window around a time; None where there is none."""
        n_timesteps = self.spec.n_timesteps
        for index, series in enumerate(self.prepared.log.series):
            place, n_bins = (at_ns - series.start_ns) // bin_ns(series), len(series.values)
            if 0 <= place < n_bins and n_bins >= n_timesteps:
                return index, int(np.clip(place - n_timesteps // 2, 0, n_bins - n_timesteps))
        return None

    def hits(self, point: FloatArray, n: int, asked: Moment | None) -> list[Hit]:
        """Return the nearest window of each stretch, none overlapping a nearer one's stretch.

        Where the log is the one asked about, its window's stretch is left out.
        """
        distance = np.linalg.norm(self.places - point, axis=1).astype(np.float64)
        stretch = stretches(self.label, self.windows.series_index)
        start_ns = self.windows.start_ns
        if asked is not None and asked.capture == self.prepared.log.name:
            self._leave_out(distance, asked.start_ns, asked.end_ns)
            of_asked = stretch == stretch[np.abs(start_ns - asked.start_ns).argmin()]
            self._leave_out(distance, *self._span(of_asked))
        found: list[Hit] = []
        while len(found) < n and np.isfinite(distance).any():
            row = int(distance.argmin())
            mine = stretch == stretch[row]
            from_ns, to_ns = self._span(mine)
            window = self.moment(int(start_ns[row]), str(self.label[row]))
            found.append(Hit(window, float(distance[row]), from_ns, to_ns))
            distance[mine] = np.inf
            self._leave_out(distance, from_ns, to_ns)
        return found

    def _span(self, rows: NDArray[np.bool_]) -> tuple[int, int]:
        starts = self.windows.start_ns[rows]
        return int(starts.min()), int(starts.max()) + self.length_ns

    def _leave_out(self, distance: NDArray[np.float64], from_ns: int, to_ns: int) -> None:
        """Put the windows that overlap a time infinitely far."""
        start_ns = self.windows.start_ns
        distance[(start_ns < to_ns) & (start_ns + self.length_ns > from_ns)] = np.inf

    def moment(self, start_ns: int, label: str) -> Moment:
        """Return a window of this log."""
        return Moment(self.prepared.log.name, start_ns, start_ns + self.length_ns, label)


def _asked(logs: Sequence[_Embedded], at_ns: int, model: Model) -> tuple[Moment, FloatArray]:
    for log in logs:
        place = log.window_at(at_ns)
        if place is not None:
            index, first = place
            series, inputs = log.prepared.log.series[index], log.prepared.inputs[index]
            window = inputs[first : first + log.spec.n_timesteps]
            point = model.encoder.embed(window[None])
            start_ns = series.start_ns + first * bin_ns(series)
            return log.moment(start_ns, str(_labels(model, point)[0])), point[0]
    all_series = [series for log in logs for series in log.prepared.log.series]
    first_ns = min(one.start_ns for one in all_series)
    last_ns = max(one.start_ns + len(one.values) * bin_ns(one) for one in all_series)
    raise WindowError(
        f"{logs[0].prepared.log.name}: holds no window around {format_time(at_ns)}, expected a "
        f"time from {format_time(first_ns)} to {format_time(last_ns)}, and not in a gap. "
        "Choose another time."
    )


def _labels(model: Model, places: FloatArray) -> StringArray:
    calibration = model.bundle.info.calibration
    return recognise(places, model.prototypes, model.prototype_labels, calibration).label


def stretches(label: StringArray, series: Int64Array) -> Int64Array:
    """Give windows that show the same, one after the other, the same number.

    Parameters
    ----------
    label : ndarray of shape (n_windows,), str
        In time order.
    series : ndarray of shape (n_windows,), int64
        Which unbroken stretch of traffic each lies in; none goes beyond it.

    Returns
    -------
    ndarray of shape (n_windows,), int64
        Two windows of one label have one number where at most two others lie between them.
    """
    number = np.zeros(len(label), np.int64)
    last: dict[tuple[str, int], int] = {}
    n_stretches = 0
    for row, key in enumerate(zip(label.tolist(), series.tolist(), strict=True)):
        before = last.get(key)
        if before is not None and row - before <= _BRIDGED + 1:
            number[row] = number[before]
        else:
            number[row], n_stretches = n_stretches, n_stretches + 1
        last[key] = row
    return number
