"""A made-up corpus: three networks, four faults, two captures of each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # scripts, not a package

from oneshot_data import Corpus, Fold, make_corpus, make_folds

from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.types import LabelledInterval, TrafficLog, TrafficSeries

N_NORMAL, N_FAULT = 60, 80
FAULTS = ("blocked", "capacity", "latency", "storm")
SECOND_NS = 1_000_000_000


def _recordings() -> Iterator[tuple[TrafficLog, list[LabelledInterval]]]:
    rng = np.random.default_rng(0)
    for network in "ABC":
        for label in ("normal", *FAULTS):
            for number in (1, 2):
                name = f"{network}/{label}-{number}.pcap"
                values = rng.gamma(5, 2, (N_NORMAL + N_FAULT, len(FEATURE_NAMES)))
                intervals = [LabelledInterval(name, 0, N_NORMAL * SECOND_NS, "normal", network)]
                if label != "normal":
                    column = 7 * FAULTS.index(label)
                    values[N_NORMAL:, column : column + 7] *= 8
                    span = N_NORMAL * SECOND_NS, (N_NORMAL + N_FAULT) * SECOND_NS
                    intervals.append(LabelledInterval(name, *span, label, network))
                series = TrafficSeries(values.astype(np.float32), 0, 1.0, FEATURE_NAMES)
                yield TrafficLog(name, (series,), 1), intervals


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Make the corpus; normal is learned from the captures normal-1."""
    made = list(_recordings())
    logs = {log.name: log for log, _ in made}
    intervals = [one for _, mine in made for one in mine]
    return make_corpus(logs, intervals, baseline_captures="normal-1")


@pytest.fixture(scope="session")
def folds(corpus: Corpus) -> list[Fold]:
    """Leave A, C and B out; A and C are seen from one side."""
    return make_folds(corpus, sides=[["A", "C"], ["B"]], left_out=["A", "C", "B"])
