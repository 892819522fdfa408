"""Folds keep apart what must not be seen, and captures are read once."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import oneshot_data
import pytest
from oneshot_data import Corpus, Fold, make_corpus, make_folds, read_corpus, training_logs

from traffic_siamese.baseline import learn_baseline
from traffic_siamese.errors import LabelError
from traffic_siamese.features.series import read_series
from traffic_siamese.scaling import Scaler

from .conftest import FAULTS, N_NORMAL


def test_every_fault_is_new_once_on_every_network(folds: list[Fold]) -> None:
    for network in "ABC":
        mine = [fold for fold in folds if fold.network == network]
        assert sorted(sum((fold.new for fold in mine), ())) == sorted(FAULTS)
        assert all(not set(fold.known) & set(fold.new) for fold in mine)


def test_a_network_is_compared_with_one_of_its_side(folds: list[Fold]) -> None:
    assert {fold.network: fold.source for fold in folds} == {"A": "C", "C": "A", "B": ""}


def test_training_sees_neither_the_network_nor_the_new_faults(
    corpus: Corpus, folds: list[Fold]
) -> None:
    for fold in folds:
        windows = training_logs(corpus, fold, views="relative").windows
        assert set(windows.network.tolist()) == set("ABC") - {fold.network}
        assert set(windows.label.tolist()) == {"normal", *fold.known}


def test_a_baseline_is_learned_from_its_captures_only(corpus: Corpus) -> None:
    values = corpus.logs["B/normal-1.pcap"].series[0].values[:N_NORMAL]
    np.testing.assert_array_equal(corpus.baselines["B"], learn_baseline(values))
    asked_about = set(corpus.windows.capture[~corpus.is_baseline].tolist())
    assert not any("normal-1" in name for name in asked_about)


def test_inputs_are_those_of_window_after_window(corpus: Corpus) -> None:
    """The slow way: scale each window with the baseline of its own network."""
    n_features = corpus.baselines["A"].shape[1]
    scaler = Scaler(np.zeros((1, n_features), np.float32), np.ones((1, n_features), np.float32))
    inputs, values = corpus.inputs(scaler), corpus.windows.gather()
    for row in range(0, len(values), 17):
        baseline = corpus.baselines[str(corpus.windows.network[row])]
        np.testing.assert_array_equal(inputs[row], scaler.inputs(values[row], baseline))


def test_windows_are_apart_when_they_share_no_second(corpus: Corpus) -> None:
    rows, examples = np.arange(0, len(corpus.labels), 3), np.array([0, 40, 100])
    seconds = [
        {(str(c), s + i) for i in range(32)}
        for c, s in zip(corpus.windows.capture, corpus.windows.start_bin.tolist(), strict=True)
    ]
    used = set().union(*(seconds[row] for row in examples))
    expected = [not seconds[row] & used for row in rows]
    assert corpus.apart(rows, examples).tolist() == expected


def test_a_network_without_normal_captures_is_refused(corpus: Corpus) -> None:
    with pytest.raises(SystemExit, match="network A: no normal capture has 'nothing'"):
        make_corpus(corpus.logs, corpus.intervals, baseline_captures="nothing")


def test_one_fault_cannot_be_left_out(corpus: Corpus) -> None:
    mine = [one for one in corpus.intervals if one.label in ("normal", "storm")]
    few = make_corpus(corpus.logs, mine, baseline_captures="normal-1")
    with pytest.raises(LabelError, match="1 fault"):
        make_folds(few, sides=[["A", "C"]], left_out=["A"])


def test_a_capture_is_read_once(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oneshot_data.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = Path(shutil.copytree(captures, tmp_path / "captures"))
    labels = next(folder.glob("*.csv"))
    first = read_corpus(folder, labels, baseline_captures="")
    name = next(iter(first.logs))
    expected = read_series(folder / name).series
    monkeypatch.setattr(oneshot_data, "read_series", None)
    again = read_corpus(folder, labels, baseline_captures="").logs[name].series
    for one, other in zip(again, expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.start_ns, one.feature_names) == (other.start_ns, other.feature_names)
