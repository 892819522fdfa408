"""The second job: add a fault from one example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from traffic_siamese.example_windows import ExampleWindows, find_example_windows
from traffic_siamese.explanation.vocabulary import protocol_of
from traffic_siamese.model import Model, load_model
from traffic_siamese.oneshot.forecast import ConfusionForecast, confusion_forecast
from traffic_siamese.oneshot.names import check_label_name
from traffic_siamese.oneshot.phases import (
    DEFAULT_PHASES,
    PHASES,
    STEADY,
    distances_from_normal,
    reach_of_normal,
    shows_fault,
)
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.preparation import estimated_baseline
from traffic_siamese.times import format_time
from traffic_siamese.types import NORMAL, FloatArray, Int64Array, Prototype, StringArray

MAX_PROTOTYPES = 5
"""Of the steady state; an edge gives one more each."""


@dataclass(frozen=True, slots=True)
class AddedFault:
    """What adding a fault did.

    Attributes
    ----------
    name : str
    n_prototypes : int
        Windows stored as its examples.
    phases : dict of str to int
        How many of them show which phase.
    start_ns, end_ns : int
        What the windows of the steady state span.
    forecast : ConfusionForecast
        What it is near to, before it was added.
    warnings : tuple of str
    """

    name: str
    n_prototypes: int
    phases: dict[str, int]
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
    phases: Collection[str] = DEFAULT_PHASES,
) -> AddedFault:
    """Add a fault type from one example; nothing is trained.

    Windows inside the interval show the steady state, one over its start the onset, one over its
    end the recovery. Those that look normal are left out, since times are often marked roughly.

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
    phases : collection of {"onset", "steady", "recovery"}
        What to keep; the steady state always is.

    Raises
    ------
    CaptureError, WindowError
        If the log cannot be read, or the times are not in it.
    LibraryError
        If the name exists, or is none, or the network has no baseline.
    ValueError
        If a phase is none.
    """
    check_label_name(name)
    if not set(phases) <= set(PHASES):
        raise ValueError(f"phases are {sorted(phases)}, expected some of {', '.join(PHASES)}")
    loaded = load_model(model)
    baseline = loaded.baseline_of(network) if network else None
    read = loaded.read(log)
    warnings = list(read.warnings)
    if baseline is None:
        baseline = estimated_baseline(read)
        warnings.append(
            f"{read.name}: no --network was given; its normal was estimated from the capture."
        )
    windows = find_example_windows(
        read,
        loaded.bundle.info.window,
        start_ns,
        end_ns,
        phases=phases if name != NORMAL else (STEADY,),
    )
    embeddings = loaded.embed(windows.raw(), baseline)
    usable = _usable(name, windows, embeddings, loaded, warnings)
    chosen = _choose(windows.phase, embeddings, usable)
    source = {"capture": read.name, "network": network or ""}
    if protocol := protocol_of(read.protocols):
        source["protocol"] = protocol
    prototypes = _prototypes(name, windows, embeddings, chosen, baseline=baseline, source=source)
    steady = usable[windows.phase[usable] == STEADY]
    mine = chosen[windows.phase[chosen] == STEADY]
    forecast = _forecast(name, embeddings[mine], loaded, warnings)
    loaded.library.add(
        name, prototypes, origin="added", encoder_id=loaded.bundle.encoder_id, more=more
    )
    return AddedFault(
        name,
        len(prototypes),
        dict(Counter(prototype.source["phase"] for prototype in prototypes)),
        windows.span_ns(int(steady[0]))[0],
        windows.span_ns(int(steady[-1]))[1],
        forecast,
        tuple(warnings),
    )


def _usable(
    name: str,
    windows: ExampleWindows,
    embeddings: FloatArray,
    model: Model,
    warnings: list[str],
) -> Int64Array:
    """Rows of the windows that show the fault; what is odd about the rest joins the warnings."""
    if name == NORMAL:
        return np.arange(len(embeddings))
    calibration = model.bundle.info.calibration
    distances = distances_from_normal(embeddings, model.prototypes, model.prototype_labels)
    shows = shows_fault(windows.phase, distances, calibration)
    steady, reach = windows.phase == STEADY, reach_of_normal(calibration)
    farthest = float(distances[steady].max())
    n_out, n_steady = int(np.sum(steady & ~shows)), int(steady.sum())
    if farthest <= reach:
        warnings.append(
            f"the example looks normal: none of its windows is farther than {farthest:.3f} from "
            f"normal traffic, whose reach is {reach:.3f}. Normal traffic may be called {name!r}. "
            "Check --start and --end (UTC), or give a clearer example."
        )
    elif n_out:
        warnings.append(
            f"{n_out} of the example's {n_steady} windows look normal and were left out. "
            "Check --start and --end (UTC)."
        )
    return np.flatnonzero(shows)


def _choose(phases: StringArray, embeddings: FloatArray, usable: Int64Array) -> Int64Array:
    """Rows to store: a few that cover the steady state, and what there is of the edges."""
    steady = usable[phases[usable] == STEADY]
    picks = select_prototypes(
        embeddings[steady],
        phases[steady],
        groups=phases[steady],
        n_per_label=MAX_PROTOTYPES,
    )
    return np.concatenate([steady[picks], usable[phases[usable] != STEADY]])


def _prototypes(
    name: str,
    windows: ExampleWindows,
    embeddings: FloatArray,
    chosen: Int64Array,
    *,
    baseline: FloatArray,
    source: dict[str, str],
) -> list[Prototype]:
    raw = windows.raw()
    added_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    prototypes = []
    for row in chosen.tolist():
        start, end = (format_time(moment_ns) for moment_ns in windows.span_ns(row))
        where = {"start": start, "end": end, "phase": str(windows.phase[row])}
        mine = {**source, **where, "added_at": added_at}
        prototypes.append(Prototype(name, raw[row], baseline, embeddings[row], mine))
    return prototypes


def _forecast(
    name: str, embeddings: FloatArray, model: Model, warnings: list[str]
) -> ConfusionForecast:
    """Forecast what the steady state is confused with; warn where another fault reaches it."""
    others = model.prototype_labels != name
    calibration = model.bundle.info.calibration
    forecast = confusion_forecast(
        embeddings, model.prototypes[others], model.prototype_labels[others], calibration
    )
    nearest = forecast.nearest_label
    if nearest in ("", NORMAL):
        return forecast
    reach = float(calibration.radius_of(np.array([nearest]))[0])
    if forecast.distance <= reach:
        warnings.append(
            f"the example is {forecast.distance:.3f} from {nearest!r}, within its reach of "
            f"{reach:.3f}: the two may be one trouble. --more adds an example to a known fault."
        )
    return forecast
