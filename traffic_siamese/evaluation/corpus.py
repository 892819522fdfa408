"""What a protocol is run on: labelled captures as series, windows, and each network's normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import estimate_baseline, learn_baseline
from traffic_siamese.errors import LabelError
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import schema_of
from traffic_siamese.labelled_reading import read_named_logs, see_alike
from traffic_siamese.labels import read_labels
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.preparation import PreparedLog, labelled_windows, prepare
from traffic_siamese.scaling import Scaler
from traffic_siamese.types import (
    NORMAL,
    FloatArray,
    Int64Array,
    LabelledInterval,
    StringArray,
    TrafficLog,
    WindowSpec,
)
from traffic_siamese.windows import WindowSet

ONE_BIN = WindowSpec(n_timesteps=1)


@dataclass(frozen=True, eq=False)
class Corpus:
    """All captures, read; `windows` lie at the product's stride over features as read.

    Attributes
    ----------
    logs : dict of str to TrafficLog
        By the name in the labels.
    intervals : sequence of LabelledInterval
    baselines : dict of str to ndarray of shape (2, n_features), float32
        Normal of each network.
    windows : WindowSet
        Every labelled window.
    is_baseline : ndarray of shape (n_windows,), bool
        Windows of captures set aside to learn a baseline from: never asked about.
    spec : WindowSpec
    skipped : tuple of str
        Why captures could not be used.
    notes : tuple of str
        What a reader of the figures must know.
    """

    logs: dict[str, TrafficLog]
    intervals: Sequence[LabelledInterval]
    baselines: dict[str, FloatArray]
    windows: WindowSet
    is_baseline: NDArray[np.bool_]
    spec: WindowSpec
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def schema(self) -> FeatureSchema:
        """What all captures are measured in."""
        return schema_of(next(iter(self.logs.values())))

    @property
    def labels(self) -> StringArray:
        """True label of each window."""
        return self.windows.label

    @property
    def faults(self) -> tuple[str, ...]:
        """Labels of windows other than normal, sorted."""
        return tuple(sorted(set(self.labels.tolist()) - {NORMAL}))

    def rows(self, network: str, labels: Sequence[str]) -> Int64Array:
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

    def other_captures(self, rows: Int64Array, examples: Int64Array) -> NDArray[np.bool_]:
        """Mask of rows that share no capture with examples."""
        return other_captures(self.windows, rows, examples)

    def apart(self, rows: Int64Array, examples: Int64Array) -> NDArray[np.bool_]:
        """Mask of rows that share no bin with examples."""
        return apart(self.windows, rows, examples)


def other_captures(windows: WindowSet, rows: Int64Array, examples: Int64Array) -> NDArray[np.bool_]:
    """Mask of rows that share no capture with examples."""
    return np.isin(windows.capture[rows], windows.capture[examples], invert=True)


def apart(windows: WindowSet, rows: Int64Array, examples: Int64Array) -> NDArray[np.bool_]:
    """Mask of rows that share no bin with examples."""
    starts, series = windows.start_bin, windows.series_index
    near = np.abs(starts[rows, None] - starts[examples]) < windows.n_timesteps
    return np.asarray(~(near & (series[rows, None] == series[examples])).any(axis=1), np.bool_)


def independent(windows: WindowSet, rows: Int64Array, examples: Int64Array) -> NDArray[np.bool_]:
    """Mask of rows that may be asked about: of other captures; where there is none, apart."""
    elsewhere = other_captures(windows, rows, examples)
    return elsewhere if elsewhere.any() else apart(windows, rows, examples)


def read_corpus(
    folder: str | Path,
    labels: str | Path,
    *,
    spec: WindowSpec,
    baseline_captures: Sequence[str] = (),
    reading: ReadOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Corpus:
    """Read every labelled capture; parameters as in `make_corpus`.

    ``reading`` says how tables are read.

    Raises
    ------
    LabelError
        If the labels are malformed, name no capture that can be read, or leave no window.
    """
    intervals = read_labels(labels)
    names = dict.fromkeys(one.capture for one in intervals)
    logs, skipped = read_named_logs(
        Path(folder), names, bin_s=spec.bin_s, options=reading, progress=progress
    )
    kept = [one for one in intervals if one.capture in logs]
    if not kept:
        raise no_window(labels, folder, skipped)
    return make_corpus(logs, kept, spec=spec, baseline_captures=baseline_captures, skipped=skipped)


def no_window(labels: str | Path, folder: str | Path, skipped: Sequence[str]) -> LabelError:
    """Say that there is nothing to measure on."""
    reason = f" First: {skipped[0]}" if skipped else ""
    return LabelError(
        f"{labels}: no labelled interval holds a window of a capture that can be read below "
        f"{folder}. Check the paths and times.{reason}"
    )


def make_corpus(
    logs: dict[str, TrafficLog],
    intervals: Sequence[LabelledInterval],
    *,
    spec: WindowSpec,
    baseline_captures: Sequence[str] = (),
    skipped: Sequence[str] = (),
) -> Corpus:
    """Learn baselines and cut windows.

    Parameters
    ----------
    logs : dict of str to TrafficLog
    intervals : sequence of LabelledInterval
        Of captures that are there.
    spec : WindowSpec
    baseline_captures : sequence of str
        Captures whose normal traffic is the normal of their network. A network that none is named
        for sets aside the first of its captures that show normal traffic alone, if it has two.
        Else all its normal traffic is taken, and a note says so.
    skipped : sequence of str
        Why other captures are missing.

    Raises
    ------
    LabelError
        If no interval holds a window.
    """
    networks = {one.capture: one.network for one in intervals}
    logs, notes = see_alike(logs, intervals)
    raw = [as_read(log, networks[name]) for name, log in logs.items()]
    bins = labelled_windows(raw, intervals, ONE_BIN, stride=1)
    windows = labelled_windows(raw, intervals, spec, stride=spec.stride)
    if not len(windows):
        raise LabelError(
            f"no labelled interval holds a window of {spec.n_timesteps} bins. "
            "Label longer intervals, or use a shorter --window."
        )
    teaching = list(baseline_captures)
    for network in dict.fromkeys(networks.values()):
        if not any(networks.get(name) == network for name in teaching):
            teaching += _set_aside(intervals, network)
    baselines = {
        network: _learn(logs, bins, network, teaching, notes)
        for network in sorted(set(networks.values()))
    }
    is_baseline = np.isin(windows.capture, teaching)
    return Corpus(
        logs, intervals, baselines, windows, is_baseline, spec, tuple(skipped), tuple(notes)
    )


def _set_aside(intervals: Sequence[LabelledInterval], network: str) -> list[str]:
    calm = calm_captures([one for one in intervals if one.network == network])
    return calm[:1] if len(calm) > 1 else []


def calm_captures(intervals: Sequence[LabelledInterval]) -> list[str]:
    """Return the captures that show normal traffic and nothing else, sorted."""
    faulty = {one.capture for one in intervals if one.label != NORMAL}
    return sorted({one.capture for one in intervals} - faulty)


def _learn(
    logs: dict[str, TrafficLog],
    bins: WindowSet,
    network: str,
    teaching: Sequence[str],
    notes: list[str],
) -> FloatArray:
    schema = schema_of(next(iter(logs.values())))
    mine = bins.network == network
    normal = mine & (bins.label == NORMAL)
    aside = normal & np.isin(bins.capture, list(teaching))
    if aside.any():
        return learn_baseline(bins.gather(np.flatnonzero(aside))[:, 0], schema)
    if normal.any():
        notes.append(
            f"network {network}: its normal was learned from all its normal traffic, which is "
            "asked about too. Two captures of nothing but normal traffic would let one be set "
            "aside."
        )
        return learn_baseline(bins.gather(np.flatnonzero(normal))[:, 0], schema)
    notes.append(
        f"network {network}: no interval is labelled normal; its normal was estimated from the "
        "calmest traffic of all its captures."
    )
    captures = set(bins.capture[mine].tolist())
    series = [one.values for name in sorted(captures) for one in logs[name].series]
    if not series:
        raise LabelError(
            f"network {network}: no labelled interval lies in its captures. Check the times (UTC)."
        )
    return estimate_baseline(np.concatenate(series), schema)


def as_read(log: TrafficLog, network: str) -> PreparedLog:
    """Take a log's features for its inputs, unscaled."""
    baseline = np.zeros((2, log.series[0].values.shape[1]), np.float32)
    return PreparedLog(log, baseline, tuple(one.values for one in log.series), network)


def prepare_all(corpus: Corpus, captures: Sequence[str], scaler: Scaler) -> list[PreparedLog]:
    """Scale captures with the normal of their networks."""
    networks = {one.capture: one.network for one in corpus.intervals}
    return [
        prepare(
            corpus.logs[name],
            scaler,
            baseline=corpus.baselines[networks[name]],
            network=networks[name],
        )
        for name in captures
    ]
