"""Whether a network has moved away from the normal that was learned of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import (
    FAILURES,
    MIN_BINS,
    as_measured,
    calmest_bins,
    deviation,
    learn_baseline,
    log_view,
)
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES, N_COUNTERS, SIGNALLING, schema_of
from traffic_siamese.preparation import PreparedLog
from traffic_siamese.reasons import change_words, largest_changes
from traffic_siamese.times import format_time
from traffic_siamese.types import FloatArray, TrafficLog

LIMIT = 1.5
"""Deviation from which on a feature has moved, in units of spread.

Measured on three networks, 75 captures: the calm part of a capture of the same network stays
within 0.65, a minute of its normal traffic within 1.25; another network's reaches 3 and more.
"""
LOAD_LIMIT = 3.0
"""How many times as much traffic, or as little, is no ordinary swing of the load."""
_SILENCE = 0.1
_EXTRA_FAILURES = 0.02  # per request
_LEAST_RATE = 0.3  # per bin: rarer things do not tell the load
_FEW_BINS = 10  # before a change: fewer do not tell that there was one
_N_NAMED = 3
_COUNTED = np.arange(len(SIGNALLING)) < 2 * N_COUNTERS
_GROWS_WITH_LOAD = ("idle_share", "endpoints", "busiest", "entropy", "targets")
_JUDGED = np.array([not any(part in name for part in _GROWS_WITH_LOAD) for name in FEATURE_NAMES])
"""What a busier hour alone does not change, once counts are scaled to the load."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a network has moved.

    Attributes
    ----------
    changes : tuple of str
        What moved, from which value to which and by how many spreads; most first.
    n_moved : int
        Features that moved; some tell one story and are not named.
    load : float
        How many times as much traffic there is.
    since_ns : int or None
        From when on; None where the log shows nothing else: since its start, or before.
    """

    changes: tuple[str, ...]
    n_moved: int
    load: float
    since_ns: int | None

    def words(self, network: str) -> str:
        """Say it in one line, without what to do about it."""
        since = "its start" if self.since_ns is None else format_time(self.since_ns)
        named = list(self.changes[:_N_NAMED])
        if not 1 / LOAD_LIMIT <= self.load <= LOAD_LIMIT:
            named.insert(0, f"{self.load:.2g} times the traffic")
        more = f"; {self.n_moved} features moved" if self.n_moved > len(self.changes) else ""
        return (
            f"since {since} the calm traffic does not fit the baseline of network {network!r}: "
            f"{'; '.join(named)}{more}"
        )


def find_drift(log: TrafficLog, baseline: FloatArray) -> Drift | None:
    """Compare the calm part of a log with what was learned of its network.

    A fault does not count: only the calmest bins are looked at, and nothing is said where even
    these are full of failures, or nearly silent. Nor does a busier or quieter hour: counts are
    compared after scaling the baseline to the load of the log.

    A log that is slow or flooded from its first second to its last cannot be told from a network
    that has changed.

    Parameters
    ----------
    log : TrafficLog
    baseline : ndarray of shape (2, n_features), float32
        The network's stored normal.

    Returns
    -------
    Drift or None
        None where the network has not moved, or the log does not tell: it has less than 60
        bins, or no calm part.
    """
    schema = schema_of(log)
    values = np.concatenate([series.values for series in log.series])
    if len(values) < 2 * MIN_BINS:
        return None
    calm = calmest_bins(values, schema)
    seen = learn_baseline(values[calm], schema)[0]
    load = _load(seen, baseline[0], schema)
    if load < _SILENCE or _fails(seen, baseline[0], schema):
        return None
    expected = np.stack([_at_load(baseline[0], load, schema), baseline[1]])
    away = deviation(seen, expected)
    is_judged = np.ones(len(schema), np.bool_) if schema.is_table else _JUDGED
    weight = np.where(is_judged & (np.abs(away) >= LIMIT), np.abs(away), 0)
    n_moved = int(np.count_nonzero(weight))
    if not n_moved and 1 / LOAD_LIMIT <= load <= LOAD_LIMIT:
        return None
    moved = largest_changes(weight, schema)
    changes = (f"{change_words(i, expected[0], seen, schema)} ({away[i]:+.1f})" for i in moved)
    course = deviation(log_view(values[calm], schema), expected)[:, moved]
    since_ns = _since(log, calm, course, away[moved])
    return Drift(tuple(changes), n_moved, load, since_ns)


def drift_warnings(prepared: PreparedLog, *, model: str | Path) -> list[str]:
    """Say in one line that a log's network has left its stored baseline; nothing if it has not.

    Nothing is said of a log whose baseline was estimated from itself.
    """
    drift = find_drift(prepared.log, prepared.baseline) if prepared.network else None
    if drift is None:
        return []
    name, network = prepared.log.name, prepared.network
    words = ("baseline", name, "--network", network, "--model", str(model))
    return [
        f"{name}: {drift.words(network)}. If this is normal now, learn it again: "
        f"traffic-siamese {shlex.join(words)}"
    ]


def _counted(schema: FeatureSchema) -> NDArray[np.bool_]:
    return schema.is_count if schema.is_table else _COUNTED


def _load(seen: NDArray[np.floating], center: NDArray[np.floating], schema: FeatureSchema) -> float:
    """Median ratio of the counts that were common: one kind of traffic alone does not move it."""
    now, then = as_measured(seen, schema), as_measured(center, schema)
    common = _counted(schema) & (then >= _LEAST_RATE)
    if not common.any():
        return 1.0
    return float(np.median(now[common] / then[common]))


def _at_load(
    center: NDArray[np.floating], load: float, schema: FeatureSchema
) -> NDArray[np.float64]:
    """Centre of a network's normal when there is so much more traffic of every kind."""
    floors = schema.floors.astype(np.float64)
    scaled = load * as_measured(center, schema) / floors
    view = np.where(schema.is_linear, scaled, np.log1p(np.maximum(scaled, 0)))
    return np.where(_counted(schema), view, center)


def _fails(seen: NDArray[np.floating], center: NDArray[np.floating], schema: FeatureSchema) -> bool:
    """Tell whether even calm traffic fails; a table does not tell what fails."""
    if schema.is_table:
        return False
    return _failing(seen) > _failing(center) + _EXTRA_FAILURES


def _failing(logs: NDArray[np.floating]) -> float:
    """Failures for each request, both directions."""
    count = dict(zip(FEATURE_NAMES, as_measured(logs, SIGNALLING).tolist(), strict=True))
    ways = ("to_service", "from_service")
    failures = sum(count[f"{way}_{name}"] for way in ways for name in FAILURES)
    requests = sum(count[f"{way}_new_transactions"] for way in ways)
    return float(failures / (requests + 0.5))


def _since(
    log: TrafficLog,
    calm: NDArray[np.int64],
    away: NDArray[np.floating],
    moved: NDArray[np.floating],
) -> int | None:
    """Start of the first calm bin after the change: where the sum of what is beyond half turns."""
    if not len(moved):
        return None
    beyond = (away * np.sign(moved)).mean(axis=1) - np.abs(moved).mean() / 2
    first = int(np.argmin(np.concatenate([[0.0], np.cumsum(beyond)])))
    if not _FEW_BINS <= first < len(calm):
        return None
    bins = [
        series.start_ns + np.arange(len(series.values)) * round(series.bin_s * 1e9)
        for series in log.series
    ]
    return int(np.concatenate(bins)[calm[first]])
