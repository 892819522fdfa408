"""How far normal traffic strays from normal, and how often: beyond what was seen, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import BundleError
from traffic_siamese.types import FloatArray

DAY_S = 86_400.0
_THRESHOLD_QUANTILE = 0.95
_LEAST_CLUSTERS = 10
_TINY = 1e-30  # of a distance: a threshold is positive
_SHAPES = (0.0, 0.5)
"""No end is put to the tail, and no infinite variance: few values cannot tell either."""
_MOST_WIDENED = 1.6
"""From 1.75 on, a fault among half an hour of normal traffic was missed, of 128."""
_MOST_STRETCHED = 3.0
"""What a user calls normal may be: twice and a half was seen on small networks."""
_MANY_BINS = 1800  # of normal traffic: the most grows with the root of how much more there is
_LEAST_BINS = 300  # some ten windows that do not overlap


@dataclass(frozen=True, slots=True)
class SpanTail:
    """Tail of the least distance to normal within so many windows in a row.

    Attributes
    ----------
    n_windows : int
        Windows in a row that are all at least so far from normal.
    threshold : float
        Distance from which on the tail holds; embedding units.
    per_day : float
        How often a day normal traffic passes the threshold; a stretch of overlapping windows
        beyond it counts once.
    scale, shape : float
        Of the generalised Pareto distribution of what such a stretch has beyond the threshold at
        its farthest; embedding units, and none.
    """

    n_windows: int
    threshold: float
    per_day: float
    scale: float
    shape: float

    def rate(self, distance: float) -> float:
        """How often a day normal traffic gets at least so far; inf where it always does."""
        if not distance > self.threshold:
            return np.inf
        beyond = (distance - self.threshold) / self.scale
        if self.shape == 0:
            return float(self.per_day * np.exp(-beyond))
        return float(self.per_day * (1 + self.shape * beyond) ** (-1 / self.shape))

    def distance(self, per_day: float) -> float:
        """Distance that normal traffic passes so often a day; at least the threshold."""
        ratio = max(self.per_day / per_day, 1.0)
        if self.shape == 0:
            return float(self.threshold + self.scale * np.log(ratio))
        return float(self.threshold + self.scale / self.shape * (ratio**self.shape - 1))


@dataclass(frozen=True, slots=True)
class NormalTail:
    """How often normal traffic gets how far from its own examples, and for how long.

    Attributes
    ----------
    stride : int
        Bins from one window to the next; the rates hold for windows looked at so often.
    hours : float
        Length of the normal traffic that it was learned from.
    spans : tuple of SpanTail
        From one window to several in a row.
    """

    stride: int
    hours: float
    spans: tuple[SpanTail, ...]

    def levels(self, per_day: float) -> tuple[float, ...]:
        """Distances at which an alarm is due, one a span, never rising.

        Every span may raise its part of the rate: together they raise no more than ``per_day``.

        Raises
        ------
        ValueError
            If the rate is not positive.
        """
        if not per_day > 0:
            raise ValueError(f"false alarms per day is {per_day}, expected a positive number")
        found = [span.distance(per_day / len(self.spans)) for span in self.spans]
        return tuple(np.minimum.accumulate(found).tolist())

    def rate(self, distances: Sequence[float]) -> float:
        """How often a day normal traffic raises what these least distances, one a span, raise."""
        pairs = zip(self.spans, distances, strict=False)
        return len(self.spans) * min((span.rate(least) for span, least in pairs), default=np.inf)

    def widened(self, distances: FloatArray) -> Self:
        """Return the tail of a network whose normal traffic lies farther from normal than usual.

        All distances of the tail grow by the ratio of the two 95 % quantiles, and never shrink: by
        1.6 at most in half an hour, where a fault may be part of it, to the threefold in two hours.
        Fewer than 300 bins of windows tell nothing.

        Parameters
        ----------
        distances : ndarray of shape (n_windows,), float32
            To the nearest normal example, of the network's normal windows at the tail's stride.
        """
        if len(distances) * self.stride < _LEAST_BINS:
            return self
        farther = farthest_normal(distances) / self.spans[0].threshold
        much = max(1.0, len(distances) * self.stride / _MANY_BINS)
        return self._times(min(farther, _MOST_WIDENED * much**0.5, _MOST_STRETCHED))

    def stretched(self, farthest: float) -> Self:
        """Return the tail of a network that is known to be normal up to a distance.

        As ``widened``, to the threefold at most.

        Parameters
        ----------
        farthest : float
            95 % quantile of the distances to the nearest normal example, in traffic of the network
            that is known to be normal; embedding units.
        """
        return self._times(min(farthest / self.spans[0].threshold, _MOST_STRETCHED))

    def _times(self, factor: float) -> Self:
        if not factor > 1:
            return self
        spans = (
            replace(span, threshold=factor * span.threshold, scale=factor * span.scale)
            for span in self.spans
        )
        return replace(self, spans=tuple(spans))

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what ``to_json`` wrote.

        Raises
        ------
        BundleError
            If a value is missing or out of range.
        """
        try:
            spans = tuple(_span(one) for one in data["spans"])
            stride, hours = int(data["stride"]), float(data["hours"])
            if stride < 1 or not hours > 0 or not spans:
                raise ValueError(f"stride {stride}, hours {hours}, {len(spans)} spans")
        except (KeyError, TypeError, ValueError) as err:
            raise BundleError(
                f"calibration: normal_tail: found {err}, expected stride, hours and spans, all "
                "positive. Train the model again."
            ) from err
        return cls(stride, hours, spans)


def _span(data: Any) -> SpanTail:
    numbers = {name: float(data[name]) for name in ("threshold", "per_day", "scale", "shape")}
    span = SpanTail(int(data["n_windows"]), **numbers)
    positive = (span.n_windows, span.threshold, span.per_day, span.scale)
    if not all(0 < value < np.inf for value in positive) or not 0 <= span.shape < 1:
        raise ValueError(f"a span {asdict(span)}")
    return span


def farthest_normal(distances: FloatArray) -> float:
    """How far normal traffic strays but for its farthest twentieth: where the tail begins."""
    return float(np.quantile(distances, _THRESHOLD_QUANTILE))


def fit_normal_tail(
    stretches: Sequence[FloatArray],
    *,
    stride: int,
    bin_s: float,
    n_timesteps: int,
    spans: Sequence[int],
) -> NormalTail | None:
    """Learn how often normal traffic strays how far.

    Peaks over threshold: what passes the 95 % quantile is put into clusters, apart by more than a
    window, since windows that overlap stray together; the clusters' farthest values beyond the
    threshold have a generalised Pareto distribution, fitted by probability-weighted moments, its
    shape kept between 0 and 0.5. A table of quantiles could not be used here: one alarm a day is
    far beyond what hours of normal traffic show.

    Parameters
    ----------
    stretches : sequence of ndarray of shape (n_windows,), float32
        Distances to the nearest normal example, of windows that follow each other.
    stride : int
        Bins from one window to the next.
    bin_s : float
        Length of a bin, seconds.
    n_timesteps : int
        Bins in a window.
    spans : sequence of int
        Windows in a row to learn of.

    Returns
    -------
    NormalTail or None
        None where there is too little: fewer than 10 clusters of single windows.

    References
    ----------
    Coles 2001, An Introduction to Statistical Modeling of Extreme Values, chapters 4 and 5
    (declustering in section 5.3). Hosking, Wallis 1987, Parameter and Quantile Estimation for the
    Generalized Pareto Distribution, Technometrics 29 (probability-weighted moments).
    """
    hours = sum(len(one) for one in stretches) * stride * bin_s / 3600
    tails = []
    for n_windows in spans:
        least = [_least_in_a_row(one, n_windows) for one in stretches]
        tail = _fit_span(least, n_windows, days=hours / 24, gap=-(-n_timesteps // stride))
        if tail is not None:
            tails.append(tail)
    return NormalTail(stride, hours, tuple(tails)) if tails and tails[0].n_windows == 1 else None


def _least_in_a_row(distances: FloatArray, n_windows: int) -> FloatArray:
    if len(distances) < n_windows:
        return distances[:0]
    least: FloatArray = np.lib.stride_tricks.sliding_window_view(distances, n_windows).min(axis=1)
    return least


def _fit_span(
    least: Sequence[FloatArray], n_windows: int, *, days: float, gap: int
) -> SpanTail | None:
    values = np.concatenate(least) if least else np.zeros(0, np.float32)
    if not len(values):
        return None
    threshold = max(farthest_normal(values), _TINY)
    peaks = [peak for one in least for peak in _peaks(one, threshold, gap)]
    if len(peaks) < _LEAST_CLUSTERS:
        return None
    scale, shape = fit_pareto(np.array(peaks) - threshold)
    return SpanTail(n_windows, threshold, len(peaks) / days, scale, shape)


def _peaks(distances: FloatArray, threshold: float, gap: int) -> list[float]:
    """Farthest value of each cluster; clusters lie more than ``gap`` windows apart."""
    beyond = np.flatnonzero(distances > threshold)
    clusters = np.split(beyond, np.flatnonzero(np.diff(beyond) > gap) + 1)
    return [float(distances[cluster].max()) for cluster in clusters if len(cluster)]


def fit_pareto(excesses: NDArray[np.floating]) -> tuple[float, float]:
    """Fit a generalised Pareto distribution by probability-weighted moments.

    Parameters
    ----------
    excesses : ndarray of shape (n,), > 0, n >= 2

    Returns
    -------
    scale, shape : float
        The shape is kept between 0 and 0.5; the scale then keeps the mean.
    """
    x = np.sort(np.asarray(excesses, np.float64))
    weight = 1 - (np.arange(1, len(x) + 1) - 0.35) / len(x)
    mean, weighted = float(x.mean()), float(np.mean(weight * x))
    shape = float(np.clip(2 - mean / (mean - 2 * weighted), *_SHAPES))
    return mean * (1 - shape), shape
