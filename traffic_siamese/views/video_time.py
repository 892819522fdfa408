"""When what is seen in a video: the training, then the faults that were added, then a rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.views.film_data import ADDED, DrawnRun

_LEAD_S = 0.8
_TRAINING_S = 12.0
_LEAST_PACE = 2.0  # epochs a second
_ENTERING_S = 2.6
_MOST_ENTERING = 3
_REST_S = 1.6
_FROM_ABOVE = np.array([0.5, 0.5, 1.45])


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the parts of a video take.

    Attributes
    ----------
    n_epochs : int
        The most that any of its trainings has.
    training_s, entering_s : float
        How long they are shown, and how long added faults take to enter; 0 for none.
    """

    n_epochs: int
    training_s: float
    entering_s: float

    @property
    def total_s(self) -> float:
        """Length of the video in seconds."""
        return _LEAD_S + self.training_s + self.entering_s + _REST_S

    def epoch(self, time_s: float) -> float:
        """Return the epoch that is shown at a time, with a fraction."""
        if not self.training_s:
            return float(self.n_epochs)
        share = (time_s - _LEAD_S) / self.training_s
        return self.n_epochs * min(max(share, 0.0), 1.0)

    def arrival(self, time_s: float, turn: int, n_entering: int) -> float:
        """Return how far the ``turn``-th of the labels that enter has come: 0 to 1."""
        slot = self.entering_s / n_entering
        share = (time_s - _LEAD_S - self.training_s - turn * slot) / (0.6 * slot)
        return min(max(share, 0.0), 1.0)


def timing_of(drawn: Sequence[DrawnRun]) -> Timing:
    """Return how long the video of one or two trainings is."""
    n_epochs = max(one.run.history.n_epochs for one in drawn)
    entering = min(max(len(entering_labels(one)) for one in drawn), _MOST_ENTERING)
    pace = max(n_epochs / _TRAINING_S, _LEAST_PACE)
    return Timing(n_epochs, n_epochs / pace, entering * _ENTERING_S)


def entering_labels(drawn: DrawnRun) -> list[str]:
    """Labels that were added after the training, in the order in which they enter."""
    return sorted(set(drawn.label[drawn.kind == ADDED].tolist()))


def places_at(drawn: DrawnRun, timing: Timing, time_s: float) -> NDArray[np.float64]:
    """Return where all points of a training are at a time: (n, 3); NaN before they enter."""
    epoch = min(timing.epoch(time_s), float(drawn.run.history.n_epochs))
    after = int(np.searchsorted(drawn.epochs, epoch))
    before = max(after - 1, 0)
    span = max(int(drawn.epochs[after] - drawn.epochs[before]), 1)
    share = (epoch - drawn.epochs[before]) / span
    now = drawn.positions[before] + (drawn.positions[after] - drawn.positions[before]) * share
    added = np.full(drawn.added.shape, np.nan)
    entering = entering_labels(drawn)
    names = drawn.label[drawn.kind == ADDED]
    for turn, name in enumerate(entering):
        arrived = timing.arrival(time_s, turn, len(entering))
        if arrived > 0:
            mine = names == name
            away = (1 - arrived) ** 3
            added[mine] = drawn.added[mine] + (_FROM_ABOVE - drawn.added[mine]) * away
    return np.concatenate([now, added])


def newest_label(drawn: DrawnRun, timing: Timing, time_s: float) -> str | None:
    """Return the label that enters or entered last; None while the training is shown."""
    entering = entering_labels(drawn)
    inside = [
        name
        for turn, name in enumerate(entering)
        if timing.arrival(time_s, turn, len(entering)) > 0
    ]
    return inside[-1] if inside else None


def settled_labels(drawn: DrawnRun, timing: Timing, time_s: float) -> list[str]:
    """Return the labels whose examples have come to rest: none before the training is over."""
    if timing.epoch(time_s) < drawn.run.history.n_epochs:
        return []
    entering = entering_labels(drawn)
    flying = {
        name
        for turn, name in enumerate(entering)
        if timing.arrival(time_s, turn, len(entering)) < 1
    }
    return [name for name in drawn.reach if name not in flying]
