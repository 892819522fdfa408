"""One fold of the leave-out protocol: ask about every window of what was left out, and count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.draws import SHOTS, Draw
from traffic_siamese.evaluation.folds import Fold, query_rows
from traffic_siamese.evaluation.spaces import Space
from traffic_siamese.metrics import (
    auroc,
    balanced_accuracy,
    false_positive_rate,
    recall_per_label,
)
from traffic_siamese.types import NORMAL, Int64Array, StringArray


@dataclass
class Tally:
    """Figures of one method: values by measure, one a draw, and called labels by true one."""

    values: dict[str, list[float]] = field(default_factory=dict)
    confusion: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, measure: str, value: float) -> None:
        """Keep one value of a measure."""
        self.values.setdefault(measure, []).append(float(value))

    def add_calls(self, where: str, true: StringArray, called: StringArray) -> None:
        """Count how windows were called, and how often each label was found."""
        pairs = zip(true.tolist(), called.tolist(), strict=True)
        self.confusion.setdefault(where, Counter()).update(pairs)
        for label, recall in recall_per_label(true, called).items():
            self.add(f"{where}: {label}", recall)


def measure(corpus: Corpus, fold: Fold, space: Space, draws: Sequence[Draw]) -> Tally:
    """Ask a method about all windows of the network left out.

    What cannot be asked has no value in the tally: known faults where nothing but their own
    captures could be the library, examples from another network where there is none.
    """
    tally = Tally()
    for draw in draws:
        if not len(draw.known):
            continue
        asked = _Asked(corpus, fold, space, draw)
        if fold.asks_known:
            asked.known(tally)
        asked.unknown(tally)
        for shots in SHOTS:
            asked.new(tally, "same", draw.same, shots=shots)
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
        """Ask about known faults, learned on other networks; those with an example there."""
        names = self.corpus.labels[self.draw.known]
        mine = self.is_known & np.isin(self.true, names)
        if mine.any():
            called = names[self.to_known[mine].argmin(axis=1)]
            tally.add("known", balanced_accuracy(self.true[mine], called))
            tally.add_calls("known", self.true[mine], called)

    def unknown(self, tally: Tally) -> None:
        """Tell new faults from known labels by the distance to the nearest prototype."""
        nearest = self.to_known.min(axis=1)
        known, new = nearest[self.is_known & self.is_free], nearest[~self.is_known]
        if len(known) and len(new):
            tally.add("unknown AUROC", auroc(new, known))
            tally.add("FPR@95", false_positive_rate(new, known))

    def new(self, tally: Tally, where: str, examples: dict[str, Int64Array], *, shots: int) -> None:
        """Ask about new faults, each known by so many examples; all of them in the library."""
        if not examples:
            return
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
        if normal.any():
            tally.add(f"normal kept, {where}", np.mean(called[normal] == NORMAL))

    def _independent(self, rows: Int64Array, label: str) -> NDArray[np.bool_]:
        """Windows of other captures than the example's; where there is none, apart from it."""
        elsewhere = self.corpus.other_captures(self.rows, rows)
        if elsewhere[self.true == label].any():
            return elsewhere
        return self.corpus.apart(self.rows, rows)
