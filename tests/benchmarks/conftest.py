"""A made-up corpus: three networks, four faults, two captures of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.evaluation.recordings import FAULTS, N_NORMAL, recordings

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # scripts, not a package

from oneshot_data import Corpus, Fold, make_corpus, make_folds

__all__ = ["FAULTS", "N_NORMAL"]


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Make the corpus; normal is learned from the captures normal-1."""
    made = list(recordings())
    logs = {log.name: log for log, _ in made}
    intervals = [one for _, mine in made for one in mine]
    return make_corpus(logs, intervals, baseline_captures="normal-1")


@pytest.fixture(scope="session")
def folds(corpus: Corpus) -> list[Fold]:
    """Leave A, C and B out; A and C are seen from one side."""
    return make_folds(corpus, sides=[["A", "C"], ["B"]], left_out=["A", "C", "B"])
