"""What a traffic log holds, and what is wrong with it, before any verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from traffic_siamese.baseline import MIN_BINS
from traffic_siamese.captures.link_types import link_type_name
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.errors import CaptureError
from traffic_siamese.features.series import series_of_packets
from traffic_siamese.inspection.columns import column_ranges
from traffic_siamese.inspection.packets import WatchedPackets
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.reading import read_logs, reader_of
from traffic_siamese.preparation import bin_ns
from traffic_siamese.times import format_time
from traffic_siamese.types import TrafficLog, TrafficSeries, WindowSpec

_ODD = ("truncated", "malformed", "undecoded", "out_of_order")


def first_packet_ns(log: str | Path) -> int:
    """Return when a log starts, nanoseconds since the epoch; of a capture, reads only its head.

    Raises
    ------
    CaptureError
        If it cannot be read, or holds nothing.
    """
    with OpenLog(log) as opened:
        is_capture = reader_of(opened.head) is None
    if not is_capture:
        return min(series.start_ns for one in read_logs(log) for series in one.series)
    with read_packets(log) as reader:
        for _ in reader:
            return reader.stats.first_ns
    raise CaptureError(f"{log}: holds no packets, expected at least one. Record it again.")


def describe_log(
    log: str | Path, *, window: WindowSpec | None = None, options: ReadOptions | None = None
) -> dict[str, Any]:
    """Say what a traffic log holds, and what is wrong with it; it is read once.

    Parameters
    ----------
    log : str or Path
        A capture, a table or another tool's log; ``-`` reads standard input.
    window : WindowSpec, optional
        To tell whether the log holds one; by default as many bins as the default spec has.
    options : ReadOptions, optional
        What is known about a table.

    Returns
    -------
    dict
        Plain values, for JSON. ``problem`` says why nothing can be classified, or is None.

    Raises
    ------
    CaptureError
        If it cannot be read at all.
    """
    with OpenLog(log) as opened:
        reader = reader_of(opened.head)
        found = {
            "log": str(log),
            "format": reader.name if reader else "",
            "compression": opened.compression,
        }
        if reader is None:
            return found | _describe_capture(opened, window or WindowSpec())
    logs = read_logs(log, bin_s=window.bin_s if window else None, options=options)
    return found | _describe_series(logs, window) | _warnings(logs)


def _describe_capture(opened: OpenLog, window: WindowSpec) -> dict[str, Any]:
    read: TrafficLog | None = None
    problem = None
    with read_packets(cast(BinaryIO, opened)) as reader:
        watched = WatchedPackets(reader)
        try:
            read = series_of_packets(watched, bin_s=window.bin_s)
        except CaptureError as err:
            if not reader.stats.n_packets:
                raise
            problem = str(err)
    stats = watched.stats
    found = {
        "format": stats.format,
        "packets": stats.n_packets,
        "bytes": stats.n_bytes,
        "first": format_time(stats.first_ns),
        "last": format_time(stats.last_ns),
        "duration_s": round((stats.last_ns - stats.first_ns) / 1e9, 3),
        "link_types": {link_type_name(kind): n for kind, n in stats.link_types.items()},
        "encapsulations": watched.encapsulations(),
        "transports": watched.transports(),
        **{kind: getattr(stats, f"n_{kind}") for kind in _ODD},
        "fragments": watched.n_fragments,
        "gaps": {"count": watched.n_gaps, "longest": _steps(watched.gaps)},
        "clock_jumps": {"count": watched.n_jumps, "longest": _steps(watched.jumps)},
    }
    found |= _describe_series([read] if read else [], window)
    warnings = [*opened.warnings, *(read.warnings if read else stats.warnings)]
    return found | {"warnings": warnings, "problem": problem or found["problem"]}


def _steps(steps: list[tuple[int, int]], n: int = 10) -> list[dict[str, Any]]:
    """Describe the longest of some steps of time, in their order."""
    longest = sorted(steps, key=lambda step: -abs(step[1] - step[0]))[:n]
    return [
        {"from": format_time(a), "to": format_time(b), "seconds": round((b - a) / 1e9, 3)}
        for a, b in steps
        if (a, b) in longest
    ]


def _warnings(logs: Sequence[TrafficLog]) -> dict[str, Any]:
    return {"warnings": list(dict.fromkeys(text for one in logs for text in one.warnings))}


def _describe_series(logs: Sequence[TrafficLog], window: WindowSpec | None) -> dict[str, Any]:
    """Say what was measured, and whether it is enough."""
    all_series = [series for one in logs for series in one.series]
    bin_s = all_series[0].bin_s if all_series else 1.0
    spec = window or WindowSpec(bin_s=bin_s)
    columns = column_ranges(logs)
    stretches = [{"log": one.name, **_stretch(s, spec)} for one in logs for s in one.series]
    n_windows = sum(stretch["windows"] for stretch in stretches)
    problem = None
    if not n_windows:
        problem = (
            f"no stretch is as long as a window of {spec.n_timesteps * spec.bin_s:g} s; "
            "nothing can be classified."
        )
    found: dict[str, Any] = {
        "protocols": _protocols(logs),
        "signalling": _signalling(all_series),
        "stretches": stretches,
        "bin_s": bin_s,
        "window_s": spec.n_timesteps * spec.bin_s,
        "windows": n_windows,
        "enough_for_baseline": [one.name for one in logs if _n_bins(one) >= MIN_BINS],
        "features": len(columns),
        "constant_features": [one["name"] for one in columns if one["constant"]],
        "problem": problem,
    }
    if any(one.schema for one in logs):
        found["elements"] = [one.name.partition("#")[2] for one in logs]
        found["columns"] = columns
    if all_series:
        start = min(s.start_ns for s in all_series)
        end = max(s.start_ns + len(s.values) * bin_ns(s) for s in all_series)
        found |= {"start": format_time(start), "end": format_time(end)}
        found["length_s"] = round((end - start) / 1e9, 3)
    return found


def _n_bins(log: TrafficLog) -> int:
    return sum(len(series.values) for series in log.series)


def _stretch(series: TrafficSeries, window: WindowSpec) -> dict[str, Any]:
    n_bins, step_ns = len(series.values), bin_ns(series)
    n_windows = max(0, (n_bins - window.n_timesteps) // window.stride + 1)
    return {
        "start": format_time(series.start_ns),
        "end": format_time(series.start_ns + n_bins * step_ns),
        "bins": n_bins,
        "windows": n_windows if n_bins >= window.n_timesteps else 0,
    }


def _protocols(logs: Sequence[TrafficLog]) -> dict[str, int]:
    """Messages of each signalling protocol, the most frequent first."""
    totals: dict[str, int] = {}
    for log in logs:
        for protocol, n in log.protocols.items():
            totals[protocol] = totals.get(protocol, 0) + n
    return dict(sorted(totals.items(), key=lambda pair: -pair[1]))


def _signalling(all_series: Sequence[TrafficSeries]) -> dict[str, dict[str, int]]:
    """Count messages by kind and class, both directions together."""
    found: dict[str, dict[str, int]] = {"requests": {}, "answers": {}}
    for series in all_series:
        totals = series.values.sum(axis=0, dtype=np.float64).tolist()
        for name, total in zip(series.feature_names, totals, strict=True):
            plain = name.removeprefix("to_service_").removeprefix("from_service_")
            if plain == name or not total:
                continue
            for prefix, kinds in (("request_", "requests"), ("answer_", "answers")):
                if plain.startswith(prefix):
                    kind = plain.removeprefix(prefix)
                    found[kinds][kind] = found[kinds].get(kind, 0) + round(total)
    return found if any(found.values()) else {}
