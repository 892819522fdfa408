"""A made-up corpus of three networks, and one of a single network."""

from __future__ import annotations

import pytest

from tests.evaluation.recordings import recordings
from traffic_siamese.evaluation.corpus import Corpus, make_corpus
from traffic_siamese.types import WindowSpec


def corpus_of(networks: str) -> Corpus:
    """Make a corpus of some networks."""
    made = list(recordings(networks))
    logs = {log.name: log for log, _ in made}
    return make_corpus(logs, [one for _, mine in made for one in mine], spec=WindowSpec())


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Make a corpus of three networks."""
    return corpus_of("ABC")


@pytest.fixture(scope="session")
def single() -> Corpus:
    """Make a corpus of one network."""
    return corpus_of("A")
