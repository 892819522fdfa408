"""Folds: what training does not see, and what it is asked about afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.errors import LabelError
from traffic_siamese.evaluation.corpus import ONE_BIN, Corpus, as_read, calm_captures, prepare_all
from traffic_siamese.labelled_logs import LabelledLogs
from traffic_siamese.preparation import labelled_windows
from traffic_siamese.scaling import Scaler
from traffic_siamese.types import NORMAL, Int64Array, LabelledInterval


@dataclass(frozen=True, eq=False)
class Fold:
    """A network and some faults that training does not see.

    Attributes
    ----------
    network : str
        The one asked about.
    source : str
        The trained network whose examples are the library, seen from the same side; empty where
        no other network of that side is there.
    trained : tuple of str
        Networks to train on.
    known, new : tuple of str
        Faults trained on, and left out.
    held_out : frozenset of str
        Captures that training does not see although it sees their network: where there is one
        network only.
    """

    network: str
    source: str
    trained: tuple[str, ...]
    known: tuple[str, ...]
    new: tuple[str, ...]
    held_out: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Network and new faults: enough to tell folds apart."""
        return f"{self.network} without {', '.join(self.new)}"

    @property
    def library_from(self) -> str:
        """Network that the examples of known labels come from."""
        return self.source or self.network

    @property
    def asks_known(self) -> bool:
        """Whether known faults can be asked about: their examples come from other captures."""
        return bool(self.source or self.held_out)

    def trains_on(self, interval: LabelledInterval) -> bool:
        """Whether training sees an interval."""
        return (
            interval.network in self.trained
            and interval.label in (NORMAL, *self.known)
            and interval.capture not in self.held_out
        )


def query_rows(corpus: Corpus, fold: Fold) -> Int64Array:
    """Windows to ask about: of the network left out, but those its normal was learned from."""
    rows = corpus.rows(fold.network, (NORMAL, *fold.known, *fold.new))
    rows = rows[~corpus.is_baseline[rows]]
    if fold.held_out:
        rows = rows[np.isin(corpus.windows.capture[rows], list(fold.held_out))]
    return rows


def training_logs(corpus: Corpus, fold: Fold, *, views: str) -> LabelledLogs:
    """Return what a fold trains on: its networks, its known faults and normal traffic."""
    intervals = [one for one in corpus.intervals if fold.trains_on(one)]
    networks = {one.capture: one.network for one in intervals}
    raw = [as_read(corpus.logs[name], network) for name, network in networks.items()]
    bins = labelled_windows(raw, intervals, ONE_BIN, stride=1)
    centers = np.stack([corpus.baselines[str(n)][0] for n in bins.network])
    scaler = Scaler.fit(bins.gather()[:, 0], centers, views=views, schema=corpus.schema)
    prepared = prepare_all(corpus, list(networks), scaler)
    windows = labelled_windows(prepared, intervals, corpus.spec, stride=1)
    trained = {name: corpus.baselines[name] for name in fold.trained}
    return LabelledLogs(prepared, windows, trained, scaler, [])


def make_folds(
    corpus: Corpus,
    *,
    sides: Sequence[Sequence[str]] | None = None,
    left_out: Sequence[str] | None = None,
) -> list[Fold]:
    """Leave each network out with each half of the faults, taken in turns from their names.

    Parameters
    ----------
    corpus : Corpus
    sides : sequence of sequence of str, optional
        Networks that were captured on the same side of what links subscribers and service: a
        fault looks different from the other one. All are alike by default.
    left_out : sequence of str, optional
        Networks to leave out; all by default. Of a single network, captures are left out instead.

    Raises
    ------
    LabelError
        If there are fewer than two faults: one would be left to train on.
    """
    faults = corpus.faults
    if len(faults) < 2:
        raise LabelError(
            f"the labels name {len(faults)} fault, expected at least 2 to leave one out."
        )
    networks = list(corpus.baselines)
    sides = [networks] if sides is None else sides
    folds = []
    for half in range(2):
        known, new = faults[1 - half :: 2], faults[half::2]
        for network in networks if left_out is None else left_out:
            if len(networks) == 1:
                held_out = _held_out(corpus, network, new)
                folds.append(Fold(network, "", (network,), known, new, held_out))
                continue
            trained = tuple(name for name in networks if name != network)
            folds.append(Fold(network, _source(network, sides, trained), trained, known, new))
    return [fold for fold in folds if len(corpus.rows(fold.network, fold.new))]


def _source(network: str, sides: Sequence[Sequence[str]], trained: Sequence[str]) -> str:
    """Return the next network of the side, in turn."""
    for side in sides:
        if network in side:
            place = list(side).index(network)
            return next((n for n in [*side[place + 1 :], *side[:place]] if n in trained), "")
    return ""


def _held_out(corpus: Corpus, network: str, new: Sequence[str]) -> frozenset[str]:
    """Return captures that show a new fault, and every second of each other label's captures."""
    mine = [one for one in corpus.intervals if one.network == network]
    teaching = set(corpus.windows.capture[corpus.is_baseline].tolist())
    showing: dict[str, set[str]] = {NORMAL: set(calm_captures(mine)) - teaching}
    for one in mine:
        if one.label != NORMAL:
            showing.setdefault(one.label, set()).add(one.capture)
    held = {name for label in new for name in showing.get(label, ())}
    for label, captures in showing.items():
        if label not in new:
            held.update(sorted(captures)[1::2])
    return frozenset(held)
