"""The package's protocol, as the one-shot benchmark names it."""

from __future__ import annotations

from oneshot_data import Corpus, Fold

from traffic_siamese.evaluation.draws import Draw, draw_examples, library_rows
from traffic_siamese.evaluation.folds import query_rows
from traffic_siamese.evaluation.protocol import Tally, measure
from traffic_siamese.evaluation.spaces import Space
from traffic_siamese.evaluation.verification import pairs, verify

__all__ = [
    "Draw",
    "Tally",
    "draw_examples",
    "library_rows",
    "measure",
    "pairs",
    "query_rows",
    "verification",
]


def verification(corpus: Corpus, fold: Fold, space: Space) -> dict[str, float]:
    """How well distances tell same from different, for pairs from two captures."""
    found = verify(corpus.windows, space, [query_rows(corpus, fold)])
    return {} if found is None else {"Cohen's d": found.cohens_d, "EER": found.error}
