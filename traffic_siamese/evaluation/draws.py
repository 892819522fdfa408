"""Random examples, drawn once and given to every method alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.folds import Fold
from traffic_siamese.types import NORMAL, Int64Array

N_PROTOTYPES = 5
SHOTS = (1, 2, 5)


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

    known: Int64Array
    same: dict[str, Int64Array]
    other: dict[str, Int64Array]


def draw_examples(corpus: Corpus, fold: Fold, *, n: int, seed: int) -> list[Draw]:
    """Draw libraries and examples."""
    rng = np.random.default_rng([seed, *fold.name.encode()])
    return [
        Draw(
            _known(corpus, fold, rng),
            _shots(corpus, fold.network, fold.new, rng),
            _shots(corpus, fold.source, fold.new, rng) if fold.source else {},
        )
        for _ in range(n)
    ]


def _known(corpus: Corpus, fold: Fold, rng: np.random.Generator) -> Int64Array:
    groups = [corpus.rows(fold.library_from, (label,)) for label in (NORMAL, *fold.known)]
    if fold.held_out:
        groups = [
            rows[~np.isin(corpus.windows.capture[rows], list(fold.held_out))] for rows in groups
        ]
    picks = [rng.choice(rows, min(N_PROTOTYPES, len(rows)), False) for rows in groups if len(rows)]
    return np.concatenate([np.empty(0, np.int64), *picks])


def _shots(
    corpus: Corpus, network: str, labels: Sequence[str], rng: np.random.Generator
) -> dict[str, Int64Array]:
    """Per label, some windows of one capture; a window is as likely as any other."""
    shots = {}
    for label in labels:
        rows = corpus.rows(network, (label,))
        if len(rows):
            capture = corpus.windows.capture[rng.choice(rows)]
            mine = rng.permutation(rows[corpus.windows.capture[rows] == capture])
            shots[label] = mine[: max(SHOTS)]
    return shots


def library_rows(draws: Sequence[Draw]) -> Int64Array:
    """Return every row that is an example in some draw."""
    parts = [rows for d in draws for rows in (d.known, *d.same.values(), *d.other.values())]
    return np.unique(np.concatenate(parts))
