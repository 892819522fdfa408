"""The first job: traffic logs in, verdicts and incidents out."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.alarms import PER_DAY, looks, tail_of_log
from traffic_siamese.detailing import log_detail
from traffic_siamese.drift import drift_warnings
from traffic_siamese.errors import BundleError, TrafficSiameseError
from traffic_siamese.explanation.log_reasons import LogReasons
from traffic_siamese.incidents import IncidentMerger
from traffic_siamese.log_detail import LogDetail
from traffic_siamese.model import Model, load_model
from traffic_siamese.network_straying import tail_of_network
from traffic_siamese.oneshot.recognition import Recognition, recognise
from traffic_siamese.preparation import PreparedLog, all_windows, prepare
from traffic_siamese.types import NORMAL, FloatArray, Incident, TrafficLog, Verdict, WindowSpec
from traffic_siamese.windows import WindowSet

_FEW_LOGS = 8


@dataclass(frozen=True, slots=True)
class LogResult:
    """What classifying one log gave.

    Attributes
    ----------
    log : str
        The log, as it was named.
    verdicts, incidents : tuple
        In time order; empty where the log could not be classified.
    warnings : tuple of str
        What was wrong and did not stop it.
    error : str
        Why it could not be classified; empty where it could.
    detail : LogDetail, optional
        Its telling features over time, where they were asked for.
    n_packets : int
        Packets of a capture, rows of a table; 0 where it could not be classified.
    """

    log: str
    verdicts: tuple[Verdict, ...] = ()
    incidents: tuple[Incident, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""
    detail: LogDetail | None = None
    n_packets: int = 0


def classify_log(
    source: str | Path,
    model: Model,
    *,
    network: str | None = None,
    false_alarms_per_day: float | None = None,
    detail: bool = False,
) -> LogResult:
    """Classify one log.

    For the incidents, windows are looked at more often than for the verdicts, where the model
    knows how far normal traffic strays.

    Parameters
    ----------
    source : str or Path
        A capture; ``-`` reads standard input.
    model : Model
        From `load_model`.
    network : str, optional
        Whose stored baseline to use. Without it the baseline is estimated from the log, and the
        reasons say so.
    false_alarms_per_day : float, > 0, optional
        How often a day normal traffic may raise an incident; see `RateRule`. By default once, and
        in models that do not know how far normal traffic strays two windows in a row.
    detail : bool, default False
        Whether to keep its telling features over time, for a report.

    Raises
    ------
    CaptureError, WindowError
        If the log cannot be read, or is shorter than a window.
    LibraryError
        If the network has no baseline.
    BundleError
        If a rate of false alarms is asked for, and the model knows none.
    """
    log = model.read(source)
    asked: dict[str, Any] = {"network": network, "false_alarms_per_day": false_alarms_per_day}
    return _classify_series(log, model, **asked, detail=detail)


def _classify_series(
    log: TrafficLog,
    model: Model,
    *,
    network: str | None,
    false_alarms_per_day: float | None,
    detail: bool,
) -> LogResult:
    per_day = _rate(model, false_alarms_per_day)
    spec = model.bundle.info.window
    baseline = model.baseline_of(network) if network else None
    prepared = prepare(log, model.scaler, baseline=baseline, network=network or "")
    calibration = model.bundle.info.calibration
    tail = calibration.normal_tail
    windows = all_windows(prepared, looks(tail, spec))
    embeddings = model.embed_all(windows)
    found = recognise(embeddings, model.prototypes, model.prototype_labels, calibration)
    looked = _verdicts(prepared, windows, embeddings, found, spec)
    tail = tail_of_log(tail_of_network(model, network), looked)
    merger = IncidentMerger.for_model(tail, spec, per_day=per_day)
    merged = merger.merge(looked)
    reasons = LogReasons(model, prepared, windows, looked)
    incidents = reasons.incidents(merged)
    told = np.flatnonzero(_is_told(windows, spec)).tolist()
    verdicts = [_with_reason(looked[i], reasons, i) for i in told]
    warnings = (*log.warnings, *drift_warnings(prepared, model=model.bundle.path))
    drawn = log_detail(prepared, incidents) if detail else None
    return LogResult(
        log.name, tuple(verdicts), tuple(incidents), warnings, "", drawn, log.n_packets
    )


def _rate(model: Model, false_alarms_per_day: float | None) -> float:
    if false_alarms_per_day is None:
        return PER_DAY
    if not false_alarms_per_day > 0:
        raise ValueError(f"false_alarms_per_day is {false_alarms_per_day}, expected more than 0")
    if model.bundle.info.calibration.normal_tail is None:
        raise BundleError(
            f"{model.bundle.path}: does not know how far normal traffic strays, expected that for "
            "a rate of false alarms. Train the model again with half an hour of normal traffic, "
            "or ask for no rate: two windows in a row then raise an incident."
        )
    return false_alarms_per_day


def _is_told(windows: WindowSet, spec: WindowSpec) -> NDArray[np.bool_]:
    """Tell which windows have a verdict of their own, at the stride of the spec."""
    told: NDArray[np.bool_] = windows.start_bin % spec.stride == 0
    return told


def _verdicts(
    prepared: PreparedLog,
    windows: WindowSet,
    embeddings: FloatArray,
    found: Recognition,
    spec: WindowSpec,
) -> list[Verdict]:
    length_ns = round(spec.n_timesteps * spec.bin_s * 1e9)
    cube = np.pad(embeddings[:, :3], ((0, 0), (0, max(0, 3 - embeddings.shape[1])))).tolist()
    verdicts = []
    for i, start_ns in enumerate(windows.start_ns.tolist()):
        verdicts.append(
            Verdict(
                prepared.log.name,
                start_ns,
                start_ns + length_ns,
                str(found.label[i]),
                float(found.distance[i]),
                float(found.confidence[i]),
                str(found.second_label[i]),
                float(found.second_distance[i]),
                cube[i][0],
                cube[i][1],
                cube[i][2],
                "",
                float(found.p_value[i]),
                bool(found.ambiguous[i]),
                float(found.normal_distance[i]),
            )
        )
    return verdicts


def _with_reason(verdict: Verdict, reasons: LogReasons, row: int) -> Verdict:
    why = reasons.window(row) if verdict.label != NORMAL else ""
    if verdict.ambiguous:
        why = "; ".join(filter(None, (f"nearly as near to {verdict.second_label}", why)))
    return replace(verdict, reason=why) if why else verdict


def _classify_or_say_why(source: str, model: Model, asked: dict[str, Any]) -> list[LogResult]:
    try:
        logs = model.read_all(source)
    except TrafficSiameseError as err:
        return [LogResult(source, error=str(err))]
    return [_result_or_why(log, model, asked) for log in logs]


def _result_or_why(log: TrafficLog, model: Model, asked: dict[str, Any]) -> LogResult:
    try:
        return _classify_series(log, model, **asked)
    except TrafficSiameseError as err:
        return LogResult(log.name, error=str(err))


def classify(
    logs: Iterable[str | Path],
    model: str | Path,
    *,
    network: str | None = None,
    workers: int | None = None,
    false_alarms_per_day: float | None = None,
    detail: bool = False,
) -> Generator[LogResult, None, None]:
    """Classify many logs, several at once; a log that cannot be read does not stop the others.

    Parameters
    ----------
    logs : iterable of str or Path
    model : str or Path
        The model bundle's directory.
    network : str, optional
        As in `classify_log`.
    workers : int, optional
        Processes to use; as many as there are cores by default. Few logs are read in this process.
    false_alarms_per_day : float, > 0, optional
    detail : bool, default False
        As in `classify_log`.

    Yields
    ------
    LogResult
        In the order of ``logs``; of a table with several network elements, one for each.

    Raises
    ------
    BundleError, LibraryError
        If the model cannot be used, has no such network or knows no rate of false alarms: before
        any log is read.
    TrafficSiameseError
        If a worker process was killed.
    ValueError
        If the rate of false alarms is not positive.
    """
    asked: dict[str, Any] = {
        "network": network,
        "false_alarms_per_day": false_alarms_per_day,
        "detail": detail,
    }
    sources: Sequence[str] = [str(log) for log in logs]
    loaded = load_model(model)
    _rate(loaded, false_alarms_per_day)
    if network:
        loaded.baseline_of(network)
    n_workers = min(workers or os.cpu_count() or 1, len(sources))
    if n_workers <= 1 or len(sources) < _FEW_LOGS or "-" in sources:
        for source in sources:
            yield from _classify_or_say_why(source, loaded, asked)
        return
    # Spawned, not forked: the runtime's threads do not survive a fork.
    with ProcessPoolExecutor(
        n_workers,
        multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(str(model),),
    ) as pool:
        try:
            yield from chain.from_iterable(pool.map(partial(_work, asked=asked), sources))
        except BrokenProcessPool as err:
            raise TrafficSiameseError(
                f"one of {n_workers} worker processes was killed, probably for want of memory. "
                "Use fewer workers, or 1."
            ) from err
        finally:
            pool.shutdown(cancel_futures=True)


_worker_model: list[Model] = []


def _start_worker(path: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    _worker_model[:] = [load_model(path)]


def _work(source: str, asked: dict[str, Any]) -> list[LogResult]:
    return _classify_or_say_why(source, _worker_model[0], asked)
