"""From labelled logs to a model bundle: read, train, publish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from traffic_siamese.bags import Split
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.known import KnownModel, load_known
from traffic_siamese.labelled_logs import LabelledLogs, read_labelled_logs
from traffic_siamese.losses import LOSSES
from traffic_siamese.publishing import FitReport, publish
from traffic_siamese.simulate.pool import RawWindows, synthetic_windows
from traffic_siamese.training import (
    EpochReport,
    split_by_capture,
    train_encoder,
)
from traffic_siamese.training_options import TrainingOptions
from traffic_siamese.types import Int64Array
from traffic_siamese.windows import WindowSet, join_windows

__all__ = ["FitOptions", "FitReport", "fit", "train"]

_RAW_STRIDE = 2


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
    known = load_known(options.start_from) if options.start_from else None
    if known:
        options = replace(options, window=known.window)
    data = read_labelled_logs(
        Path(logs_dir),
        Path(labels),
        options.window,
        views=options.views,
        scaler=known.scaler if known else None,
        reading=options.reading,
    )
    report = fit(data, model, options=options, known=known, resume=resume, progress=progress)
    return replace(report, warnings=(*data.warnings, *report.warnings))


def fit(
    data: LabelledLogs,
    model: str | Path,
    *,
    options: FitOptions,
    known: KnownModel | None = None,
    resume: bool = False,
    progress: Callable[[EpochReport], None] | None = None,
) -> FitReport:
    """Train on logs that are read already; parameters and errors as in `train`."""
    splits = make_splits(data.windows, options, n_members=known.n_members if known else None)
    checkpoint = Path(model) / "unfinished"
    if not resume:
        _forget(checkpoint)
    trained = train_encoder(
        data.windows,
        splits,
        options=_seeing(options.training, data.scaler.n_views),
        synthetic=[
            _beside(_synthetic(data, train, options, member), known)
            for member, (train, _) in enumerate(splits)
        ],
        start=known.keras if known else None,
        checkpoint_dir=checkpoint,
        progress=progress,
    )
    raw = raw_windows(data, np.unique(np.concatenate([train for train, _ in splits])))
    report = publish(
        Path(model), data, raw, trained, options, known=known.prototypes if known else ()
    )
    _forget(checkpoint)
    return report


def make_splits(
    windows: WindowSet, options: FitOptions, *, n_members: int | None = None
) -> list[Split]:
    """Hold captures out: others for each network, where each is shown batches of its own.

    Parameters
    ----------
    windows : WindowSet
        Labelled windows, at a stride of one bin.
    options : FitOptions
    n_members : int, optional
        Networks of the encoder, where it is not built as the options say.

    Returns
    -------
    list of (train, held_out), ndarray of int64
        Rows; held-out ones at the stride of the verdicts.
    """
    training = options.training
    apart = LOSSES[training.loss].layout == "labels"
    splits = []
    for member in range(n_members or training.encoder.members if apart else 1):
        seed = [training.seed, member] if member else training.seed
        train, held_out = split_by_capture(windows, share=options.held_out_share, seed=seed)
        strided = windows.start_bin[held_out] % options.window.stride == 0
        splits.append((train, held_out[strided]))
    return splits


def _seeing(training: TrainingOptions, n_views: int) -> TrainingOptions:
    return replace(training, augment=replace(training.augment, n_views=n_views))


def _beside(synthetic: WindowSet | None, known: KnownModel | None) -> WindowSet | None:
    """Put what the starting model knows beside the synthetic windows."""
    if known is None:
        return synthetic
    return join_windows(synthetic, known.windows) if synthetic else known.windows


def _forget(checkpoint: Path) -> None:
    if checkpoint.is_dir():
        for file in checkpoint.iterdir():
            file.unlink()
        checkpoint.rmdir()


def raw_windows(data: LabelledLogs, rows: Int64Array) -> RawWindows:
    """Return windows of these rows as read: what virtual faults are applied to."""
    some = data.windows.select(rows[data.windows.start_bin[rows] % _RAW_STRIDE == 0])
    names = list(data.baselines)
    return RawWindows(
        data.raw(some),
        np.array([names.index(str(name)) for name in some.network], np.int64),
        list(data.baselines.values()),
        some.label,
    )


def _synthetic(
    data: LabelledLogs, rows: Int64Array, options: FitOptions, member: int
) -> WindowSet | None:
    """Return what a network trains on beside its labelled windows, made from these alone."""
    if LOSSES[options.training.loss].layout != "labels" or not options.n_virtual_faults:
        return None
    seed = options.training.seed
    return synthetic_windows(
        raw_windows(data, rows),
        data.scaler,
        n_faults=options.n_virtual_faults,
        n_cases=options.n_virtual_cases,
        seed=[seed, member] if member else seed,
        permuted_share=options.permuted_share,
    )
