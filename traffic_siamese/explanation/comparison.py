"""A stretch of traffic beside the network's normal: the figures that words are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured, deviation, log_view
from traffic_siamese.explanation.topics import Topic, topics_of
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.types import FloatArray

_LEAST_CHANGE = 0.4  # of the logarithm: half as much again
_LEAST_SPREADS = 2.0  # of a state that stays near one value: its usual spreads
_UNCHANGED = 0.25  # of the logarithm: within a quarter of normal
_MOST_SPREAD = 1.0  # of the logarithm, in the mean of counts: beyond it no lognormal is a fit
_NEARLY = 0.6  # of the greatest change in a topic, for the member that says more
_ANY_CHANGE = frozenset({"volume"})  # topics whose first member is told whenever it changed at all


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What features usually are, and what they are now.

    Attributes
    ----------
    schema : FeatureSchema
    bin_s : float
        Length of a bin in seconds.
    protocol : str
        Whose words to use, such as ``sip``; empty for words that fit any.
    normal, seen : ndarray of shape (n_features,), float64
        As measured, per bin: of what is counted in captures the mean, of all else the typical
        value, which is that of the mean view.
    change : ndarray of shape (n_features,), float64
        Mean view less normal's: of most features the logarithm of the ratio.
    weight : ndarray of shape (n_features,), float64
        The same, unsigned, in units of the network's own spread; 0 where it changed too little to
        be named: by less than half, of a steady state by less than two spreads.
    """

    schema: FeatureSchema
    bin_s: float
    protocol: str
    normal: NDArray[np.float64]
    seen: NDArray[np.float64]
    change: NDArray[np.float64]
    weight: NDArray[np.float64]

    def index(self, name: str) -> int:
        """Place of a feature of captures."""
        return self.schema.names.index(name)

    def changed_topics(self) -> list[Topic]:
        """Return the topics of which some member changed, most first."""
        weights = {t: self.weight[list(t.columns)].max() for t in topics_of(self.schema)}
        changed = [topic for topic, weight in weights.items() if weight > 0]
        return sorted(changed, key=lambda topic: -weights[topic])

    def is_unchanged(self, topic: Topic) -> bool:
        """Tell whether all members are within a quarter of normal."""
        columns = list(topic.columns)
        limit = np.where(self.schema.is_linear[columns], _LEAST_SPREADS, _UNCHANGED)
        return bool((np.abs(self.change[columns]) < limit).all())

    def lead(self, topic: Topic) -> int:
        """Return the member of a topic to speak of: the first that changed nearly as much as any.

        In units of the network's own spread; of a topic that did not change, the first.
        """
        weights = self.weight[list(topic.columns)]
        enough = 1e-6 if topic.name in _ANY_CHANGE else _NEARLY
        return topic.columns[int(np.argmax(weights >= enough * weights.max()))]


def compare(
    values: FloatArray,
    baseline: FloatArray,
    schema: FeatureSchema,
    *,
    bin_s: float = 1.0,
    protocol: str = "",
) -> Comparison:
    """Compare a stretch of traffic with the network's normal.

    Parameters
    ----------
    values : ndarray of shape (n_bins, n_features), float32
        Features as read; at least one bin.
    baseline : ndarray of shape (2, n_features), float32
        Centre and spread of the network's normal, in the features' views.
    schema : FeatureSchema
    bin_s : float
    protocol : str
        See `Comparison`.
    """
    views = log_view(values, schema).mean(axis=0, dtype=np.float64)
    center, spread = baseline.astype(np.float64)
    change = views - center
    least = np.where(schema.is_linear, _LEAST_SPREADS, _LEAST_CHANGE)
    weight = np.where(np.abs(change) < least, 0, np.abs(deviation(views, baseline)))
    counted = schema.is_count & (not schema.is_table)
    # The mean of a lognormal from its logarithm's: so that both sides are means, and comparable.
    usual = as_measured(center + np.minimum(spread, _MOST_SPREAD) ** 2 / 2, schema)
    return Comparison(
        schema,
        bin_s,
        protocol,
        np.where(counted, usual, as_measured(center, schema)),
        np.where(counted, values.mean(axis=0, dtype=np.float64), as_measured(views, schema)),
        change,
        weight,
    )
