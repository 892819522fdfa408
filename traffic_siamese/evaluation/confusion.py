"""How windows of each label were called, as counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from traffic_siamese.evaluation.intervals import Interval, share_interval
from traffic_siamese.types import NORMAL, UNKNOWN, Int64Array, StringArray


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How windows of each true label were called.

    Attributes
    ----------
    labels : tuple of str
        True labels, the rows.
    verdicts : tuple of str
        What windows were called, the columns; ``unknown`` is the last.
    counts : ndarray of shape (n_labels, n_verdicts), int64
        Windows.
    known : frozenset of str
        Labels in the fault library; the others cannot be recognised.
    """

    labels: tuple[str, ...]
    verdicts: tuple[str, ...]
    counts: Int64Array
    known: frozenset[str]

    def windows(self, label: str) -> int:
        """Return the number of windows of a true label."""
        return int(self.counts[self.labels.index(label)].sum())

    def share(self, label: str, verdict: str) -> float:
        """Return the share of a true label's windows that was called so; NaN without windows."""
        row = self.counts[self.labels.index(label)]
        if verdict not in self.verdicts or not row.sum():
            return 0.0 if row.sum() else float("nan")
        return float(row[self.verdicts.index(verdict)] / row.sum())

    def recall(self, label: str) -> float:
        """Return the share of a true label's windows that was called by its name."""
        return self.share(label, label)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the labels in the library that have windows; NaN without any."""
        recalls = [self.recall(name) for name in self.labels if name in self.known]
        finite = [value for value in recalls if np.isfinite(value)]
        return float(np.mean(finite)) if finite else float("nan")


def count_calls(true: StringArray, called: StringArray, known: frozenset[str]) -> Confusion:
    """Count how windows were called; both arrays have shape (n_windows,)."""
    labels = _in_order(set(true.tolist()))
    names = set(called.tolist()) | (known & set(labels))
    verdicts = (*_in_order(names - {UNKNOWN}), UNKNOWN)
    counts = np.array(
        [[np.count_nonzero((true == t) & (called == c)) for c in verdicts] for t in labels],
        np.int64,
    )
    return Confusion(labels, verdicts, counts.reshape(len(labels), len(verdicts)), known)


def recall_interval(
    true: StringArray,
    called: StringArray,
    captures: StringArray,
    labels: Collection[str],
    *,
    rng: np.random.Generator,
) -> Interval:
    """Mean recall over labels, with the interval over the captures that show each of them."""
    hits, totals = [], []
    for label in labels:
        mine = true == label
        index = np.unique(captures[mine], return_inverse=True)[1]
        totals.append(np.bincount(index).astype(np.float64))
        hits.append(np.bincount(index, called[mine] == label).astype(np.float64))
    return share_interval(hits, totals, rng=rng)


def _in_order(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (name != NORMAL, name)))
