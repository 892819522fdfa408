"""Explain what a model found: which features put traffic where it is, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import as_measured
from traffic_siamese.explanation.comparison import Comparison, compare
from traffic_siamese.explanation.occlusion import Channels, Occlusion
from traffic_siamese.explanation.phrases import change_phrase, unchanged_phrase
from traffic_siamese.explanation.reason import Reason
from traffic_siamese.explanation.topics import Topic, topics_of
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.like_columns import like_columns
from traffic_siamese.model import Model
from traffic_siamese.types import NORMAL, FloatArray, Prototype

N_NAMED = 3
_N_UNCHANGED = 2
_NEAR_REACHES = 1.6
"""Within so many reaches of its nearest example, the runner-up is worth a word."""

_LEAST_APART = 0.4  # of the logarithm, between the runner-up's example and what is explained
_COMMON = 0.5  # per second: what is seldomer is not missed when it stays as it is
_STILL_ANSWERED = 0.3  # of the usual answers, for their delay to mean something
_ASKED_ABOUT = (
    "to_service_request_session_start",
    "to_service_request_registration",
    "to_service_new_transactions",
    "to_service_first_answer_delay_median_s",
    "to_service_repeats",
)
"""What somebody asks first when there is trouble: is it the load, is it slow, is it lossy?"""


class Explainer:
    """Finds what makes a model take traffic for what it takes it for.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._normal = model.prototypes[model.prototype_labels == NORMAL]
        self._examples: list[Prototype] | None = None

    @property
    def schema(self) -> FeatureSchema:
        """Features of the model."""
        return self.model.schema

    def occlusion(self, windows: FloatArray, baseline: FloatArray) -> Occlusion:
        """Return the means to set features of windows to normal.

        Parameters
        ----------
        windows : ndarray of shape (n_windows, n_timesteps, n_channels), float32
            Model inputs.
        baseline : ndarray of shape (2, n_features), float32
            The normal that they are seen against.
        """
        reference = normal_input(self.model, baseline)
        points = self._normal
        if not len(points):
            n_timesteps = windows.shape[1]
            points = self.model.encoder.embed(np.tile(reference, (1, n_timesteps, 1)))
        return Occlusion(self.model.encoder.embed, windows, reference=reference, points=points)

    def topics(self, windows: FloatArray, baseline: FloatArray, seen: Comparison) -> list[Topic]:
        """Return the topics that make the difference to normal, most first, at most three.

        Parameters
        ----------
        windows : ndarray of shape (n_windows, n_timesteps, n_channels), float32
            Model inputs of what is explained: a few windows are enough.
        baseline : ndarray of shape (2, n_features), float32
        seen : Comparison
            Of the same traffic: only what changed is asked about.
        """
        changed = seen.changed_topics()
        if not changed or not len(windows):
            return changed[:N_NAMED]
        sets = [self.channels(topic) for topic in changed]
        chosen = self.occlusion(windows, baseline).choose(sets, n=N_NAMED)
        return [changed[i] for i in chosen] or changed[:N_NAMED]

    def channels(self, *topics: Topic) -> Channels:
        """Return the model inputs' channels of topics, in all views and what is left of them.

        Of a column of like elements all of these: they stand by rank, and so change together.
        """
        beside = {column: group for group in like_columns(self.schema) for column in group}
        named = [column for topic in topics for column in topic.columns]
        together = dict.fromkeys(one for c in named for one in beside.get(c, (c,)))
        columns = np.array(list(together), np.intp)
        blocks = range(self.model.scaler.n_channels_each)
        return np.concatenate([columns + block * len(self.schema) for block in blocks])

    def against(self, label: str, windows: FloatArray, seen: Comparison) -> str:
        """Say what tells traffic from the nearest example of another label, if that is near.

        Parameters
        ----------
        label : str
            The runner-up.
        windows : ndarray of shape (n_windows, n_timesteps, n_channels), float32
            Model inputs of what is explained.
        seen : Comparison
            Of the same traffic.

        Returns
        -------
        str
            Such as ``there answers 40× slower (24 ms → 1 s)``; empty where it is not near.
        """
        example = self._nearest_example(label, windows)
        if example is None:
            return ""
        theirs = compare(
            example.raw,
            example.baseline,
            self.schema,
            bin_s=seen.bin_s,
            protocol=seen.protocol,
        )
        apart = np.abs(theirs.change - seen.change)
        topics = [
            topic
            for topic in topics_of(self.schema)
            if apart[list(topic.columns)].max() >= _LEAST_APART
        ]
        if not topics:
            return ""
        occlusion = Occlusion(
            self.model.encoder.embed,
            windows,
            reference=self.model.scaler.inputs(example.raw, example.baseline),
            points=example.embedding[None],
        )
        gained = occlusion.removed([self.channels(topic) for topic in topics]).mean(axis=1)
        return f"there {_state(theirs, seen, topics[int(np.argmax(gained))])}"

    def unchanged(self, seen: Comparison) -> list[str]:
        """Say what is as usual of what one would ask about, the most telling first."""
        if seen.schema.is_table:
            return []
        topics = {column: topic for topic in topics_of(self.schema) for column in topic.columns}
        told: list[str] = []
        for name in _ASKED_ABOUT:
            column = seen.index(name)
            if seen.is_unchanged(topics[column]) and _is_worth_telling(seen, column):
                told.append(unchanged_phrase(seen, column))
        return told[:_N_UNCHANGED]

    def _nearest_example(self, label: str, windows: FloatArray) -> Prototype | None:
        rows = np.flatnonzero(self.model.prototype_labels == label)
        if not len(rows) or not len(windows):
            return None
        places = self.model.encoder.embed(windows)
        away = np.linalg.norm(places[:, None] - self.model.prototypes[rows], axis=2).mean(axis=0)
        calibration = self.model.bundle.info.calibration
        reach = calibration.radii.get(label, calibration.pooled_radius)
        if away.min() > _NEAR_REACHES * reach:
            return None
        if self._examples is None:
            self._examples = self.model.library.prototypes(self.model.bundle.encoder_id)
        return self._examples[int(rows[away.argmin()])]


def normal_input(model: Model, baseline: FloatArray) -> FloatArray:
    """Return the model input of traffic that is exactly at its network's normal.

    Returns
    -------
    ndarray of shape (1, n_channels), float32
    """
    usual = as_measured(baseline[0], model.schema).astype(np.float32)
    return model.scaler.inputs(usual[None], baseline)


def reason_of(seen: Comparison, topics: Sequence[Topic], *, since: Sequence[str] = ()) -> Reason:
    """Put topics into words, each with the time from which on, where there is one."""
    leads = [seen.lead(topic) for topic in topics]
    times = list(since) + [""] * (len(leads) - len(since))
    changes = [
        " from ".join(filter(None, (change_phrase(seen, lead), time)))
        for lead, time in zip(leads, times, strict=True)
    ]
    return Reason(tuple(changes), tuple(seen.schema.names[lead] for lead in leads))


def _is_worth_telling(seen: Comparison, column: int) -> bool:
    """Tell whether somebody would ask about what is as usual: common, or telling by its absence.

    Where answers have stopped, the delay is that of the last ones, and tells nothing.
    """
    name = seen.schema.names[column]
    if "repeats" in name:
        return True
    if seen.schema.features[column].is_count:
        return bool(seen.normal[column] / seen.bin_s >= _COMMON)
    answers = seen.index("from_service_answer_success")
    return bool(seen.seen[answers] >= _STILL_ANSWERED * seen.normal[answers])


def _state(theirs: Comparison, seen: Comparison, topic: Topic) -> str:
    """Say how another label's example is in a topic, by the feature that differs most."""
    columns = list(topic.columns)
    apart: NDArray[np.float64] = np.abs(theirs.change - seen.change)[columns]
    column = columns[int(np.argmax(apart >= 0.6 * apart.max()))]
    if theirs.weight[column] > 0:
        return change_phrase(theirs, column)
    return unchanged_phrase(theirs, column)
