"""Logs read together, as the training or the measuring of one model needs them: seen alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from traffic_siamese.conforming import conformed
from traffic_siamese.errors import CaptureError
from traffic_siamese.features.schema import schema_of
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.reading import read_log, read_logs
from traffic_siamese.preparation import window_starts
from traffic_siamese.table_schema import agreed_kinds, common_schema, fit_schema
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    LabelledInterval,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)

_ONE_BIN = WindowSpec(n_timesteps=1)
Progress = Callable[[int, int], None]


def read_named_logs(
    folder: Path,
    names: Iterable[str],
    *,
    bin_s: float,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, TrafficLog], list[str]]:
    """Read logs below a folder and call them as the labels do.

    Tables are read a second time where their kinds were guessed otherwise than in most others.

    Returns
    -------
    logs : dict of str to TrafficLog
        Those that could be read, by name.
    problems : list of str
        Why the others could not.
    """
    names = list(names)
    options = options or ReadOptions()
    logs, problems = _read(folder, names, bin_s, options, progress)
    kinds = agreed_kinds([log for log in logs.values() if log.schema is not None])
    odd = [name for name, log in logs.items() if _disagrees(log, kinds)]
    if odd:
        told = replace(options, kinds={**kinds, **options.kinds})
        again, _ = _read(folder, odd, bin_s, told, None)
        logs.update(again)
    return logs, problems


def _read(
    folder: Path,
    names: Sequence[str],
    bin_s: float,
    options: ReadOptions,
    progress: Progress | None,
) -> tuple[dict[str, TrafficLog], list[str]]:
    logs: dict[str, TrafficLog] = {}
    problems = []
    elements: dict[Path, dict[str, TrafficLog]] = {}
    for number, name in enumerate(names, 1):
        try:
            log = _read_one(folder / name, bin_s, options, elements)
            logs[name] = replace(log, name=name)
        except CaptureError as err:
            problems.append(str(err))
        if progress is not None:
            progress(number, len(names))
    return logs, problems


def _read_one(
    path: Path, bin_s: float, options: ReadOptions, elements: dict[Path, dict[str, TrafficLog]]
) -> TrafficLog:
    """Read a log; a table with several elements only once for all of them."""
    file, hash_sign, _ = str(path).rpartition("#")
    if not hash_sign or path.exists() or not Path(file).exists():
        return read_log(path, bin_s=bin_s, options=options)
    table = Path(file)
    if table not in elements:
        read = read_logs(table, bin_s=bin_s, options=options)
        elements.clear()  # one table at a time is in memory
        elements[table] = {log.name: log for log in read}
    found = elements[table].get(str(path))
    return found or read_log(path, bin_s=bin_s, options=options)  # which says what is there


def _disagrees(log: TrafficLog, kinds: Mapping[str, str]) -> bool:
    if log.schema is None:
        return False
    return any(kinds.get(one.name, one.kind) != one.kind for one in log.schema.features)


def see_alike(
    logs: dict[str, TrafficLog], intervals: Sequence[LabelledInterval]
) -> tuple[dict[str, TrafficLog], list[str]]:
    """Give tables one schema: the columns that all have, floors and views from normal traffic.

    Captures are returned as they are.

    Parameters
    ----------
    logs : dict of str to TrafficLog
        By the names in the labels; at least one.
    intervals : sequence of LabelledInterval
        Of these logs. Where none is normal, all of the logs counts.

    Raises
    ------
    LabelError
        If the logs have nothing in common.
    """
    schema, warnings = common_schema(logs)
    if schema is None:
        return logs, []
    alike = {
        name: replace(conformed(log, schema), warnings=log.warnings) for name, log in logs.items()
    }
    everything = [series.values for log in alike.values() for series in log.series]
    fitted = fit_schema(schema, _stretches(alike, intervals), others=everything)
    return {name: conformed(log, fitted) for name, log in alike.items()}, warnings


def _stretches(
    logs: Mapping[str, TrafficLog], intervals: Sequence[LabelledInterval]
) -> list[FloatArray]:
    """Return normal traffic of each network; of all logs where none is labelled so."""
    normal: dict[str, list[FloatArray]] = {}
    for interval in intervals:
        if interval.label == NORMAL and interval.capture in logs:
            for series in logs[interval.capture].series:
                normal.setdefault(interval.network, []).append(bins_within(series, interval))
    found = [np.concatenate(parts) for parts in normal.values()]
    found = [part for part in found if len(part)]
    return found or [series.values for log in logs.values() for series in log.series]


def bins_within(series: TrafficSeries, interval: LabelledInterval) -> FloatArray:
    """Bins of a series that lie wholly in an interval, (n_bins, n_features)."""
    span = (interval.start_ns, interval.end_ns)
    return series.values[window_starts(series, _ONE_BIN, stride=1, interval=span)]


def named_bin_s(
    folder: str | Path, names: Iterable[str], options: ReadOptions | None = None
) -> float | None:
    """Return the granularity of the first table among logs; None where it is a capture.

    Raises
    ------
    CaptureError
        If none of the logs can be read.
    """
    problem: CaptureError | None = None
    for name in names:
        try:
            log = read_logs(Path(folder) / name, options=options)[0]
        except CaptureError as err:
            problem = problem or err
            continue
        return log.series[0].bin_s if schema_of(log).is_table else None
    if problem is not None:
        raise problem
    return None
