"""How far normal traffic strays from its examples, on the training's networks and on others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from traffic_siamese.labelled_logs import LabelledLogs
from traffic_siamese.oneshot.nearest import nearest_labels
from traffic_siamese.oneshot.tail import NormalTail, fit_normal_tail
from traffic_siamese.simulate.elsewhere import carried_elsewhere
from traffic_siamese.types import NORMAL, FloatArray, WindowSpec
from traffic_siamese.windows import WindowSet

_MOVES = (2, 16)  # other networks that each stretch is seen on: more, the less traffic there is
_ENOUGH_H = 2.0
_ECHO = 4  # window lengths after a fault that are not called normal traffic
_LOOKS = 4  # at the windows, in the stride of the verdicts
_BLOCK = 2048
_STRAYING = 2  # sets the chance here apart from that of training


def watch_stride(spec: WindowSpec) -> int:
    """Bins between the windows that are looked at for an alarm: about a quarter of the stride."""
    return max(n for n in range(1, max(1, spec.stride // _LOOKS) + 1) if spec.stride % n == 0)


def learn_normal_tail(
    data: LabelledLogs,
    normal: FloatArray,
    embed: Callable[[FloatArray], FloatArray],
    spec: WindowSpec,
    *,
    seed: int,
) -> NormalTail | None:
    """Learn how often normal traffic gets how far from normal on a network not trained on.

    Every labelled stretch of normal traffic is carried over to other networks, as training's
    virtual windows are, and walked through. Of few captures more networks are drawn, two hours in
    all if sixteen can give them: a tail of the same few minutes over and over is a coarse one, but
    without any, near silence is as good as normal. What follows a fault, or traffic without a
    label, within four windows is left out: some faults echo.

    Parameters
    ----------
    data : LabelledLogs
    normal : ndarray of shape (n_prototypes, embedding_dim), float32
        Examples of normal traffic.
    embed : callable
        From (n, n_timesteps, n_channels) to (n, embedding_dim).
    spec : WindowSpec
    seed : int

    Returns
    -------
    NormalTail or None
        None where there is no example, or too little normal traffic.
    """
    if not len(normal):
        return None
    rng = np.random.default_rng([seed, _STRAYING])
    stride = watch_stride(spec)
    distances = [
        _distances(values, normal, embed, n_timesteps=spec.n_timesteps, stride=stride)
        for values in _elsewhere(data, rng, bin_s=spec.bin_s)
    ]
    lasting = (0, spec.stride, 2 * spec.stride, spec.n_timesteps)
    return fit_normal_tail(
        distances,
        stride=stride,
        bin_s=spec.bin_s,
        n_timesteps=spec.n_timesteps,
        spans=[bins // stride + 1 for bins in lasting],
    )


def _elsewhere(
    data: LabelledLogs, rng: np.random.Generator, *, bin_s: float
) -> Iterator[FloatArray]:
    """Model inputs, (n_bins, n_channels), of stretches of normal traffic on other networks."""
    logs = [(log, series.values) for log in data.prepared for series in log.log.series]
    stretches = list(normal_stretches(data.windows))
    hours = sum(last - first for _, first, last in stretches) * bin_s / 3600
    least, most = _MOVES
    # Tables move so far that a tail of few rows would let no fault raise anything.
    most = least if data.scaler.schema.is_table else most
    n_moves = int(np.clip(np.ceil(_ENOUGH_H / max(hours, 1e-9)), least, most))
    for index, first, last in stretches:
        log, values = logs[index]
        for _ in range(n_moves):
            stretch = values[None, first:last]
            moved, baseline = carried_elsewhere(stretch, log.baseline, data.scaler.schema, rng)
            yield data.scaler.inputs(moved[0], baseline)


def normal_stretches(windows: WindowSet) -> Iterator[tuple[int, int, int]]:
    """Yield series, first bin and end of each stretch of normal traffic.

    Parameters
    ----------
    windows : WindowSet
        Every labelled window, at a stride of one bin.
    """
    for index in np.unique(windows.series_index):
        mine = windows.series_index == index
        first = windows.start_bin[mine].min()
        starts = np.sort(windows.start_bin[mine & (windows.label == NORMAL)])
        for run in np.split(starts, np.flatnonzero(np.diff(starts) > 1) + 1):
            # What comes before a later stretch is a fault, or nobody says what it is.
            kept = run if not len(run) or run[0] == first else run[_ECHO * windows.n_timesteps :]
            if len(kept):
                yield int(index), int(kept[0]), int(kept[-1]) + windows.n_timesteps


def _distances(
    inputs: FloatArray,
    normal: FloatArray,
    embed: Callable[[FloatArray], FloatArray],
    *,
    n_timesteps: int,
    stride: int,
) -> FloatArray:
    """Distance of each window of a stretch to the nearest normal example."""
    windows = np.lib.stride_tricks.sliding_window_view(inputs, n_timesteps, axis=0)[::stride]
    parts = [
        nearest_labels(
            embed(np.ascontiguousarray(windows[i : i + _BLOCK].transpose(0, 2, 1))),
            normal,
            np.zeros(len(normal), np.int64),
            1,
        )
        for i in range(0, len(windows), _BLOCK)
    ]
    return np.asarray(np.concatenate(parts)[:, 0], np.float32)
