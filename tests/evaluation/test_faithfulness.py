"""Faithfulness of reasons, against setting features to normal window by window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.evaluation.faithfulness import (
    DEVIATING,
    NAMED,
    RANDOM,
    RANDOM_CHANGED,
    Faithfulness,
    faithfulness,
)
from traffic_siamese.evaluation.judged import Judged, judge
from traffic_siamese.explanation.comparison import compare
from traffic_siamese.explanation.explain import Explainer
from traffic_siamese.model import load_model
from traffic_siamese.types import NORMAL


@pytest.fixture(scope="module")
def judged(captures: Path, made_model: Path) -> Judged:
    return judge(captures, captures / "labels.csv", load_model(made_model))


@pytest.fixture(scope="module")
def found(judged: Judged) -> Faithfulness:
    measured = faithfulness(judged, rng=np.random.default_rng(0))
    assert measured is not None
    return measured


def test_named_features_take_windows_back_to_normal_and_random_ones_do_not(
    found: Faithfulness,
) -> None:
    """Of these captures no more changes than is named: random ones that changed are the same."""
    assert found.rows[NAMED].removed.mean > 0.9
    assert found.rows[RANDOM_CHANGED].removed.mean == pytest.approx(
        found.rows[NAMED].removed.mean, abs=0.01
    )
    assert abs(found.rows[RANDOM].removed.mean) < 0.2
    assert found.rows[NAMED].alone.mean > found.rows[RANDOM].alone.mean
    assert found.rows[RANDOM].n_features == pytest.approx(found.rows[NAMED].n_features)
    assert 0 <= found.ahead <= 1


def test_four_windows_of_each_fault_in_each_capture_are_asked(found: Faithfulness) -> None:
    """Each of the two captures with a fault holds twelve."""
    assert (found.n_windows, found.n_captures) == (8, 2)


def test_the_figures_are_those_of_one_window_after_the_other(
    judged: Judged, found: Faithfulness
) -> None:
    """Inputs are differences to normal, so that normal is zero: set columns to zero, embed."""
    model, explainer = judged.model, Explainer(judged.model)
    normal = model.prototypes[model.prototype_labels == NORMAL]
    by_capture: dict[str, list[tuple[float, float]]] = {}
    for capture in ("A/refused-1.pcap", "B/refused-1.pcap"):
        (log,) = [one for one in judged.logs if one.log.name == capture]
        mine = (judged.windows.capture == capture) & (judged.windows.label == "refused")
        rows = np.flatnonzero(mine)
        for row in (rows[int((k + 0.5) * len(rows) / 4)] for k in range(4)):
            start = int(judged.windows.start_bin[row])
            values = log.log.series[0].values[start : start + 16]
            window = judged.windows.gather(np.array([row]))
            seen = compare(values, log.baseline, model.schema)
            named = explainer.topics(window, log.baseline, seen)
            farthest = seen.changed_topics()[: len(named)]
            shares = []
            for topics in (named, farthest):
                without = window.copy()
                for topic in topics:
                    without[..., list(topic.columns)] = 0
                before, after = (
                    min(float(np.linalg.norm(model.encoder.embed(w)[0] - p)) for p in normal)
                    for w in (window, without)
                )
                shares.append(1 - after / before)
            by_capture.setdefault(capture, []).append((shares[0], shares[1]))
    means = np.mean([np.mean(rows, axis=0) for rows in by_capture.values()], axis=0)
    assert found.rows[NAMED].removed.mean == pytest.approx(means[0], abs=1e-4)
    assert found.rows[DEVIATING].removed.mean == pytest.approx(means[1], abs=1e-4)
    assert found.gained.mean == pytest.approx(means[0] - means[1], abs=1e-4)


def test_without_a_fault_there_is_nothing_to_ask(judged: Judged) -> None:
    calm = replace(judged, windows=judged.windows.select(judged.windows.label == NORMAL))
    assert faithfulness(calm, rng=np.random.default_rng(0)) is None
