"""Labelled captures as a model sees them: windows, embeddings, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.alarms import looks
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.errors import CaptureError, WindowError
from traffic_siamese.evaluation.corpus import ONE_BIN, no_window
from traffic_siamese.evaluation.one_example import Library
from traffic_siamese.evaluation.watching import verdicts_of
from traffic_siamese.history import TrainingHistory
from traffic_siamese.labels import network_of, read_labels
from traffic_siamese.model import Model
from traffic_siamese.oneshot.recognition import Recognition, recognise
from traffic_siamese.preparation import (
    PreparedLog,
    all_windows,
    labelled_windows,
    prepare,
    window_starts,
)
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    LabelledInterval,
    StringArray,
    TrafficLog,
    Verdict,
)
from traffic_siamese.windows import WindowSet

GIVEN, STORED, ESTIMATED = "learned from the captures given", "of the model", "estimated per log"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Labelled captures, classified.

    Attributes
    ----------
    model : Model
    intervals : sequence of LabelledInterval
        Of the captures that were classified.
    windows : WindowSet
        Windows, as model inputs, that lie wholly in a labelled interval.
    embeddings : ndarray of shape (n_windows, embedding_dim), float32
    called : ndarray of shape (n_windows,), str
    verdicts : dict of str to list of Verdict
        Of all windows of each capture, labelled or not.
    shown : frozenset of str
        Captures that the model was shown: in training, held out or not, or as an example.
    networks : dict of str to str
        Where each network's baseline came from.
    skipped : tuple of str
        Why captures could not be used.
    logs : tuple of PreparedLog
        What was read, in the order of the windows' series.
    """

    model: Model
    intervals: Sequence[LabelledInterval]
    windows: WindowSet
    embeddings: FloatArray
    called: StringArray
    verdicts: dict[str, list[Verdict]]
    shown: frozenset[str]
    networks: dict[str, str]
    skipped: tuple[str, ...]
    logs: tuple[PreparedLog, ...]

    @property
    def captures(self) -> list[str]:
        """Captures with labelled windows, sorted."""
        return sorted(set(self.windows.capture.tolist()))

    def library(self) -> Library:
        """Return the model's examples, with the captures that they are from."""
        bundle, captures = self.model.bundle, self.captures
        sources = [
            one.source.get("capture", "")
            for one in self.model.library.prototypes(bundle.encoder_id)
        ]
        named = [next((c for c in captures if _is_same(s, c)), "") for s in sources]
        return Library(
            self.model.prototypes,
            self.model.prototype_labels,
            np.array(named, np.str_),
            bundle.info.calibration,
        )


def judge(
    folder: Path,
    labels: str | Path,
    model: Model,
    *,
    normal_captures: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Classify all windows of labelled captures; parameters and errors as in `evaluate`."""
    spec, intervals = model.bundle.info.window, read_labels(labels)
    given = learn_given(folder, intervals, normal_captures, model)
    captures = [c for c in dict.fromkeys(i.capture for i in intervals) if c not in normal_captures]
    reader = _Reader(folder, model, given)
    for number, capture in enumerate(captures, 1):
        mine = next(one for one in intervals if one.capture == capture)
        reader.take(capture, mine.network)
        if progress is not None:
            progress(number, len(captures))
    kept = [one for one in intervals if one.capture in reader.prepared]
    logs = list(reader.prepared.values())
    windows = labelled_windows(logs, kept, spec, stride=spec.stride)
    for name in reader.prepared:
        if name not in windows.capture:
            reader.skipped.append(f"{name}: no labelled interval in it holds a window.")
    if not len(windows):
        raise no_window(labels, folder, reader.skipped)
    embeddings = model.encoder.embed(windows.gather())
    return Judged(
        model,
        kept,
        windows,
        embeddings,
        _recognise(model, embeddings).label,
        {log.log.name: _verdicts(model, log) for log in logs},
        _shown(model, windows),
        reader.networks,
        tuple(reader.skipped),
        tuple(logs),
    )


class _Reader:
    """Reads captures one by one and scales them as the model wants them."""

    def __init__(self, folder: Path, model: Model, given: dict[str, FloatArray]) -> None:
        self.folder, self.model, self.given = folder, model, given
        self.networks: dict[str, str] = dict.fromkeys(given, GIVEN)
        self.prepared: dict[str, PreparedLog] = {}
        self.skipped: list[str] = []

    def take(self, capture: str, network: str) -> None:
        """Read one capture."""
        try:
            log = replace(self.model.read(self.folder / capture), name=capture)
        except CaptureError as err:
            self.skipped.append(str(err))
            return
        baseline = self._baseline(network)
        self.prepared[capture] = prepare(log, self.model.scaler, baseline=baseline, network=network)

    def _baseline(self, network: str) -> FloatArray | None:
        if network in self.given:
            return self.given[network]
        stored = network in self.model.library.networks()
        self.networks[network] = STORED if stored else ESTIMATED
        return self.model.baseline_of(network) if stored else None


def _recognise(model: Model, embeddings: FloatArray) -> Recognition:
    return recognise(
        embeddings, model.prototypes, model.prototype_labels, model.bundle.info.calibration
    )


def _verdicts(model: Model, log: PreparedLog) -> list[Verdict]:
    spec = model.bundle.info.window
    try:
        windows = all_windows(log, looks(model.bundle.info.calibration.normal_tail, spec))
    except WindowError:  # too short for one; its labelled windows are told to be missing
        return []
    embeddings = model.encoder.embed(windows.gather())
    found = _recognise(model, embeddings)
    return verdicts_of(log.log.name, windows.start_ns, embeddings, found, spec)


def _shown(model: Model, windows: WindowSet) -> frozenset[str]:
    """Return captures of the training, held out or not, and those of the examples."""
    trained = set(TrainingHistory.load(model.bundle.history_path).capture.tolist())
    examples = model.library.prototypes(model.bundle.encoder_id)
    names = trained | {one.source.get("capture", "") for one in examples}
    captures = np.unique(windows.capture).tolist()
    return frozenset(c for c in captures if any(_is_same(name, c) for name in names))


def _is_same(name: str, capture: str) -> bool:
    """Return whether a capture was shown under this path, or one that ends in it."""
    return name == capture or name.endswith("/" + capture)


def learn_given(
    folder: Path,
    intervals: Sequence[LabelledInterval],
    captures: Sequence[str],
    model: Model,
) -> dict[str, FloatArray]:
    """Learn networks' baselines from captures: their normal intervals, or all of them."""
    values: dict[str, list[FloatArray]] = {}
    for capture in captures:
        mine = [one for one in intervals if one.capture == capture]
        network = mine[0].network if mine else network_of(capture)
        log = model.read(folder / capture)
        normal = [(one.start_ns, one.end_ns) for one in mine if one.label == NORMAL]
        values.setdefault(network, []).extend(_bins(log, normal))
    return {
        network: learn_baseline(np.concatenate(parts), model.schema)
        for network, parts in values.items()
    }


def _bins(log: TrafficLog, intervals: Sequence[tuple[int, int]]) -> list[FloatArray]:
    if not intervals:
        return [series.values for series in log.series]
    return [
        series.values[window_starts(series, ONE_BIN, stride=1, interval=interval)]
        for interval in intervals
        for series in log.series
    ]


def is_shown(judged: Judged) -> NDArray[np.bool_]:
    """Mask of windows of captures that the model was shown."""
    return np.isin(judged.windows.capture, list(judged.shown))
