"""What the one-shot benchmark measures on: captures as series, windows, and folds."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import traffic_siamese
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.features.series import read_series
from traffic_siamese.labelled_logs import LabelledLogs
from traffic_siamese.labels import read_labels
from traffic_siamese.preparation import PreparedLog, labelled_windows, prepare
from traffic_siamese.scaling import Scaler
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    LabelledInterval,
    StringArray,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)
from traffic_siamese.windows import WindowSet

SPEC = WindowSpec()
ONE_BIN = WindowSpec(n_timesteps=1)


@dataclass(frozen=True, eq=False)
class Fold:
    """A network and some faults that training does not see.

    Attributes
    ----------
    network : str
        The one left out.
    source : str
        The trained network whose examples are the library, seen from the same side; empty where
        no other network of that side is there.
    trained : tuple of str
        Networks to train on.
    known, new : tuple of str
        Faults trained on, and left out.
    """

    network: str
    source: str
    trained: tuple[str, ...]
    known: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def name(self) -> str:
        """Network and first new fault: enough to tell folds apart."""
        return f"{self.network} without {', '.join(self.new)}"


@dataclass(frozen=True, eq=False)
class Corpus:
    """All captures, read; `windows` lie at the product's stride over features as read.

    Attributes
    ----------
    logs : dict of str to TrafficLog
        By the name in the labels.
    intervals : sequence of LabelledInterval
    baselines : dict of str to ndarray of shape (2, n_features), float32
        Normal of each network, learned from its baseline captures only.
    windows : WindowSet
        Every labelled window.
    is_baseline : ndarray of shape (n_windows,), bool
        Windows of captures that a baseline was learned from: never asked about.
    """

    logs: dict[str, TrafficLog]
    intervals: Sequence[LabelledInterval]
    baselines: dict[str, FloatArray]
    windows: WindowSet
    is_baseline: np.ndarray

    @property
    def labels(self) -> StringArray:
        """True label of each window."""
        return self.windows.label

    def rows(self, network: str, labels: Sequence[str]) -> np.ndarray:
        """Row numbers of a network's windows of some labels."""
        mine = (self.windows.network == network) & np.isin(self.labels, list(labels))
        return np.flatnonzero(mine)

    def inputs(self, scaler: Scaler) -> FloatArray:
        """Model inputs of all windows, (n_windows, n_timesteps, n_channels)."""
        seen_against = np.stack([self.baselines[str(n)] for n in self.windows.network], axis=1)
        return scaler.inputs(self.windows.gather(), seen_against[:, :, None])

    def network_of(self, capture: str) -> str:
        """Network that a capture was taken on."""
        return next(one.network for one in self.intervals if one.capture == capture)

    def other_captures(self, rows: np.ndarray, examples: np.ndarray) -> np.ndarray:
        """Mask of rows that share no capture with examples."""
        return ~np.isin(self.windows.capture[rows], self.windows.capture[examples])

    def apart(self, rows: np.ndarray, examples: np.ndarray) -> np.ndarray:
        """Mask of rows that share no bin with examples."""
        starts, captures = self.windows.start_bin, self.windows.capture
        near = np.abs(starts[rows, None] - starts[examples]) < self.windows.n_timesteps
        return ~(near & (captures[rows, None] == captures[examples])).any(axis=1)


def read_corpus(folder: Path, labels: Path, *, baseline_captures: str) -> Corpus:
    """Read every labelled capture; a network's normal comes from those with this in their name."""
    intervals = read_labels(labels)
    captures = dict.fromkeys(one.capture for one in intervals)
    logs = {capture: _cached_log(folder, capture) for capture in captures}
    return make_corpus(logs, intervals, baseline_captures=baseline_captures)


def make_corpus(
    logs: dict[str, TrafficLog], intervals: Sequence[LabelledInterval], *, baseline_captures: str
) -> Corpus:
    """Learn baselines and cut windows."""
    networks = {one.capture: one.network for one in intervals}
    raw = [_as_read(log, networks[name]) for name, log in logs.items()]
    bins = labelled_windows(raw, intervals, ONE_BIN, stride=1)
    teaches = np.char.find(bins.capture, baseline_captures) >= 0
    baselines = {}
    for network in sorted(set(networks.values())):
        mine = teaches & (bins.network == network) & (bins.label == NORMAL)
        if not mine.any():
            raise SystemExit(
                f"network {network}: no normal capture has {baseline_captures!r} in its name. "
                "Name one with --baseline."
            )
        baselines[network] = learn_baseline(bins.gather(np.flatnonzero(mine))[:, 0])
    windows = labelled_windows(raw, intervals, SPEC, stride=SPEC.stride)
    is_baseline = np.char.find(windows.capture, baseline_captures) >= 0
    return Corpus(logs, intervals, baselines, windows, is_baseline)


def training_logs(corpus: Corpus, fold: Fold, *, views: str) -> LabelledLogs:
    """Return what a fold trains on: its networks, its known faults and normal traffic."""
    wanted = {NORMAL, *fold.known}
    intervals = [
        one for one in corpus.intervals if one.network in fold.trained and one.label in wanted
    ]
    networks = {one.capture: one.network for one in intervals}
    raw = [_as_read(corpus.logs[name], network) for name, network in networks.items()]
    bins = labelled_windows(raw, intervals, ONE_BIN, stride=1)
    centers = np.stack([corpus.baselines[str(n)][0] for n in bins.network])
    scaler = Scaler.fit(bins.gather()[:, 0], centers, views=views)
    prepared = [
        prepare(corpus.logs[name], scaler, baseline=corpus.baselines[network], network=network)
        for name, network in networks.items()
    ]
    windows = labelled_windows(prepared, intervals, SPEC, stride=1)
    trained = {name: corpus.baselines[name] for name in fold.trained}
    return LabelledLogs(prepared, windows, trained, scaler, [])


def make_folds(
    corpus: Corpus, *, sides: Sequence[Sequence[str]], left_out: Sequence[str]
) -> list[Fold]:
    """Leave each network out with each half of the faults, taken in turns from their names."""
    faults = sorted(set(corpus.labels.tolist()) - {NORMAL})
    if len(faults) < 2:
        raise SystemExit(
            f"the labels name {len(faults)} fault, expected at least 2 to leave one out."
        )
    folds = []
    for half in range(2):
        for network in left_out:
            peers = [n for side in sides if network in side for n in side if n != network]
            trained = tuple(name for name in corpus.baselines if name != network)
            source = next((name for name in peers if name in trained), "")
            known, new = tuple(faults[1 - half :: 2]), tuple(faults[half::2])
            folds.append(Fold(network, source, trained, known, new))
    return folds


def _as_read(log: TrafficLog, network: str) -> PreparedLog:
    baseline = np.zeros((2, log.series[0].values.shape[1]), np.float32)
    return PreparedLog(log, baseline, tuple(one.values for one in log.series), network)


def _cached_log(folder: Path, capture: str) -> TrafficLog:
    """Read a capture, or what an earlier run kept of the same file read by the same code."""
    path = folder / capture
    stat = path.stat()
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {SPEC.bin_s} {_reader_version()}"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    kept = Path(tempfile.gettempdir()) / "traffic-siamese-benchmark" / f"{name}.npz"
    if not kept.exists():
        log = read_series(path, bin_s=SPEC.bin_s)
        arrays = {f"values_{i}": one.values for i, one in enumerate(log.series)}
        starts = np.array([one.start_ns for one in log.series], np.int64)
        names = np.array(log.series[0].feature_names)
        kept.parent.mkdir(exist_ok=True)
        whole = kept.with_suffix(f".{os.getpid()}.npz")
        np.savez(whole, starts=starts, names=names, n_packets=log.n_packets, **arrays)
        whole.replace(kept)  # in one step: a run that is broken off leaves no half of a file
    with np.load(kept, allow_pickle=False) as found:
        names = tuple(found["names"].tolist())
        series = tuple(
            TrafficSeries(found[f"values_{i}"], start, SPEC.bin_s, names)
            for i, start in enumerate(found["starts"].tolist())
        )
        return TrafficLog(capture, series, int(found["n_packets"]))


@cache
def _reader_version() -> str:
    """Digest of the code that turns captures into features."""
    package = Path(traffic_siamese.__file__).parent
    sources = [
        path
        for part in ("captures", "features", "native")
        for path in sorted((package / part).rglob("*.[pch]*"))
        if path.suffix in (".py", ".c", ".h")
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
