"""From labelled logs to a model bundle: read, learn normal, train, choose prototypes, calibrate."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from traffic_siamese.baseline import estimate_baseline, learn_baseline
from traffic_siamese.bundle import (
    BundleContents,
    BundleInfo,
    encoder_id,
    library_path,
    package_versions,
    save_bundle,
)
from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.encoder import save_keras, to_onnx
from traffic_siamese.errors import CaptureError, LabelError, TrainingError
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series
from traffic_siamese.history import TrainingHistory
from traffic_siamese.labels import read_labels
from traffic_siamese.oneshot.calibration import Calibration, calibrate
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.preparation import (
    FEATURE_HASH,
    PreparedLog,
    bin_ns,
    labelled_windows,
    prepare,
    window_starts,
)
from traffic_siamese.scaling import Scaler
from traffic_siamese.times import format_time
from traffic_siamese.training import (
    EpochReport,
    TrainedEncoder,
    TrainingOptions,
    split_by_capture,
    train_encoder,
)
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    Int64Array,
    LabelledInterval,
    Prototype,
    TrafficLog,
    WindowSpec,
)
from traffic_siamese.windows import WindowSet


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a model is made.

    Attributes
    ----------
    window : WindowSpec
        How series are cut.
    training : TrainingOptions
        How the encoder is trained.
    held_out_share : float, in [0, 1)
        Share of each label's captures that decide when to stop and how far labels reach.
    n_prototypes : int
        Examples kept per label.
    false_unknown_share : float
        Share of a known label's windows that may be called unknown.
    """

    window: WindowSpec = field(default_factory=WindowSpec)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    held_out_share: float = 0.25
    n_prototypes: int = 5
    false_unknown_share: float = 0.01


@dataclass(frozen=True, slots=True)
class FitReport:
    """What training gave: the bundle's path, figures, and what to know about them."""

    path: Path
    labels: tuple[str, ...]
    n_windows: int
    best_epoch: int
    held_out_accuracy: float
    summary: str
    warnings: tuple[str, ...]


def train(
    logs_dir: str | Path,
    labels: str | Path,
    model: str | Path,
    *,
    options: FitOptions | None = None,
    resume: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> FitReport:
    """Train an encoder on labelled logs and write a model bundle.

    Parameters
    ----------
    logs_dir : str or Path
        Folder that the captures' paths in the labels start from.
    labels : str or Path
        ``labels.csv``.
    model : str or Path
        Directory of the bundle; what it held is replaced in one step, faults added by hand stay.
    options : FitOptions, optional
    resume : bool, default False
        Continue a run that was broken off; otherwise an unfinished run is started anew.
    progress : callable, optional
        Called after every epoch.

    Raises
    ------
    LabelError
        If the labels are malformed, or name no capture that is there.
    TrainingError
        If there is too little to train on.
    BundleError
        If the bundle cannot be written.
    """
    options = options or FitOptions()
    logs, intervals, warnings = _read(Path(logs_dir), Path(labels), options.window)
    baselines = _learn_baselines(logs, intervals, warnings)
    scaler = _fit_scaler(logs, intervals, baselines)
    networks = {interval.capture: interval.network for interval in intervals}
    prepared = [
        prepare(log, scaler, baseline=baselines[networks[name]], network=networks[name])
        for name, log in logs.items()
    ]
    pool = labelled_windows(prepared, intervals, options.window, stride=1)
    if not len(pool):
        raise TrainingError(
            f"{labels}: no labelled interval holds a window of {options.window.n_timesteps} bins. "
            "Label longer intervals, or use a shorter --window."
        )
    trained_rows, held_rows = split_by_capture(
        pool, share=options.held_out_share, seed=options.training.seed
    )
    held_rows = held_rows[pool.start_bin[held_rows] % options.window.stride == 0]
    checkpoint = Path(model) / "unfinished"
    if not resume:
        _forget(checkpoint)
    trained = train_encoder(
        pool.select(trained_rows),
        pool.select(held_rows) if len(held_rows) else None,
        options=options.training,
        checkpoint_dir=checkpoint,
        progress=progress,
    )
    report = _write(Path(model), prepared, pool, trained, scaler, options)
    _store_baselines(Path(model), baselines, logs, networks)
    _forget(checkpoint)
    return replace(report, warnings=(*warnings, *report.warnings))


def _forget(checkpoint: Path) -> None:
    if checkpoint.is_dir():
        for file in checkpoint.iterdir():
            file.unlink()
        checkpoint.rmdir()


def _read(
    folder: Path, labels: Path, spec: WindowSpec
) -> tuple[dict[str, TrafficLog], list[LabelledInterval], list[str]]:
    """Read every labelled capture that is there; the names are those of the labels."""
    intervals = list(read_labels(labels))
    warnings: list[str] = []
    logs: dict[str, TrafficLog] = {}
    for capture in dict.fromkeys(interval.capture for interval in intervals):
        try:
            log = read_series(folder / capture, bin_s=spec.bin_s)
        except CaptureError as err:
            warnings.append(f"{err} Left out of training.")
            continue
        logs[capture] = TrafficLog(capture, log.series, log.n_packets, log.warnings)
        warnings.extend(log.warnings)
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
    one_bin = WindowSpec(n_timesteps=1)
    return [
        (interval.label, series.values[window_starts(series, one_bin, stride=1, interval=span)])
        for interval in intervals
        if interval.capture == log.name
        for span in [(interval.start_ns, interval.end_ns)]
        for series in log.series
    ]


def _learn_baselines(
    logs: dict[str, TrafficLog], intervals: list[LabelledInterval], warnings: list[str]
) -> dict[str, FloatArray]:
    baselines = {}
    for network in dict.fromkeys(interval.network for interval in intervals):
        mine = [interval for interval in intervals if interval.network == network]
        captures = dict.fromkeys(interval.capture for interval in mine)
        bins = [pair for name in captures for pair in _labelled_bins(logs[name], mine)]
        normal = [values for label, values in bins if label == NORMAL]
        if sum(map(len, normal)):
            baselines[network] = learn_baseline(np.concatenate(normal))
            continue
        everything = [series.values for name in captures for series in logs[name].series]
        baselines[network] = estimate_baseline(np.concatenate(everything))
        warnings.append(
            f"network {network!r} has no interval labelled normal; its normal was estimated from "
            "its calmest traffic. Label some normal traffic to be sure of it."
        )
    return baselines


def _fit_scaler(
    logs: dict[str, TrafficLog],
    intervals: list[LabelledInterval],
    baselines: dict[str, FloatArray],
) -> Scaler:
    values, centers = [], []
    networks = {interval.capture: interval.network for interval in intervals}
    for name, log in logs.items():
        for _, bins in _labelled_bins(log, intervals):
            values.append(bins)
            centers.append(np.broadcast_to(baselines[networks[name]][0], bins.shape))
    return Scaler.fit(np.concatenate(values), np.concatenate(centers))


def _write(
    path: Path,
    prepared: list[PreparedLog],
    pool: WindowSet,
    trained: TrainedEncoder,
    scaler: Scaler,
    options: FitOptions,
) -> FitReport:
    onnx = to_onnx(trained.model)
    encoder = OnnxEncoder(onnx, threads=0)
    history = _as_kept(trained)
    seen = np.flatnonzero(~history.held_out)
    chosen = seen[
        select_prototypes(
            history.embeddings[-1][seen],
            history.label[seen],
            groups=history.capture[seen],
            n_per_label=options.n_prototypes,
            seed=options.training.seed,
        )
    ]
    rows = _rows_of(pool, history, chosen)
    embeddings = encoder.embed(pool.gather(rows))
    judged = np.flatnonzero(history.held_out) if history.held_out.any() else seen
    calibration = calibrate(
        history.embeddings[-1][judged],
        history.label[judged],
        embeddings,
        pool.label[rows],
        false_unknown_share=options.false_unknown_share,
    )
    accuracy = _accuracy(history, judged, embeddings, pool.label[rows], calibration)
    mask = np.zeros(len(history.label), bool)
    mask[chosen] = True
    labels = tuple(np.unique(pool.label).tolist())
    info = BundleInfo(
        feature_names=FEATURE_NAMES,
        window=options.window,
        embedding_dim=options.training.encoder.embedding_dim,
        labels=labels,
        calibration=calibration,
        training=asdict(options.training),
        metrics={"held_out_balanced_accuracy": accuracy, "best_epoch": trained.best_epoch},
        versions=package_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    stream = io.BytesIO()
    replace(history, prototype=mask).write(stream)
    contents = BundleContents(
        info, save_keras(trained.model), onnx, scaler.arrays(), stream.getvalue()
    )
    _store(path, contents, _prototypes(prepared, pool, rows, embeddings, options.window))
    return FitReport(
        path, labels, len(pool), trained.best_epoch, accuracy, trained.summary, trained.warnings
    )


def _as_kept(trained: TrainedEncoder) -> TrainingHistory:
    """Return the history up to the kept epoch: the film ends where the model is."""
    history, end = trained.history, trained.best_epoch + 1
    cut = ("embeddings", "loss", "val_loss", "separation", "active_triplets")
    return replace(history, **{name: getattr(history, name)[:end] for name in cut})


def _rows_of(pool: WindowSet, history: TrainingHistory, points: Int64Array) -> Int64Array:
    """Rows of the recorded points in the pool of windows."""
    place = {
        key: row for row, key in enumerate(zip(pool.capture, pool.start_ns.tolist(), strict=True))
    }
    keys = zip(history.capture[points], history.start_ns[points].tolist(), strict=True)
    return np.array([place[key] for key in keys], np.int64)


def _accuracy(
    history: TrainingHistory,
    judged: Int64Array,
    prototypes: FloatArray,
    labels: np.ndarray[tuple[int, ...], np.dtype[np.str_]],
    calibration: Calibration,
) -> float:
    found = recognise(history.embeddings[-1][judged], prototypes, labels, calibration).label
    true = history.label[judged]
    return float(np.mean([np.mean(found[true == name] == name) for name in np.unique(true)]))


def _prototypes(
    prepared: list[PreparedLog],
    pool: WindowSet,
    rows: Int64Array,
    embeddings: FloatArray,
    spec: WindowSpec,
) -> list[Prototype]:
    series = [(log, one) for log in prepared for one in log.log.series]
    prototypes = []
    for row, embedding in zip(rows.tolist(), embeddings, strict=True):
        log, values = series[int(pool.series_index[row])]
        start, start_ns = int(pool.start_bin[row]), int(pool.start_ns[row])
        prototypes.append(
            Prototype(
                str(pool.label[row]),
                values.values[start : start + spec.n_timesteps],
                log.baseline,
                embedding,
                {
                    "capture": log.log.name,
                    "network": log.network,
                    "start": format_time(start_ns),
                    "end": format_time(start_ns + spec.n_timesteps * bin_ns(values)),
                },
            )
        )
    return prototypes


def _store(path: Path, contents: BundleContents, prototypes: list[Prototype]) -> None:
    """Write prototypes, then move the bundle's pointer, then let the old prototypes go."""
    path.mkdir(parents=True, exist_ok=True)
    library = FaultLibrary(library_path(path))
    name = encoder_id(contents.onnx)
    library.replace_trained(name, prototypes)
    save_bundle(path, contents)
    library.drop_other_encoders(name)


def _store_baselines(
    path: Path,
    baselines: dict[str, FloatArray],
    logs: dict[str, TrafficLog],
    networks: dict[str, str],
) -> None:
    library = FaultLibrary(library_path(path))
    for network, (center, spread) in baselines.items():
        mine = [name for name in logs if networks[name] == network]
        n_bins = sum(len(series.values) for name in mine for series in logs[name].series)
        source = {"captures": ", ".join(mine), "learned": "in training"}
        learned_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        library.set_baseline(
            StoredBaseline(network, FEATURE_HASH, center, spread, n_bins, source, learned_at)
        )
