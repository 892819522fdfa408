"""What the public benchmark makes of tables, and what it counts, on spaces that are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from public import public_corpus, public_folds
from public_data import BASELINE, Rows, as_captures
from public_questions import BOTH, OWN, ask_one_shot

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.draws import draw_examples
from traffic_siamese.evaluation.folds import Fold
from traffic_siamese.evaluation.peers import fold_inputs
from traffic_siamese.evaluation.spaces import Points
from traffic_siamese.types import NORMAL


def _rows(network: str, hit: str = "x") -> Rows:
    """Make a site of three elements; each episode of five rows raises a column of one of them."""
    rng = np.random.default_rng(len(network))
    label = np.full(960, NORMAL, "U8")
    columns = {
        f"{one}_{what}": rng.normal(5, 1, 960) for one in "xyz" for what in ("cpu", "memory")
    }
    for number, start in enumerate(range(30, 960, 30)):
        what = ("cpu", "memory")[number % 2]
        label[start : start + 5] = what
        columns[f"{hit}_{what}"][start : start + 5] += 50
    kinds = dict.fromkeys(columns, "gauge")
    return Rows(network, columns, kinds, label, 10.0 * np.arange(960), 10.0)


@pytest.fixture(scope="module")
def public() -> Corpus:
    """Two sites."""
    return public_corpus([_rows("a"), _rows("b")], 4, seed=0)


def test_windows_show_what_their_rows_are_labelled() -> None:
    """Each labelled interval holds exactly the rows of its episode, by their values."""
    rows = _rows("a")
    logs, intervals = as_captures(rows, seed=0)
    values = {log.name: log.series[0] for log in logs}
    for one in intervals:
        series = values[one.capture]
        step = round(series.bin_s * 1e9)
        first, last = ((t - series.start_ns) // step for t in (one.start_ns, one.end_ns))
        raised = series.values[first:last].max(axis=1) > 20
        assert raised.all() if one.label != NORMAL else not raised.any()


def test_no_window_of_the_teaching_captures_is_asked_about(public: Corpus) -> None:
    teaching = np.char.startswith(public.windows.capture, BASELINE)
    assert teaching.any()
    assert (public.is_baseline == teaching).all()


def test_folds_leave_out_each_site_then_each_fault_of_each(public: Corpus) -> None:
    sites, faults = public_folds(public)
    assert {(fold.network, fold.source) for fold in sites} == set(permutations("ab", 2))
    assert all(fold.known == ("cpu", "memory") and not fold.new for fold in sites)
    assert {(fold.network, fold.new) for fold in faults} == {
        (site, (fault,)) for site in "ab" for fault in ("cpu", "memory")
    }
    assert not any(set(fold.known) & set(fold.new) for fold in faults)


def test_a_perfect_space_needs_one_example_each(public: Corpus) -> None:
    names, index = np.unique(public.labels, return_inverse=True)
    space = Points(np.eye(len(names), dtype=np.float32)[index])
    fold = public_folds(public)[0][0]
    draws = draw_examples(public, fold, n=3, seed=0)
    assert ask_one_shot(public, fold, space, draws, seed=0) == {OWN: [1.0] * 3, BOTH: [1.0] * 3}


def test_a_space_of_one_point_is_right_for_one_label_of_three(public: Corpus) -> None:
    space = Points(np.zeros((len(public.labels), 2), np.float32))
    fold = public_folds(public)[0][0]
    draws = draw_examples(public, fold, n=2, seed=0)
    found = ask_one_shot(public, fold, space, draws, seed=0)
    assert found[OWN] == pytest.approx([1 / 3] * 2)


def test_elements_said_to_be_alike_look_the_same_whichever_is_hit() -> None:
    """With equal normals, a fault of x, of y or of z gives the same inputs."""
    found = []
    for hit in "xyz":
        rows = _rows("a", hit)
        quiet = {name: np.where(v > 20, 55.0, 5.0) for name, v in rows.columns.items()}
        corpus = public_corpus([replace(rows, columns=quiet, alike=tuple("xyz"))], 4, seed=0)
        fold = Fold("a", "a", ("a",), corpus.faults, ())
        found.append(fold_inputs(corpus, fold).relative)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert found[0].max() > 0
