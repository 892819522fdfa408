"""Choose what the incident page draws of a log: its telling features, thinned where it is long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured
from traffic_siamese.explanation.topics import split_direction
from traffic_siamese.explanation.vocabulary import is_refusal, protocol_of, subject
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.schema import schema_of
from traffic_siamese.log_detail import FeatureTrack, LogDetail
from traffic_siamese.preparation import PreparedLog, bin_ns
from traffic_siamese.types import FloatArray, Incident, Int64Array, TrafficSeries

_MAX_TRACKS = 8
_ENOUGH_TRACKS = 4
_MAX_POINTS = 2_000
_MAX_NEAR_POINTS = 20_000  # near all incidents together
_NEAR_ONE = 1_000
_BESIDE_BINS = 60  # before and after an incident that are drawn as finely as itself
_BAND_SPREADS = 2.0
_USUAL = (
    "to_service_new_transactions",
    "from_service_answer_success",
    "to_service_first_answer_delay_median_s",
    "to_service_packets",
)
"""Drawn where nothing made a difference, or little: what people look at first."""
_MEASURED = {
    "first_answer_delay_median_s": "time to the first answer, median",
    "first_answer_delay_p95_s": "time to the first answer, 95th percentile",
    "first_answer_delay_std_s": "time to the first answer, standard deviation",
    "final_answer_delay_median_s": "time to the final answer, median",
    "final_answer_delay_p95_s": "time to the final answer, 95th percentile",
    "session_length_mean_s": "length of the sessions that ended, mean",
    "source_entropy_bits": "evenness of the senders",
}
"""What is not counted, in words; a delay of the service's own requests is told as theirs."""


def log_detail(prepared: PreparedLog, incidents: Sequence[Incident]) -> LogDetail:
    """Return what the incident page draws of a log.

    Parameters
    ----------
    prepared : PreparedLog
        The log, and the normal that its incidents were found against.
    incidents : sequence of Incident
        Found in it; their features are drawn, each incident's first one before any second one.

    Returns
    -------
    LogDetail
        Small enough to hand from process to process: 2,000 points of the whole log, and at most
        20,000 more near incidents, of eight features.
    """
    schema = schema_of(prepared.log)
    columns = _columns(schema, incidents)
    sized = [series for series in prepared.log.series if len(series.values)]
    step = _step(sum(len(series.values) for series in sized), _MAX_POINTS)
    pieces = [_Piece(series, columns, _edges(series, step, incidents)) for series in sized]
    values = np.concatenate([piece.values for piece in pieces])
    return LogDetail(
        _tracks(prepared, columns, values),
        np.concatenate([piece.start_ns for piece in pieces]),
        np.repeat(np.arange(len(pieces)), [len(piece.values) for piece in pieces]),
        prepared.log.series[0].bin_s,
        prepared.network,
    )


def _tracks(
    prepared: PreparedLog, columns: Sequence[int], values: FloatArray
) -> tuple[FeatureTrack, ...]:
    schema, bin_s = schema_of(prepared.log), prepared.log.series[0].bin_s
    normal = _normal_band(prepared.baseline, schema)
    protocol = protocol_of(prepared.log.protocols)
    tracks = []
    for i, column in enumerate(columns):
        feature = schema.features[column]
        title = feature.name if schema.is_table else _title(feature.name, protocol)
        low, centre, high = normal[:, column].tolist()
        band, unit = (low, centre, high), _unit(feature, bin_s)
        tracks.append(FeatureTrack(feature.name, title, unit, feature.meaning, band, values[:, i]))
    return tuple(tracks)


def _columns(schema: FeatureSchema, incidents: Sequence[Incident]) -> list[int]:
    """Choose features: those that made a difference, in turns, and usual ones up to a few."""
    longest = max((len(one.features) for one in incidents), default=0)
    telling = [
        one.features[rank]
        for rank in range(longest)
        for one in incidents
        if rank < len(one.features)
    ]
    usual = schema.names[:_ENOUGH_TRACKS] if schema.is_table else _USUAL
    place = {name: i for i, name in enumerate(schema.names)}
    known = [place[name] for name in dict.fromkeys(telling) if name in place][:_MAX_TRACKS]
    for name in usual:
        if len(known) < _ENOUGH_TRACKS and place[name] not in known:
            known.append(place[name])
    return known


def _normal_band(baseline: FloatArray, schema: FeatureSchema) -> NDArray[np.float64]:
    """Lower edge, centre and upper edge of normal as measured, shape (3, n_features)."""
    steps = _BAND_SPREADS * np.array([[-1.0], [0.0], [1.0]])
    band = as_measured(baseline[0] + steps * baseline[1], schema)
    # A count, a share or a delay is never negative, though its band in the logarithm may be.
    return np.where(schema.is_count | (not schema.is_table), np.maximum(band, 0), band)


def _title(name: str, protocol: str) -> str:
    direction, bare = split_direction(name)
    if bare not in _MEASURED:
        return subject(name, protocol, noun="answers" if is_refusal(bare) else "")
    return _MEASURED[bare] + (", asked by the service" if direction == "from_service" else "")


def _unit(feature: Feature, bin_s: float) -> str:
    if not feature.is_count:
        return feature.unit
    per = "s" if bin_s == 1 else f"{bin_s:g} s"
    return f"{feature.unit}/{per}" if feature.unit else f"per {per}"


class _Piece:
    """One stretch of a log, its bins averaged to points."""

    def __init__(self, series: TrafficSeries, columns: Sequence[int], edges: Int64Array) -> None:
        n_bins = np.diff([*edges.tolist(), len(series.values)])
        sums = np.add.reduceat(series.values[:, columns].astype(np.float64), edges, axis=0)
        self.values: FloatArray = (sums / n_bins[:, None]).astype(np.float32)
        self.start_ns: Int64Array = series.start_ns + edges * bin_ns(series)


def _edges(series: TrafficSeries, step: int, incidents: Sequence[Incident]) -> Int64Array:
    """First bins of the points: at even steps over the whole, finer near incidents."""
    n_bins, one_ns = len(series.values), bin_ns(series)
    parts = [np.arange(0, n_bins, step)]
    near = min(_NEAR_ONE, _MAX_NEAR_POINTS // max(1, len(incidents)))
    for one in incidents:
        first = max(0, (one.start_ns - series.start_ns) // one_ns - _BESIDE_BINS)
        last = min(n_bins, (one.end_ns - series.start_ns) // one_ns + _BESIDE_BINS)
        parts.append(np.arange(first, last, _step(last - first, near)))
    return np.unique(np.concatenate(parts)).astype(np.int64)


def _step(n_bins: int, n_points: int) -> int:
    return max(1, -(-n_bins // n_points))
