"""How often a model is right on labelled captures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import learn_baseline
from traffic_siamese.errors import CaptureError, LabelError
from traffic_siamese.features.series import read_series
from traffic_siamese.history import TrainingHistory
from traffic_siamese.labels import network_of, read_labels
from traffic_siamese.model import Model, load_model
from traffic_siamese.oneshot.recognition import recognise
from traffic_siamese.preparation import labelled_windows, prepare, window_starts
from traffic_siamese.types import (
    NORMAL,
    UNKNOWN,
    FloatArray,
    Int64Array,
    LabelledInterval,
    StringArray,
    TrafficLog,
    WindowSpec,
)

GIVEN, STORED, ESTIMATED = "learned from the captures given", "of the model", "estimated per log"


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How windows of each true label were called.

    Attributes
    ----------
    labels : tuple of str
        True labels, the rows.
    verdicts : tuple of str
        What windows were called, the columns; ``unknown`` is the last.
    counts : ndarray of shape (n_labels, n_verdicts), int64
        Windows.
    known : frozenset of str
        Labels in the fault library; the others cannot be recognised.
    """

    labels: tuple[str, ...]
    verdicts: tuple[str, ...]
    counts: Int64Array
    known: frozenset[str]

    def windows(self, label: str) -> int:
        """Return the number of windows of a true label."""
        return int(self.counts[self.labels.index(label)].sum())

    def share(self, label: str, verdict: str) -> float:
        """Return the share of a true label's windows that was called so; NaN without windows."""
        row = self.counts[self.labels.index(label)]
        if verdict not in self.verdicts or not row.sum():
            return 0.0 if row.sum() else float("nan")
        return float(row[self.verdicts.index(verdict)] / row.sum())

    def recall(self, label: str) -> float:
        """Return the share of a true label's windows that was called by its name."""
        return self.share(label, label)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the labels in the library that have windows; NaN without any."""
        recalls = [self.recall(name) for name in self.labels if name in self.known]
        finite = [value for value in recalls if np.isfinite(value)]
        return float(np.mean(finite)) if finite else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    everything : Confusion
        Over all labelled captures that could be read.
    unseen : Confusion
        Over the captures that the model was never shown: not in training, where the held-out ones
        decided when to stop and how far labels reach, nor as an example.
    n_captures, n_unseen : int
    networks : dict of str to str
        Where each network's baseline came from.
    skipped : tuple of str
        Why captures could not be used.
    """

    everything: Confusion
    unseen: Confusion
    n_captures: int
    n_unseen: int
    networks: dict[str, str]
    skipped: tuple[str, ...]


def evaluate(
    logs_dir: str | Path,
    labels: str | Path,
    model: str | Path,
    *,
    normal_captures: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Classify all windows that lie wholly in a labelled interval, and count.

    Parameters
    ----------
    logs_dir : str or Path
        Folder that the captures' paths in the labels start from.
    labels : str or Path
        ``labels.csv``; its networks are used.
    model : str or Path
        The model bundle's directory.
    normal_captures : sequence of str
        Captures, named as in the labels, whose normal traffic is their network's baseline in place
        of the stored one; they are not judged themselves.
    progress : callable, optional
        Called with captures done and captures in all.

    Raises
    ------
    LabelError
        If the labels are malformed, or leave no window of a capture that can be read.
    BundleError
        If the model cannot be used.
    """
    loaded, folder = load_model(model), Path(logs_dir)
    intervals = read_labels(labels)
    given = _learn_given(folder, intervals, normal_captures, loaded.bundle.info.window)
    captures = [c for c in dict.fromkeys(i.capture for i in intervals) if c not in normal_captures]
    judge = _Judge(loaded, given)
    for number, capture in enumerate(captures, 1):
        judge.take(folder, [one for one in intervals if one.capture == capture])
        if progress is not None:
            progress(number, len(captures))
    if not judge.found:
        reason = f" First: {judge.skipped[0]}" if judge.skipped else ""
        raise LabelError(
            f"{labels}: no labelled interval holds a window of a capture that can be read below "
            f"{folder}. Check the paths and times.{reason}"
        )
    return judge.evaluation()


class _Judge:
    """Classifies captures one by one and keeps what is needed for the counts."""

    def __init__(self, model: Model, given: dict[str, FloatArray]) -> None:
        self.model, self.given = model, given
        self.seen = _shown_captures(model)
        self.networks: dict[str, str] = dict.fromkeys(given, GIVEN)
        self.found: list[tuple[bool, StringArray, StringArray]] = []
        self.skipped: list[str] = []

    def take(self, folder: Path, intervals: Sequence[LabelledInterval]) -> None:
        """Classify the labelled windows of one capture."""
        capture, network = intervals[0].capture, intervals[0].network
        spec = self.model.bundle.info.window
        try:
            log = _read(folder, capture, spec)
        except CaptureError as err:
            self.skipped.append(str(err))
            return
        prepared = prepare(
            log, self.model.scaler, baseline=self._baseline(network), network=network
        )
        windows = labelled_windows([prepared], intervals, spec, stride=spec.stride)
        if not len(windows):
            self.skipped.append(f"{capture}: no labelled interval in it holds a window.")
            return
        found = recognise(
            self.model.encoder.embed(windows.gather()),
            self.model.prototypes,
            self.model.prototype_labels,
            self.model.bundle.info.calibration,
        )
        self.found.append((_is_in(capture, self.seen), windows.label, found.label))

    def _baseline(self, network: str) -> FloatArray | None:
        if network in self.given:
            return self.given[network]
        stored = network in self.model.library.networks()
        self.networks[network] = STORED if stored else ESTIMATED
        return self.model.baseline_of(network) if stored else None

    def evaluation(self) -> Evaluation:
        """Count."""
        known = frozenset(self.model.prototype_labels.tolist())
        unseen = [part for part in self.found if not part[0]]
        return Evaluation(
            _confusion(self.found, known),
            _confusion(unseen, known),
            len(self.found),
            len(unseen),
            self.networks,
            tuple(self.skipped),
        )


def _confusion(
    parts: list[tuple[bool, StringArray, StringArray]], known: frozenset[str]
) -> Confusion:
    true = np.concatenate([np.array([], np.str_), *(part[1] for part in parts)])
    called = np.concatenate([np.array([], np.str_), *(part[2] for part in parts)])
    labels = _in_order(set(true.tolist()))
    names = set(called.tolist()) | (known & set(labels))
    verdicts = (*_in_order(names - {UNKNOWN}), UNKNOWN)
    counts = np.array([[_both(true, t, called, c) for c in verdicts] for t in labels], np.int64)
    return Confusion(labels, verdicts, counts.reshape(len(labels), len(verdicts)), known)


def _in_order(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (name != NORMAL, name)))


def _both(true: NDArray[Any], label: str, called: NDArray[Any], verdict: str) -> int:
    return int(np.count_nonzero((true == label) & (called == verdict)))


def _read(folder: Path, capture: str, spec: WindowSpec) -> TrafficLog:
    log = read_series(folder / capture, bin_s=spec.bin_s)
    return TrafficLog(capture, log.series, log.n_packets, log.warnings)


def _shown_captures(model: Model) -> set[str]:
    """Return the captures of the training, held out or not, and those of the examples."""
    trained = set(TrainingHistory.load(model.bundle.history_path).capture.tolist())
    examples = model.library.prototypes(model.bundle.encoder_id)
    return trained | {one.source.get("capture", "") for one in examples} - {""}


def _is_in(capture: str, shown: set[str]) -> bool:
    """Return whether a capture was shown, under this path or one that ends in it."""
    return any(name == capture or name.endswith("/" + capture) for name in shown)


def _learn_given(
    folder: Path,
    intervals: Sequence[LabelledInterval],
    captures: Sequence[str],
    spec: WindowSpec,
) -> dict[str, FloatArray]:
    """Learn networks' baselines from captures: their normal intervals, or all of them."""
    values: dict[str, list[FloatArray]] = {}
    for capture in captures:
        mine = [one for one in intervals if one.capture == capture]
        network = mine[0].network if mine else network_of(capture)
        log = _read(folder, capture, spec)
        normal = [(one.start_ns, one.end_ns) for one in mine if one.label == NORMAL]
        values.setdefault(network, []).extend(_bins(log, normal))
    return {network: learn_baseline(np.concatenate(parts)) for network, parts in values.items()}


def _bins(log: TrafficLog, intervals: Sequence[tuple[int, int]]) -> list[FloatArray]:
    if not intervals:
        return [series.values for series in log.series]
    one_bin = WindowSpec(n_timesteps=1)
    return [
        series.values[window_starts(series, one_bin, stride=1, interval=interval)]
        for interval in intervals
        for series in log.series
    ]
