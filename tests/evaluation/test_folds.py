"""What is left out is not trained on, whatever the directory holds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.conftest import corpus_of
from tests.evaluation.recordings import FAULTS, N_NORMAL
from traffic_siamese.baseline import estimate_baseline, learn_baseline
from traffic_siamese.errors import LabelError
from traffic_siamese.evaluation.corpus import Corpus, calm_captures, make_corpus
from traffic_siamese.evaluation.draws import draw_examples
from traffic_siamese.evaluation.folds import make_folds, query_rows, training_logs
from traffic_siamese.types import WindowSpec


def test_a_networks_normal_is_learned_from_a_capture_set_aside(corpus: Corpus) -> None:
    values = corpus.logs["B/normal-1.pcap"].series[0].values[:N_NORMAL]
    np.testing.assert_array_equal(corpus.baselines["B"], learn_baseline(values))
    aside = set(corpus.windows.capture[corpus.is_baseline].tolist())
    assert aside == {f"{network}/normal-1.pcap" for network in "ABC"}
    assert not corpus.notes


def test_a_capture_that_is_named_is_set_aside_in_place_of_the_first(corpus: Corpus) -> None:
    named = make_corpus(
        corpus.logs, corpus.intervals, spec=WindowSpec(), baseline_captures=["B/storm-2.pcap"]
    )
    aside = set(named.windows.capture[named.is_baseline].tolist())
    assert aside == {"A/normal-1.pcap", "B/storm-2.pcap", "C/normal-1.pcap"}


def _without(corpus: Corpus, *words: str) -> Corpus:
    kept = [one for one in corpus.intervals if not any(w in f"{one}" for w in words)]
    names = {one.capture for one in kept}
    logs = {name: log for name, log in corpus.logs.items() if name in names}
    return make_corpus(logs, kept, spec=WindowSpec())


def test_without_a_capture_to_spare_all_normal_traffic_is_normal_and_a_note_says_so(
    single: Corpus,
) -> None:
    few = _without(single, "normal-2")
    assert not few.is_baseline.any()
    assert "learned from all its normal traffic" in few.notes[0]
    values = [log.series[0].values[:N_NORMAL] for log in few.logs.values()]
    np.testing.assert_array_equal(few.baselines["A"], learn_baseline(np.concatenate(values)))


def test_without_normal_traffic_normal_is_estimated_and_a_note_says_so(single: Corpus) -> None:
    few = _without(single, "'normal'")
    assert "no interval is labelled normal" in few.notes[0]
    names = sorted(few.logs)
    values = np.concatenate([few.logs[name].series[0].values for name in names])
    np.testing.assert_array_equal(few.baselines["A"], estimate_baseline(values))


def test_without_sides_networks_take_turns_as_sources(corpus: Corpus) -> None:
    sources = {fold.network: fold.source for fold in make_folds(corpus)}
    assert sources == {"A": "B", "B": "C", "C": "A"}


def test_of_one_network_captures_are_held_out(single: Corpus) -> None:
    """Training sees no capture of a new fault, and a library comes from none that is asked."""
    folds = make_folds(single)
    assert sorted(sum((fold.new for fold in folds), ())) == sorted(FAULTS)
    for fold in folds:
        trained = training_logs(single, fold, views="relative").windows
        asked = query_rows(single, fold)
        assert set(trained.label.tolist()) == {"normal", *fold.known}
        assert not set(trained.capture.tolist()) & set(single.windows.capture[asked].tolist())
        assert set(single.labels[asked].tolist()) == {"normal", *FAULTS}
        assert fold.asks_known
        for draw in draw_examples(single, fold, n=3, seed=0):
            assert not np.isin(single.windows.capture[draw.known], list(fold.held_out)).any()
            assert not draw.other


def test_two_faults_are_the_least_that_can_be_left_out(single: Corpus) -> None:
    few = _without(single, "capacity", "latency", "storm")
    with pytest.raises(LabelError, match="1 fault, expected at least 2"):
        make_folds(few)


def test_a_fold_asks_only_for_faults_that_its_network_shows(corpus: Corpus) -> None:
    few = _without(corpus, "B/blocked", "B/latency")
    folds = make_folds(few)
    assert all(set(few.labels[few.rows(fold.network, fold.new)]) for fold in folds)
    assert [fold.new for fold in folds if fold.network == "B"] == [("capacity", "storm")]


def test_calm_captures_show_nothing_else() -> None:
    names = calm_captures(corpus_of("C").intervals)
    assert names == ["C/normal-1.pcap", "C/normal-2.pcap"]


def test_no_window_is_an_error(single: Corpus) -> None:
    with pytest.raises(LabelError, match="no labelled interval holds a window of 500 bins"):
        make_corpus(single.logs, single.intervals, spec=WindowSpec(n_timesteps=500))
