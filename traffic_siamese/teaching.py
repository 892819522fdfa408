"""The second job: add a fault from one example."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from traffic_siamese.errors import WindowError
from traffic_siamese.features.series import read_series
from traffic_siamese.model import Model, load_model
from traffic_siamese.oneshot.forecast import ConfusionForecast, confusion_forecast
from traffic_siamese.oneshot.names import check_label_name
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.preparation import bin_ns, estimated_baseline, window_starts
from traffic_siamese.times import format_time
from traffic_siamese.types import (
    FloatArray,
    Int64Array,
    Prototype,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)

MAX_PROTOTYPES = 5


@dataclass(frozen=True, slots=True)
class AddedFault:
    """What adding a fault did.

    Attributes
    ----------
    name : str
    n_prototypes : int
        Windows stored as its examples.
    start_ns, end_ns : int
        What those windows span.
    forecast : ConfusionForecast
        What it is near to, before it was added.
    warnings : tuple of str
    """

    name: str
    n_prototypes: int
    start_ns: int
    end_ns: int
    forecast: ConfusionForecast
    warnings: tuple[str, ...]


def add_fault(
    name: str,
    log: str | Path,
    start_ns: int,
    end_ns: int,
    *,
    model: str | Path,
    network: str | None = None,
    more: bool = False,
) -> AddedFault:
    """Add a fault type from one example; nothing is trained.

    Parameters
    ----------
    name : str
        What to call it.
    log : str or Path
        A capture that shows it.
    start_ns, end_ns : int
        From when to when it does, nanoseconds since the epoch, UTC. Where that is shorter than a
        window, the window around its middle is the example.
    model : str or Path
        The model bundle's directory.
    network : str, optional
        Whose stored baseline the example is seen against; otherwise estimated from the log.
    more : bool, default False
        Add to a fault that exists already.

    Raises
    ------
    CaptureError, WindowError
        If the log cannot be read, or the times are not in it.
    LibraryError
        If the name exists, or is none, or the network has no baseline.
    """
    check_label_name(name)
    loaded = load_model(model)
    baseline = loaded.baseline_of(network) if network else None
    read = read_series(log, bin_s=loaded.bundle.info.window.bin_s)
    warnings = list(read.warnings)
    if baseline is None:
        baseline = estimated_baseline(read)
        warnings.append(
            f"{read.name}: no --network was given; its normal was estimated from the capture."
        )
    series, starts = _example_windows(read, loaded.bundle.info.window, start_ns, end_ns)
    prototypes = _prototypes(name, read, series, starts, loaded, baseline, network or "")
    embeddings = np.stack([prototype.embedding for prototype in prototypes])
    others = loaded.prototype_labels != name
    forecast = confusion_forecast(
        embeddings,
        loaded.prototypes[others],
        loaded.prototype_labels[others],
        loaded.bundle.info.calibration,
    )
    loaded.library.add(
        name, prototypes, origin="added", encoder_id=loaded.bundle.encoder_id, more=more
    )
    step, length = bin_ns(series), loaded.bundle.info.window.n_timesteps
    first, last = (series.start_ns + int(bins) * step for bins in (starts[0], starts[-1] + length))
    return AddedFault(name, len(prototypes), first, last, forecast, tuple(warnings))


def _example_windows(
    log: TrafficLog, spec: WindowSpec, start_ns: int, end_ns: int
) -> tuple[TrafficSeries, Int64Array]:
    """Find the series that holds the interval, and the windows' first bins in it."""
    if start_ns >= end_ns:
        raise WindowError(
            f"the example ends at {format_time(end_ns)}, not after its start "
            f"{format_time(start_ns)}. Swap --start and --end."
        )
    for series in log.series:
        step = bin_ns(series)
        if start_ns >= series.start_ns + len(series.values) * step or end_ns <= series.start_ns:
            continue
        starts = window_starts(series, spec, stride=spec.stride, interval=(start_ns, end_ns))
        if len(starts):
            return series, starts
        middle = ((start_ns + end_ns) // 2 - series.start_ns) // step
        start = min(middle - spec.n_timesteps // 2, len(series.values) - spec.n_timesteps)
        if (
            start + spec.n_timesteps <= len(series.values)
            and len(series.values) >= spec.n_timesteps
        ):
            return series, np.array([max(start, 0)])
    spans = ", ".join(
        f"{format_time(s.start_ns)} to {format_time(s.start_ns + len(s.values) * bin_ns(s))}"
        for s in log.series
    )
    raise WindowError(
        f"{log.name}: no window of {spec.n_timesteps * spec.bin_s:g} s around "
        f"{format_time(start_ns)} to {format_time(end_ns)}; the capture covers {spans}. "
        "Give times inside it."
    )


def _prototypes(
    name: str,
    log: TrafficLog,
    series: TrafficSeries,
    starts: Int64Array,
    model: Model,
    baseline: FloatArray,
    network: str,
) -> list[Prototype]:
    spec, step = model.bundle.info.window, bin_ns(series)
    raw = np.stack([series.values[s : s + spec.n_timesteps] for s in starts.tolist()])
    embeddings = model.embed(raw, baseline)
    chosen = select_prototypes(
        embeddings,
        np.full(len(raw), name),
        groups=np.full(len(raw), log.name),
        n_per_label=MAX_PROTOTYPES,
    )
    added_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return [
        Prototype(
            name,
            raw[i],
            baseline,
            embeddings[i],
            {
                "capture": log.name,
                "network": network,
                "start": format_time(series.start_ns + int(starts[i]) * step),
                "end": format_time(series.start_ns + int(starts[i] + spec.n_timesteps) * step),
                "added_at": added_at,
            },
        )
        for i in chosen.tolist()
    ]
