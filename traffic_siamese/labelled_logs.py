"""Labelled logs, read and prepared for training: baselines, scaler, windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from traffic_siamese.baseline import estimate_baseline, learn_baseline
from traffic_siamese.conforming import conformed, reading_options
from traffic_siamese.errors import LabelError, TrainingError
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import schema_of
from traffic_siamese.labelled_reading import bins_within, read_named_logs, see_alike
from traffic_siamese.labels import read_labels
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.preparation import PreparedLog, bin_ns, labelled_windows, prepare
from traffic_siamese.scaling import Scaler
from traffic_siamese.times import format_time
from traffic_siamese.types import NORMAL, FloatArray, LabelledInterval, TrafficLog, WindowSpec
from traffic_siamese.windows import WindowSet


@dataclass(frozen=True, slots=True, eq=False)
class LabelledLogs:
    """All that training needs of a folder of logs.

    Attributes
    ----------
    prepared : list of PreparedLog
        Logs named as in the labels, scaled with their network's baseline.
    windows : WindowSet
        Every window, at a stride of one bin, that lies wholly in a labelled interval.
    baselines : dict of str to ndarray of shape (2, n_features)
        Normal of each network.
    scaler : Scaler
    warnings : list of str
    """

    prepared: list[PreparedLog]
    windows: WindowSet
    baselines: dict[str, FloatArray]
    scaler: Scaler
    warnings: list[str]

    def raw(self, windows: WindowSet) -> FloatArray:
        """Return windows of ``windows`` as read, (n_windows, n_timesteps, n_features)."""
        series = [one.values for log in self.prepared for one in log.log.series]
        places = zip(windows.series_index.tolist(), windows.start_bin.tolist(), strict=True)
        return np.stack([series[i][start : start + windows.n_timesteps] for i, start in places])


def read_labelled_logs(
    folder: Path,
    labels: Path,
    spec: WindowSpec,
    *,
    views: str = "relative",
    scaler: Scaler | None = None,
    reading: ReadOptions | None = None,
) -> LabelledLogs:
    """Read the logs that a labels file names, and scale them.

    ``views`` is as in `Scaler.fit`; with ``scaler`` given, nothing is fitted, and tables are read
    as those that it was fitted to. ``reading`` says how tables are read otherwise.

    Raises
    ------
    LabelError
        If the labels are malformed, name no capture that can be read, or lie outside theirs.
    TrainingError
        If no interval is as long as a window.
    """
    schema = scaler.schema if scaler else None
    reading = reading_options(schema) if schema else reading
    logs, intervals, warnings = _read(folder, labels, spec, reading)
    if schema is None:
        logs, told = see_alike(logs, intervals)
        warnings += told
    else:
        logs = {name: conformed(log, schema) for name, log in logs.items()}
    baselines = _learn_baselines(logs, intervals, warnings)
    networks = {interval.capture: interval.network for interval in intervals}
    seen_against = {name: baselines[networks[name]] for name in logs}
    scaler = scaler or _fit_scaler(logs, intervals, seen_against, views)
    prepared = [
        prepare(log, scaler, baseline=baselines[networks[name]], network=networks[name])
        for name, log in logs.items()
    ]
    windows = labelled_windows(prepared, intervals, spec, stride=1)
    if not len(windows):
        raise TrainingError(
            f"{labels}: no labelled interval holds a window of {spec.n_timesteps} bins. "
            "Label longer intervals, or use a shorter --window."
        )
    return LabelledLogs(prepared, windows, baselines, scaler, warnings)


def _read(
    folder: Path, labels: Path, spec: WindowSpec, reading: ReadOptions | None
) -> tuple[dict[str, TrafficLog], list[LabelledInterval], list[str]]:
    """Read every labelled capture that is there; the names are those of the labels."""
    intervals = list(read_labels(labels))
    names = dict.fromkeys(interval.capture for interval in intervals)
    logs, problems = read_named_logs(folder, names, bin_s=spec.bin_s, options=reading)
    warnings = [f"{problem} Left out of training." for problem in problems]
    warnings += [warning for log in logs.values() for warning in log.warnings]
    if not logs:
        raise LabelError(
            f"{labels}: names {len(intervals)} intervals, none of a capture that can be read below "
            f"{folder}. First: {warnings[0]}"
        )
    kept = [interval for interval in intervals if interval.capture in logs]
    for interval in kept:
        _check_covered(labels, interval, logs[interval.capture])
    return logs, kept, warnings


def _check_covered(labels: Path, interval: LabelledInterval, log: TrafficLog) -> None:
    first = log.series[0].start_ns
    last = log.series[-1].start_ns + len(log.series[-1].values) * bin_ns(log.series[-1])
    if interval.end_ns <= first or interval.start_ns >= last:
        raise LabelError(
            f"{labels}: {interval.capture} is labelled {interval.label} from "
            f"{format_time(interval.start_ns)} to {format_time(interval.end_ns)}, but the capture "
            f"runs from {format_time(first)} to {format_time(last)}. Correct the times (UTC)."
        )


def _labelled_bins(
    log: TrafficLog, intervals: Sequence[LabelledInterval]
) -> list[tuple[str, FloatArray]]:
    """Bins of a log that lie wholly in a labelled interval, with the label."""
    return [
        (interval.label, bins_within(series, interval))
        for interval in intervals
        if interval.capture == log.name
        for series in log.series
    ]


def _learn_baselines(
    logs: dict[str, TrafficLog], intervals: list[LabelledInterval], warnings: list[str]
) -> dict[str, FloatArray]:
    baselines = {}
    schema = _schema(logs)
    for network in dict.fromkeys(interval.network for interval in intervals):
        mine = [interval for interval in intervals if interval.network == network]
        captures = dict.fromkeys(interval.capture for interval in mine)
        bins = [pair for name in captures for pair in _labelled_bins(logs[name], mine)]
        normal = [values for label, values in bins if label == NORMAL]
        if sum(map(len, normal)):
            baselines[network] = learn_baseline(np.concatenate(normal), schema)
            continue
        everything = [series.values for name in captures for series in logs[name].series]
        baselines[network] = estimate_baseline(np.concatenate(everything), schema)
        warnings.append(
            f"network {network!r} has no interval labelled normal; its normal was estimated from "
            "its calmest traffic. Label some normal traffic to be sure of it."
        )
    return baselines


def _fit_scaler(
    logs: dict[str, TrafficLog],
    intervals: list[LabelledInterval],
    baselines: dict[str, FloatArray],
    views: str,
) -> Scaler:
    values, centers = [], []
    for name, log in logs.items():
        for _, bins in _labelled_bins(log, intervals):
            values.append(bins)
            centers.append(np.broadcast_to(baselines[name][0], bins.shape))
    return Scaler.fit(
        np.concatenate(values), np.concatenate(centers), views=views, schema=_schema(logs)
    )


def _schema(logs: dict[str, TrafficLog]) -> FeatureSchema:
    return schema_of(next(iter(logs.values())))
