"""How long a stretch of traffic it takes to learn a network's normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import MIN_BINS, deviation, learn_baseline
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import SIGNALLING
from traffic_siamese.types import FloatArray

TOLERANCE = 0.25
_SURE = 0.9  # of the stretches of a length
_N_STRETCHES = 16
_GROWTH = 2**0.5
_LONGEST_BINS = 3600


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Whether a stretch was long enough.

    Attributes
    ----------
    n_bins : int
        What was given.
    needed_bins : int or None
        What is enough: nine in ten stretches of this length have every feature's centre within
        the tolerance of that of all the traffic there could be. None where less than 60 bins
        were given, which tell nothing about longer ones.
    deviation : float
        How far the stretch itself is expected to be off, in the same way; in units of spread
        (see ``baseline.deviation``). NaN where ``needed_bins`` is None.
    """

    n_bins: int
    needed_bins: int | None
    deviation: float

    @property
    def is_enough(self) -> bool:
        """Whether the stretch is as long as is needed."""
        return self.needed_bins is not None and self.needed_bins <= self.n_bins


def measure_steadiness(
    values: FloatArray, schema: FeatureSchema = SIGNALLING, *, tolerance: float = TOLERANCE
) -> Steadiness:
    """Measure how long a stretch had to be for its baseline to hold.

    Shorter stretches are cut from the one that is given, up to half of it, and each one's centre
    is compared with that of the whole, feature by feature; the worst feature counts. Stretches
    are not drawn bin by bin: traffic comes in waves, and neighbouring bins tell little new. A
    part shares its bins with the whole, which makes it look nearer than it would be to other
    traffic: by sqrt(1 - length / n_bins), which is taken out again. Beyond half of the whole,
    deviations are taken to shrink with the square root of the length.

    What does not vary within the stretch is not seen: the difference of day and night in ten
    minutes, say.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32
        Normal traffic, in time order.
    schema : FeatureSchema
    tolerance : float, > 0
        How far off a baseline may be, in units of spread.

    References
    ----------
    Politis, Romano 1994, Large sample confidence regions based on subsamples under minimal
    assumptions, section 2 (stretches instead of bins).
    """
    lengths = _lengths(len(values))
    if not len(lengths):
        return Steadiness(len(values), None, float("nan"))
    whole = learn_baseline(values, schema)
    off = np.array(
        [_typical_deviation(values, whole, length, schema) for length in lengths.tolist()]
    )
    last = float(off[-1] * np.sqrt(lengths[-1]))  # deviation x sqrt(length) does not change
    within = np.flatnonzero(off > tolerance)
    if not len(within):
        needed = int(lengths[0])
    elif within[-1] + 1 < len(lengths):
        needed = int(lengths[within[-1] + 1])
    else:
        needed = int(np.ceil((last / tolerance) ** 2))
    return Steadiness(len(values), needed, last / float(np.sqrt(len(values))))


def _lengths(n_bins: int) -> NDArray[np.int64]:
    """Lengths from the least of a baseline to half of what there is, each 1.4 times the last."""
    longest = min(n_bins // 2, _LONGEST_BINS)
    if longest < MIN_BINS:
        return np.empty(0, np.int64)
    steps = np.arange(np.floor(np.log(longest / MIN_BINS) / np.log(_GROWTH) + 1e-9) + 1)
    return np.round(MIN_BINS * _GROWTH**steps).astype(np.int64)


def _typical_deviation(
    values: FloatArray, whole: FloatArray, length: int, schema: FeatureSchema
) -> float:
    """Deviation of the worst feature that nine in ten stretches of a length stay within."""
    starts = np.unique(np.linspace(0, len(values) - length, _N_STRETCHES).round().astype(np.int64))
    worst = [
        np.abs(deviation(learn_baseline(values[start : start + length], schema)[0], whole)).max()
        for start in starts.tolist()
    ]
    return float(np.quantile(worst, _SURE) / np.sqrt(1 - length / len(values)))
