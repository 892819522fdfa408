"""Whether the features that a reason names are those that the encoder goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.evaluation.intervals import Interval, bootstrap
from traffic_siamese.evaluation.judged import Judged
from traffic_siamese.explanation.comparison import Comparison, compare
from traffic_siamese.explanation.explain import Explainer
from traffic_siamese.explanation.occlusion import Channels, Occlusion
from traffic_siamese.explanation.topics import Topic
from traffic_siamese.types import NORMAL, Int64Array

NAMED = "named in the reason"
DEVIATING = "farthest from normal"
RANDOM_CHANGED = "random, of those that changed"
RANDOM = "random"
_WINDOWS = 4  # of each fault in each capture
_DRAWS = 10


@dataclass(frozen=True, slots=True)
class Telling:
    """How much some features tell, as means over windows with intervals over captures.

    Attributes
    ----------
    removed : Interval
        Share of a window's distance to the nearest example of ``normal`` that goes when these
        features are set to normal. Negative: it is farther away without them.
    alone : Interval
        Share of the distance from normal to the window that is gone when these features alone are
        as in the window, and all others normal.
    n_features : float
        How many they are, on average.
    """

    removed: Interval
    alone: Interval
    n_features: float


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What features tell, by how they were chosen.

    Attributes
    ----------
    rows : dict of str to Telling
        For those that the reason names, as many topics by their deviation from normal alone, as
        many random topics of those that changed, and as many random features of all.
    gained : Interval
        How much more is removed with the named features than with those farthest from normal,
        window by window.
    ahead : float
        Share of the windows that come nearer to normal without the named features than without
        random ones that changed.
    n_windows, n_captures : int
    """

    rows: dict[str, Telling]
    gained: Interval
    ahead: float
    n_windows: int
    n_captures: int


def faithfulness(judged: Judged, *, rng: np.random.Generator) -> Faithfulness | None:
    """Set features of windows of faults to normal, and look how far that takes them back.

    Parameters
    ----------
    judged : Judged
        At most four windows of each fault in each capture are asked about, at even steps; those
        of which no feature changed cannot be.
    rng : numpy.random.Generator

    Returns
    -------
    Faithfulness or None
        None where no window can be asked about.

    References
    ----------
    Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned, IEEE
    TNNLS 28, section III (removing what is named first).
    DeYoung et al. 2020, ERASER, ACL, section 4 (comprehensiveness: without; sufficiency: alone).
    """
    asked = _Asked(judged, rng)
    captures = [asked.capture(rows) for rows in _rows_by_capture(judged)]
    captures = [one for one in captures if one]
    if not captures:
        return None
    names = (NAMED, DEVIATING, RANDOM_CHANGED, RANDOM)
    rows = {name: _telling([[w[name] for w in one] for one in captures], rng) for name in names}
    windows = [window for one in captures for window in one]
    gains = [[window[NAMED][0] - window[DEVIATING][0] for window in one] for one in captures]
    ahead = np.mean([window[NAMED][0] > window[RANDOM_CHANGED][0] for window in windows])
    gained = bootstrap(gains, rng=rng)
    return Faithfulness(rows, gained, float(ahead), len(windows), len(captures))


_Figures = dict[str, tuple[float, float, float]]
"""Of one window, by how features are chosen: removed, alone, number of features."""


def _telling(captures: list[list[tuple[float, float, float]]], rng: np.random.Generator) -> Telling:
    removed, alone = (
        bootstrap([[window[i] for window in one] for one in captures], rng=rng) for i in (0, 1)
    )
    n_features = np.mean([window[2] for one in captures for window in one])
    return Telling(removed, alone, float(n_features))


def _rows_by_capture(judged: Judged) -> list[Int64Array]:
    """Return windows of faults, some of each fault in each capture."""
    windows, chosen = judged.windows, []
    for capture in judged.captures:
        mine = (windows.capture == capture) & (windows.label != NORMAL)
        parts = []
        for label in np.unique(windows.label[mine]):
            rows = np.flatnonzero(mine & (windows.label == label))
            steps = (np.arange(_WINDOWS) + 0.5) * len(rows) / _WINDOWS
            parts.append(rows[np.unique(steps.astype(np.int64))])
        if parts:
            chosen.append(np.concatenate(parts))
    return chosen


class _Asked:
    """Asks windows one by one."""

    def __init__(self, judged: Judged, rng: np.random.Generator) -> None:
        self.judged, self.rng = judged, rng
        self.explainer = Explainer(judged.model)
        self.series = [series for log in judged.logs for series in log.log.series]
        self.baselines = [log.baseline for log in judged.logs for _ in log.log.series]

    def capture(self, rows: Int64Array) -> list[_Figures]:
        """Return the figures of windows of one capture."""
        found = [self._window(row) for row in rows.tolist()]
        return [one for one in found if one is not None]

    def _window(self, row: int) -> _Figures | None:
        windows = self.judged.windows
        index, start = int(windows.series_index[row]), int(windows.start_bin[row])
        values = self.series[index].values[start : start + windows.n_timesteps]
        baseline = self.baselines[index]
        seen = compare(values, baseline, self.explainer.schema)
        changed = seen.changed_topics()
        if not changed:
            return None
        inputs = windows.gather(np.array([row]))
        named = self.explainer.topics(inputs, baseline, seen)
        return self._figures(self.explainer.occlusion(inputs, baseline), seen, named)

    def _figures(self, occlusion: Occlusion, seen: Comparison, named: Sequence[Topic]) -> _Figures:
        changed, channels = seen.changed_topics(), self.explainer.channels
        n_features = sum(len(topic.columns) for topic in named)
        among_changed = [
            channels(*(changed[i] for i in self._draw(len(changed), len(named))))
            for _ in range(_DRAWS)
        ]
        of_all = [self._columns(self._draw(len(seen.schema), n_features)) for _ in range(_DRAWS)]
        return {
            NAMED: self._means(occlusion, [channels(*named)]),
            DEVIATING: self._means(occlusion, [channels(*changed[: len(named)])]),
            RANDOM_CHANGED: self._means(occlusion, among_changed),
            RANDOM: self._means(occlusion, of_all),
        }

    def _draw(self, n: int, n_drawn: int) -> NDArray[np.int64]:
        return self.rng.choice(n, n_drawn, replace=False)

    def _columns(self, columns: NDArray[np.int64]) -> Channels:
        n_blocks, n_features = self.judged.model.scaler.n_channels_each, len(self.explainer.schema)
        return np.concatenate([columns + block * n_features for block in range(n_blocks)])

    def _means(self, occlusion: Occlusion, sets: list[Channels]) -> tuple[float, float, float]:
        n_each = self.judged.model.scaler.n_channels_each
        return (
            float(occlusion.removed(sets).mean()),
            float(occlusion.alone(sets).mean()),
            float(np.mean([len(one) / n_each for one in sets])),
        )
