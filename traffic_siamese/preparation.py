"""From traffic logs to windows: baseline chosen, features scaled, series cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.baseline import estimate_baseline
from traffic_siamese.conforming import conformed
from traffic_siamese.errors import WindowError
from traffic_siamese.features.schema import SIGNALLING, schema_of
from traffic_siamese.scaling import Scaler
from traffic_siamese.times import format_time
from traffic_siamese.types import (
    FloatArray,
    Int64Array,
    LabelledInterval,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)
from traffic_siamese.windows import WindowSet

FEATURE_HASH = SIGNALLING.digest
"""Names the features of captures: a baseline is valid for one such list only."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedLog:
    """A log ready to be cut: its series, their baseline and their model inputs."""

    log: TrafficLog
    baseline: FloatArray
    inputs: tuple[FloatArray, ...]
    network: str


def estimated_baseline(log: TrafficLog) -> FloatArray:
    """Estimate the normal of a log's network from the log alone; (2, n_features)."""
    values = np.concatenate([series.values for series in log.series])
    return estimate_baseline(values, schema_of(log))


def prepare(
    log: TrafficLog, scaler: Scaler, *, baseline: FloatArray | None = None, network: str = ""
) -> PreparedLog:
    """Scale a log with a network's baseline, or with one estimated from the log itself.

    Raises
    ------
    CaptureError
        If the log lacks columns that the scaler knows.
    """
    log = conformed(log, scaler.schema)
    baseline = estimated_baseline(log) if baseline is None else baseline
    inputs = tuple(scaler.inputs(series.values, baseline) for series in log.series)
    return PreparedLog(log, baseline, inputs, network)


def bin_ns(series: TrafficSeries) -> int:
    """Length of a bin in nanoseconds."""
    return round(series.bin_s * 1e9)


def window_starts(
    series: TrafficSeries,
    spec: WindowSpec,
    *,
    stride: int,
    interval: tuple[int, int] | None = None,
) -> Int64Array:
    """First bins of the windows that lie within a series, or within an interval of it.

    Parameters
    ----------
    series : TrafficSeries
    spec : WindowSpec
    stride : int
        Bins from one start to the next.
    interval : (start_ns, end_ns), optional
        Only bins that lie wholly inside count.

    Returns
    -------
    ndarray of int64
    """
    first, last = 0, len(series.values)
    if interval is not None:
        step = bin_ns(series)
        first = max(first, -((series.start_ns - interval[0]) // step))
        last = min(last, (interval[1] - series.start_ns) // step)
    return np.arange(first, last - spec.n_timesteps + 1, stride, dtype=np.int64)


def require_windows(log: TrafficLog, spec: WindowSpec) -> None:
    """Raise WindowError where no series of the log is as long as one window."""
    longest = max(log.series, key=lambda series: len(series.values))
    if len(longest.values) < spec.n_timesteps:
        start = format_time(longest.start_ns)
        raise WindowError(
            f"{log.name}: its longest stretch has {len(longest.values)} bins of "
            f"{longest.bin_s:g} s (from {start}), expected at least one window of "
            f"{spec.n_timesteps}. Use a longer capture."
        )


def all_windows(prepared: PreparedLog, spec: WindowSpec) -> WindowSet:
    """Cut every series of a log into windows, at the stride of the spec, unlabelled."""
    require_windows(prepared.log, spec)
    rows = [
        (index, start, "")
        for index, series in enumerate(prepared.log.series)
        for start in window_starts(series, spec, stride=spec.stride).tolist()
    ]
    return _window_set([prepared], [(0, *row) for row in rows], spec)


def labelled_windows(
    logs: Sequence[PreparedLog],
    intervals: Sequence[LabelledInterval],
    spec: WindowSpec,
    *,
    stride: int,
) -> WindowSet:
    """Cut the labelled intervals of logs into windows that lie wholly inside one of them."""
    place = {prepared.log.name: i for i, prepared in enumerate(logs)}
    rows = [
        (place[interval.capture], index, start, interval.label)
        for interval in intervals
        if interval.capture in place
        for index, series in enumerate(logs[place[interval.capture]].log.series)
        for start in window_starts(
            series, spec, stride=stride, interval=(interval.start_ns, interval.end_ns)
        ).tolist()
    ]
    return _window_set(logs, rows, spec)


def _window_set(
    logs: Sequence[PreparedLog], rows: list[tuple[int, int, int, str]], spec: WindowSpec
) -> WindowSet:
    first_input = np.cumsum([0, *(len(prepared.inputs) for prepared in logs)])
    series = [logs[log].log.series[index] for log, index, _, _ in rows]
    starts = np.array([start for _, _, start, _ in rows], np.int64)
    steps = np.array([bin_ns(one) for one in series], np.int64)
    return WindowSet(
        inputs=tuple(array for prepared in logs for array in prepared.inputs),
        n_timesteps=spec.n_timesteps,
        series_index=np.array([first_input[log] + index for log, index, _, _ in rows], np.int64),
        start_bin=starts,
        start_ns=np.array([one.start_ns for one in series], np.int64) + starts * steps,
        label=np.array([label for *_, label in rows], np.str_),
        capture=np.array([logs[log].log.name for log, *_ in rows], np.str_),
        network=np.array([logs[log].network for log, *_ in rows], np.str_),
    )
