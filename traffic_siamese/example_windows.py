"""Which windows of a log are the example of a fault: inside the times given, and at their edges."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from traffic_siamese.errors import WindowError
from traffic_siamese.oneshot.phases import STEADY, straddling_starts
from traffic_siamese.preparation import bin_ns, window_starts
from traffic_siamese.times import format_time
from traffic_siamese.types import (
    FloatArray,
    Int64Array,
    StringArray,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)


@dataclass(frozen=True, slots=True, eq=False)
class ExampleWindows:
    """Candidates for the examples of a fault.

    Attributes
    ----------
    series : TrafficSeries
        What they are cut from.
    start_bin : ndarray of shape (n,), int64
        First bin of each.
    phase : ndarray of shape (n,), str
        Which phase of the fault each shows; ``steady`` ones first, at least one.
    n_timesteps : int
    """

    series: TrafficSeries
    start_bin: Int64Array
    phase: StringArray
    n_timesteps: int

    def raw(self) -> FloatArray:
        """Features as read, (n, n_timesteps, n_features)."""
        starts = self.start_bin.tolist()
        return np.stack([self.series.values[s : s + self.n_timesteps] for s in starts])

    def span_ns(self, row: int) -> tuple[int, int]:
        """When a window starts and ends, nanoseconds since the epoch."""
        step = bin_ns(self.series)
        start = self.series.start_ns + int(self.start_bin[row]) * step
        return start, start + self.n_timesteps * step


def find_example_windows(
    log: TrafficLog, spec: WindowSpec, start_ns: int, end_ns: int, *, phases: Collection[str]
) -> ExampleWindows:
    """Find the windows of an interval of a log.

    Parameters
    ----------
    log : TrafficLog
    spec : WindowSpec
    start_ns, end_ns : int
        From when to when the fault shows. Where that is shorter than a window, the window around
        its middle is the example.
    phases : collection of str
        Which windows at the edges to take beside those inside.

    Raises
    ------
    WindowError
        If the times are not in the log, or no stretch around them is as long as a window.
    """
    if start_ns >= end_ns:
        raise WindowError(
            f"the example ends at {format_time(end_ns)}, not after its start "
            f"{format_time(start_ns)}. Swap --start and --end."
        )
    for series in log.series:
        length_ns = len(series.values) * bin_ns(series)
        if start_ns < series.start_ns + length_ns and end_ns > series.start_ns:
            found = _windows_in(series, spec, (start_ns, end_ns), phases)
            if found is not None:
                return found
    spans = ", ".join(
        f"{format_time(s.start_ns)} to {format_time(s.start_ns + len(s.values) * bin_ns(s))}"
        for s in log.series
    )
    raise WindowError(
        f"{log.name}: no window of {spec.n_timesteps * spec.bin_s:g} s around "
        f"{format_time(start_ns)} to {format_time(end_ns)}; the capture covers {spans}. "
        "Give times inside it."
    )


def _windows_in(
    series: TrafficSeries, spec: WindowSpec, interval: tuple[int, int], phases: Collection[str]
) -> ExampleWindows | None:
    length, n_bins = spec.n_timesteps, len(series.values)
    if n_bins < length:
        return None
    inside = window_starts(series, spec, stride=spec.stride, interval=interval)
    step = bin_ns(series)
    if not len(inside):
        middle = (sum(interval) // 2 - series.start_ns) // step
        start = min(middle - length // 2, n_bins - length)
        return ExampleWindows(series, np.array([max(start, 0)]), np.array([STEADY]), length)
    first = -((series.start_ns - interval[0]) // step)
    last = (interval[1] - series.start_ns) // step
    edges = {
        phase: start
        for phase, start in straddling_starts(
            first, last, n_timesteps=length, phases=phases
        ).items()
        if 0 <= start <= n_bins - length
    }
    return ExampleWindows(
        series,
        np.concatenate([inside, np.array([*edges.values()], np.int64)]),
        np.array([STEADY] * len(inside) + [*edges]),
        length,
    )
