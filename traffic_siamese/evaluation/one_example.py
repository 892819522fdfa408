"""Each fault in turn out of a model's library, and back in with one example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.evaluation.corpus import independent
from traffic_siamese.metrics import auroc, balanced_accuracy, false_positive_rate
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.oneshot.nearest import label_index, nearest_labels
from traffic_siamese.types import NORMAL, FloatArray, Int64Array, StringArray
from traffic_siamese.windows import WindowSet

Runs = list[list[float]]
"""Values of the draws of each run, a run being a network."""


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A model's examples, as far as judging needs them.

    Attributes
    ----------
    points : ndarray of shape (n_prototypes, embedding_dim), float32
    labels, captures : ndarray of shape (n_prototypes,), str
        What each shows, and the capture it was cut from, named as in the labels; empty where it
        is none of them.
    calibration : Calibration
    """

    points: FloatArray
    labels: StringArray
    captures: StringArray
    calibration: Calibration

    def first_axes(self, n: int) -> Library:
        """Return the same examples in the first axes of the space."""
        return replace(self, points=self.points[:, :n])


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What came of one fault.

    Attributes
    ----------
    nearest, accepted : dict of str to Runs
        Recall by where the example came from, "same" and "other": nearest example, and nearest
        and within its reach, as classifying decides. Every network is a run of draws.
    normal_kept : dict of str to Runs
        Share of normal windows whose nearest example stays normal.
    auroc, false_positive_rate : dict of str to float
        By network, with the fault out of the library: its windows against those of known labels,
        by the distance to the nearest example.
    called_unknown : dict of str to float
        Share of its windows then called unknown.
    """

    nearest: dict[str, Runs]
    accepted: dict[str, Runs]
    normal_kept: dict[str, Runs]
    auroc: dict[str, float]
    false_positive_rate: dict[str, float]
    called_unknown: dict[str, float]


class OneExample:
    """Asks a model's encoder about faults that are known by one example.

    An example never judges windows of the capture that it was cut from, as long as its label has
    another one.

    Parameters
    ----------
    windows : WindowSet
        Labelled windows.
    embeddings : ndarray of shape (n_windows, embedding_dim), float32
    library : Library
    """

    def __init__(self, windows: WindowSet, embeddings: FloatArray, library: Library) -> None:
        self.windows, self.embeddings = windows, embeddings
        self.names, index = label_index(library.labels)
        each = np.arange(len(library.points))
        distances = nearest_labels(embeddings, library.points, each, len(each))
        _hide_own(distances, windows.capture, library)
        self.to_label = np.full((len(windows), len(self.names)), np.inf, distances.dtype)
        for label in range(len(self.names)):
            self.to_label[:, label] = distances[:, index == label].min(axis=1)
        self.radius = library.calibration.radius_of(self.names)
        self.new_radius = library.calibration.pooled_radius

    def known_accuracy(self) -> dict[str, float]:
        """Balanced accuracy of the nearest example over known labels, by network."""
        known = np.isin(self.windows.label, self.names)
        called = self.names[self.to_label.argmin(axis=1)]
        return {
            str(network): balanced_accuracy(self.windows.label[mine], called[mine])
            for network in np.unique(self.windows.network[known])
            for mine in [known & (self.windows.network == network)]
        }

    def ask(self, fault: str, *, draws: Mapping[str, Mapping[str, Int64Array]]) -> Asked:
        """Ask about one fault.

        Parameters
        ----------
        fault : str
        draws : mapping of str to mapping of str to ndarray of int64
            By where examples come from and by network asked about: rows, one a draw; from
            `draw_rows`.
        """
        asked = Asked({}, {}, {}, {}, {}, {})
        rest = np.flatnonzero(self.names != fault)
        if not len(rest):
            return asked
        distances = self.to_label[:, rest]
        nearest = distances.argmin(axis=1)
        gap = distances[np.arange(len(distances)), nearest]
        for where, by_network in draws.items():
            for network, examples in by_network.items():
                self._draw(asked, fault, network, where, examples=examples, rest=gap)
        is_unknown = ~(gap <= self.radius[rest[nearest]])
        for network in np.unique(self.windows.network[self.windows.label == fault]):
            self._leave_out(asked, fault, str(network), gap, is_unknown)
        return asked

    def _draw(
        self,
        asked: Asked,
        fault: str,
        network: str,
        where: str,
        *,
        examples: Int64Array,
        rest: NDArray[np.floating],
    ) -> None:
        mine = self.windows.network == network
        rows = np.flatnonzero(mine & (self.windows.label == fault))
        normal = np.flatnonzero(mine & (self.windows.label == NORMAL))
        nearest, accepted, kept = [], [], []
        each = np.arange(len(examples))
        to_rows, to_normal = (
            nearest_labels(self.embeddings[some], self.embeddings[examples], each, len(each))
            for some in (rows, normal)
        )
        for draw, example in enumerate(examples):
            free = independent(self.windows, rows, examples[draw : draw + 1])
            if not free.any():
                continue
            found = to_rows[free, draw] < rest[rows[free]]
            nearest.append(float(found.mean()))
            accepted.append(float((found & (to_rows[free, draw] <= self.new_radius)).mean()))
            if len(normal):
                kept.append(self._kept(normal, to_normal[:, draw], example))
        for values, runs in (
            (nearest, asked.nearest),
            (accepted, asked.accepted),
            (kept, asked.normal_kept),
        ):
            if values:
                runs.setdefault(where, []).append(values)

    def _kept(
        self, normal: Int64Array, to_example: NDArray[np.floating], example: np.int64
    ) -> float:
        own = np.flatnonzero(self.names == NORMAL)
        if not len(own):
            return 0.0
        others = self.to_label[normal].copy()
        # The fault that the example shows is known by this example alone.
        others[:, self.names == self.windows.label[example]] = to_example[:, None]
        least = np.minimum(others.min(axis=1), to_example)
        return float(np.mean(others[:, own[0]] <= least))

    def _leave_out(
        self,
        asked: Asked,
        fault: str,
        network: str,
        gap: NDArray[np.floating],
        is_unknown: NDArray[np.bool_],
    ) -> None:
        mine = self.windows.network == network
        new = mine & (self.windows.label == fault)
        known = mine & ~new & np.isin(self.windows.label, self.names)
        asked.called_unknown[network] = float(is_unknown[new].mean())
        if known.any() and np.isfinite(gap[new | known]).all():
            asked.auroc[network] = auroc(gap[new], gap[known])
            asked.false_positive_rate[network] = false_positive_rate(gap[new], gap[known])


def draw_rows(
    windows: WindowSet,
    fault: str,
    *,
    sides: Sequence[Sequence[str]],
    n: int,
    rng: np.random.Generator,
) -> dict[str, dict[str, Int64Array]]:
    """Draw examples of a fault for each network that shows it: of its own, of another network.

    Parameters
    ----------
    windows : WindowSet
    fault : str
    sides : sequence of sequence of str
        Networks captured on the same side: an example from another network is from one of these.
    n : int
        Draws.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to dict of str to ndarray of shape (n,), int64
        By where the example is from ("same", "other") and the network asked about: rows.
    """
    rows = {
        str(network): np.flatnonzero((windows.label == fault) & (windows.network == network))
        for network in np.unique(windows.network[windows.label == fault])
    }
    draws: dict[str, dict[str, Int64Array]] = {"same": {}, "other": {}}
    for network, mine in rows.items():
        draws["same"][network] = rng.choice(mine, n)
        beside = next((side for side in sides if network in side), ())
        others = [rows[name] for name in beside if name in rows and name != network]
        if others:
            turns = rng.integers(len(others), size=n)
            picks = [int(rng.choice(others[turn])) for turn in turns]
            draws["other"][network] = np.array(picks, np.int64)
    return draws


def _hide_own(distances: NDArray[np.floating], captures: StringArray, library: Library) -> None:
    """Put examples out of reach of their own capture's windows, where their label has another."""
    for capture in set(library.captures.tolist()) - {""}:
        mine = library.captures == capture
        elsewhere = library.labels[~mine]
        hidden = mine & np.isin(library.labels, elsewhere)
        distances[np.ix_(captures == capture, hidden)] = np.inf
