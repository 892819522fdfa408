"""What the one-shot benchmark measures on: captures read once and kept, windows, folds."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

import traffic_siamese
from traffic_siamese.evaluation import corpus as general
from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.folds import Fold, make_folds, training_logs
from traffic_siamese.features.series import read_series
from traffic_siamese.labels import read_labels
from traffic_siamese.types import (
    NORMAL,
    LabelledInterval,
    TrafficLog,
    TrafficSeries,
    WindowSpec,
)

__all__ = ["SPEC", "Corpus", "Fold", "make_corpus", "make_folds", "read_corpus", "training_logs"]

SPEC = WindowSpec()


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
    normal = [one for one in intervals if one.label == NORMAL and baseline_captures in one.capture]
    for network in sorted({one.network for one in intervals}):
        if not any(one.network == network for one in normal):
            raise SystemExit(
                f"network {network}: no normal capture has {baseline_captures!r} in its name. "
                "Name one with --baseline."
            )
    names = list(dict.fromkeys(one.capture for one in normal))
    return general.make_corpus(logs, intervals, spec=SPEC, baseline_captures=names)


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
