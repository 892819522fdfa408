"""Intervals and tables of the one-shot benchmark."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import one_shot
import oneshot_report as report
import pytest
from oneshot_data import Corpus, Fold
from oneshot_peers import Points
from oneshot_protocol import draw_examples


def test_an_interval_of_one_value_is_a_point() -> None:
    rng = np.random.default_rng(0)
    assert report.bootstrap([[0.5, 0.5], [0.5]], rng=rng) == (0.5, 0.5, 0.5)


def test_runs_count_the_same_however_many_draws_they_have() -> None:
    rng = np.random.default_rng(0)
    assert report.bootstrap([[0.0] * 9, [1.0]], rng=rng)[0] == 0.5


def test_nothing_measured_is_not_a_number() -> None:
    assert np.isnan(report.bootstrap([[], []], rng=np.random.default_rng(0))).all()
    assert report.cell(*(float("nan"),) * 3) == "–"


def test_the_interval_of_independent_draws_is_that_of_the_mean() -> None:
    """One run of 400 normal values: 1.96 standard errors, 0.05 each, either way."""
    rng = np.random.default_rng(0)
    mean, low, high = report.bootstrap([rng.normal(0, 1, 400)], rng=rng)
    assert high - mean == pytest.approx(0.098, abs=0.015)
    assert mean - low == pytest.approx(0.098, abs=0.015)


def test_runs_that_differ_widen_the_interval() -> None:
    """Of two runs without spread, a quarter of the samples hold one alone: it spans both."""
    rng = np.random.default_rng(0)
    assert report.bootstrap([[0.0] * 20, [1.0] * 20], rng=rng) == (0.5, 0, 1)


def test_a_table_has_a_row_per_method_and_a_dash_where_nothing_was_measured() -> None:
    results = {"ours": [{"known": [0.5, 0.5]}], "theirs": [{}]}
    lines = report.table(results, {"known faults": "known"}).splitlines()
    assert lines[0] == "| method | known faults |"
    assert lines[2:] == ["| ours | 0.500 (0.500–0.500) |", "| theirs | – |"]


def test_confusion_is_in_hundredths_of_what_was_shown() -> None:
    counts = Counter({("blocked", "blocked"): 3, ("blocked", "normal"): 1})
    assert report.confusion(counts).splitlines()[1].split() == ["blocked", "75", "25"]


def test_all_tables_are_written(
    corpus: Corpus, folds: list[Fold], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = one_shot.Bench(corpus)
    points = Points(np.unique(corpus.labels, return_inverse=True)[1].astype(np.float32)[:, None])
    draws = draw_examples(corpus, folds[0], n=2, seed=0)
    bench.judge("by label", folds[0], points, draws)
    assert "known faults, new network 1.000" in capsys.readouterr().err
    text = one_shot.show(bench)
    assert "| by label | 1.000 (1.000–1.000) |" in text
    one_shot.write_json(bench, tmp_path / "found.json", {})
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["values"]["by label"][0]["known"] == [1, 1]
    both = one_shot.Bench(corpus)
    for _ in range(2):
        one_shot.add_json(both, tmp_path / "found.json")
    assert both.values["by label"] == bench.values["by label"] * 2
    for where, counts in bench.confusion["by label"].items():
        assert both.confusion["by label"][where] == counts + counts


def test_folds_are_chosen_by_the_command_line(corpus: Corpus) -> None:
    def networks(*words: str) -> list[str]:
        args = one_shot.parse(["logs", "--labels", "labels.csv", *words])
        return [fold.network for fold in one_shot.choose_folds(corpus, args)]

    assert networks() == ["A", "C", "A", "C"]
    assert networks("--folds", "1") == ["A"]
    assert networks("--folds", "all") == ["A", "C", "B"] * 2
