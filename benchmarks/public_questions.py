"""What is asked of a site that nobody trained on, beside what the one-shot protocol asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.draws import N_PROTOTYPES, Draw
from traffic_siamese.evaluation.folds import Fold, query_rows
from traffic_siamese.evaluation.spaces import Space
from traffic_siamese.metrics import balanced_accuracy
from traffic_siamese.types import NORMAL, Int64Array

OWN, BOTH = "one example each", "examples of both sites"


def ask_one_shot(
    corpus: Corpus, fold: Fold, space: Space, draws: Sequence[Draw], *, seed: int
) -> dict[str, list[float]]:
    """Balanced accuracy with one example of each fault of the site, alone and beside the others.

    Normal traffic is there in plenty: of it the site gives as many examples as the other one does.
    Windows that share a row with an example are not asked about.
    """
    rng = np.random.default_rng([seed, *fold.network.encode()])
    rows = query_rows(corpus, fold)
    found: dict[str, list[float]] = {OWN: [], BOTH: []}
    for draw in draws:
        own = _own_examples(corpus, fold, rng)
        asked = rows[corpus.apart(rows, own)]
        for name, library in ((OWN, own), (BOTH, np.concatenate([own, draw.known]))):
            nearest = space.distances(asked, library).argmin(axis=1)
            called = corpus.labels[library][nearest]
            found[name].append(balanced_accuracy(corpus.labels[asked], called))
    return found


def _own_examples(corpus: Corpus, fold: Fold, rng: np.random.Generator) -> Int64Array:
    picks = [
        rng.choice(corpus.rows(fold.network, (label,)), n, replace=False)
        for label, n in ((NORMAL, N_PROTOTYPES), *((fault, 1) for fault in fold.known))
        if len(corpus.rows(fold.network, (label,))) >= n
    ]
    return np.concatenate(picks)
