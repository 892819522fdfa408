"""One fold of the one-shot benchmark: draw examples, ask, count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from oneshot_data import Corpus, Fold
from oneshot_peers import Space

from traffic_siamese.metrics import (
    auroc,
    balanced_accuracy,
    cohens_d,
    equal_error_rate,
    false_positive_rate,
    recall_per_label,
)
from traffic_siamese.types import NORMAL, FloatArray

N_PROTOTYPES = 5
SHOTS = (1, 2, 5)
PAIRED_PER_LABEL = 40


@dataclass(frozen=True, eq=False)
class Draw:
    """Examples of one draw, the same for every method.

    Attributes
    ----------
    known : ndarray of int64
        Rows of known faults and normal traffic: the library before anything new.
    same, other : dict of str to ndarray of int64
        Per new fault, windows of one capture of the network left out, and of the source network;
        the first is the one shot.
    """

    known: np.ndarray
    same: dict[str, np.ndarray]
    other: dict[str, np.ndarray]


@dataclass
class Tally:
    """Figures of one method: values by measure, one a draw, and called labels by true one."""

    values: dict[str, list[float]] = field(default_factory=dict)
    confusion: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, measure: str, value: float) -> None:
        """Keep one value of a measure."""
        self.values.setdefault(measure, []).append(float(value))

    def add_calls(self, where: str, true: np.ndarray, called: np.ndarray) -> None:
        """Count how windows were called, and how often each label was found."""
        pairs = zip(true.tolist(), called.tolist(), strict=True)
        self.confusion.setdefault(where, Counter()).update(pairs)
        for label, recall in recall_per_label(true, called).items():
            self.add(f"{where}: {label}", recall)


def draw_examples(corpus: Corpus, fold: Fold, *, n: int, seed: int) -> list[Draw]:
    """Draw libraries and examples."""
    rng = np.random.default_rng([seed, *fold.name.encode()])
    library_from = fold.source or fold.network
    return [
        Draw(
            _known(corpus, library_from, fold.known, rng),
            _shots(corpus, fold.network, fold.new, rng),
            _shots(corpus, fold.source, fold.new, rng) if fold.source else {},
        )
        for _ in range(n)
    ]


def _known(
    corpus: Corpus, network: str, labels: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    groups = [corpus.rows(network, (label,)) for label in (NORMAL, *labels)]
    picks = [rng.choice(rows, min(N_PROTOTYPES, len(rows)), False) for rows in groups if len(rows)]
    return np.concatenate(picks)


def _shots(
    corpus: Corpus, network: str, labels: Sequence[str], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Per label, some windows of one capture; a window is as likely as any other."""
    shots = {}
    for label in labels:
        rows = corpus.rows(network, (label,))
        if len(rows):
            capture = corpus.windows.capture[rng.choice(rows)]
            mine = rng.permutation(rows[corpus.windows.capture[rows] == capture])
            shots[label] = mine[: max(SHOTS)]
    return shots


def library_rows(draws: Sequence[Draw]) -> np.ndarray:
    """Return every row that is an example in some draw."""
    parts = [rows for d in draws for rows in (d.known, *d.same.values(), *d.other.values())]
    return np.unique(np.concatenate(parts))


def query_rows(corpus: Corpus, fold: Fold) -> np.ndarray:
    """Windows of the network left out, but those its normal was learned from."""
    rows = corpus.rows(fold.network, (NORMAL, *fold.known, *fold.new))
    return rows[~corpus.is_baseline[rows]]


def measure(corpus: Corpus, fold: Fold, space: Space, draws: Sequence[Draw]) -> Tally:
    """Ask a method about all windows of the network left out."""
    tally = Tally()
    for draw in draws:
        asked = _Asked(corpus, fold, space, draw)
        if fold.source:
            asked.known(tally)
        asked.unknown(tally)
        for shots in SHOTS:
            asked.new(tally, "same", draw.same, shots=shots)
            if fold.source:
                asked.new(tally, "other", draw.other, shots=shots)
    return tally


class _Asked:
    """One draw of one method."""

    def __init__(self, corpus: Corpus, fold: Fold, space: Space, draw: Draw) -> None:
        self.corpus, self.fold, self.space, self.draw = corpus, fold, space, draw
        self.rows = query_rows(corpus, fold)
        self.true = corpus.labels[self.rows]
        self.is_known = np.isin(self.true, (NORMAL, *fold.known))
        # Of a library taken from this very network, what was drawn cannot be asked about.
        self.is_free = corpus.apart(self.rows, draw.known)
        self.to_known = space.distances(self.rows, draw.known)

    def known(self, tally: Tally) -> None:
        """Ask about known faults, learned on other networks."""
        mine = self.is_known
        nearest = self.to_known[mine].argmin(axis=1)
        called = self.corpus.labels[self.draw.known][nearest]
        tally.add("known", balanced_accuracy(self.true[mine], called))
        tally.add_calls("known", self.true[mine], called)

    def unknown(self, tally: Tally) -> None:
        """Tell new faults from known labels by the distance to the nearest prototype."""
        nearest = self.to_known.min(axis=1)
        known = nearest[self.is_known & self.is_free]
        tally.add("unknown AUROC", auroc(nearest[~self.is_known], known))
        tally.add("FPR@95", false_positive_rate(nearest[~self.is_known], known))

    def new(self, tally: Tally, where: str, examples: dict[str, np.ndarray], *, shots: int) -> None:
        """Ask about new faults, each known by so many examples; all of them in the library."""
        given = {label: rows[:shots] for label, rows in examples.items()}
        added = np.concatenate(list(given.values()))
        distances = np.hstack([self.to_known, self.space.distances(self.rows, added)])
        labels = self.corpus.labels[np.concatenate([self.draw.known, added])]
        called = labels[distances.argmin(axis=1)]
        asked = np.zeros(len(self.rows), bool)
        for label, rows in given.items():
            asked |= (self.true == label) & self._independent(rows, label)
        if asked.any():
            tally.add(f"{where}, {shots} shot", balanced_accuracy(self.true[asked], called[asked]))
        if shots > 1:
            return
        tally.add_calls(f"new, {where}", self.true[asked], called[asked])
        normal = (self.true == NORMAL) & self.is_free
        tally.add(f"normal kept, {where}", np.mean(called[normal] == NORMAL))

    def _independent(self, rows: np.ndarray, label: str) -> np.ndarray:
        """Windows of other captures than the example's; where there is none, apart from it."""
        elsewhere = self.corpus.other_captures(self.rows, rows)
        if elsewhere[self.true == label].any():
            return elsewhere
        return self.corpus.apart(self.rows, rows)


def verification(corpus: Corpus, fold: Fold, space: Space) -> dict[str, float]:
    """How well distances tell same from different, for pairs from two captures.

    Labels of the network left out count equally: so many windows of each, drawn once.
    """
    rng = np.random.default_rng(0)
    rows = query_rows(corpus, fold)
    labels = corpus.labels[rows]
    picks = [
        rng.permutation(rows[labels == label])[:PAIRED_PER_LABEL] for label in np.unique(labels)
    ]
    chosen = np.concatenate(picks)
    distances = space.distances(chosen, chosen)
    same, different = pairs(distances, corpus.labels[chosen], corpus.windows.capture[chosen])
    return {"Cohen's d": cohens_d(same, different), "EER": equal_error_rate(same, different)}


def pairs(
    distances: FloatArray, labels: np.ndarray, captures: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Distances of pairs of one label, and of two; never two windows of one capture."""
    upper = np.triu(np.ones(distances.shape, bool), 1)
    allowed = upper & (captures[:, None] != captures)
    alike = labels[:, None] == labels
    return distances[allowed & alike], distances[allowed & ~alike]
