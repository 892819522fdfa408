"""Figures of merit against slow loops, scikit-learn and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import recall_score, roc_auc_score

from traffic_siamese import metrics

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=20).map(np.array)
names = st.sampled_from(["normal", "blocked", "latency"])


@given(scores, scores)
def test_auroc_is_that_of_scikit_learn(positive: np.ndarray, negative: np.ndarray) -> None:
    truth = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    expected = roc_auc_score(truth, np.r_[positive, negative])
    assert metrics.auroc(positive, negative) == pytest.approx(expected)


@given(scores, scores, st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_false_positives_are_counted_at_the_highest_threshold_that_finds_enough(
    positive: np.ndarray, negative: np.ndarray, recall: float
) -> None:
    enough = [t for t in positive if np.mean(positive >= t) >= recall - 1e-9]
    expected = np.mean(negative >= max(enough))
    assert metrics.false_positive_rate(positive, negative, recall=recall) == expected


def test_nineteen_of_twenty_are_95_percent() -> None:
    """Of positives 0..19, threshold 1 finds 19; one of the negatives 0 and 1 reaches it."""
    assert metrics.false_positive_rate(np.arange(20.0), np.array([0.0, 1.0])) == 0.5


@given(scores, scores)
def test_the_equal_error_is_the_least_of_all_thresholds(
    same: np.ndarray, different: np.ndarray
) -> None:
    errors = [
        max(np.mean(same > threshold), np.mean(different <= threshold))
        for threshold in np.r_[same, different]
    ]
    assert metrics.equal_error_rate(same, different) == pytest.approx(min(errors))


@given(scores, scores)
def test_the_threshold_has_the_equal_error(same: np.ndarray, different: np.ndarray) -> None:
    """Taking pairs up to the threshold for one label makes just that error."""
    error, threshold = metrics.equal_error(same, different)
    rejected, accepted = np.mean(same > threshold), np.mean(different <= threshold)
    assert max(rejected, accepted) == pytest.approx(error)
    assert error == metrics.equal_error_rate(same, different)


def test_the_threshold_lies_between_what_is_apart() -> None:
    near, far = np.array([0.1, 0.2]), np.array([0.8, 0.9])
    assert metrics.equal_error(near, far) == (0, 0.2)


def test_the_equal_error_is_none_apart_and_all_reversed() -> None:
    near, far = np.array([0.1, 0.2]), np.array([0.8, 0.9])
    assert metrics.equal_error_rate(near, far) == 0
    assert metrics.equal_error_rate(far, near) == 1


@given(st.lists(st.tuples(names, names), min_size=1, max_size=30))
def test_recalls_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    true, called = (np.array(column) for column in zip(*pairs, strict=True))
    found = metrics.recall_per_label(true, called)
    labels = sorted(set(true.tolist()))
    expected = recall_score(true, called, labels=labels, average=None, zero_division=0)
    assert list(found) == labels
    assert list(found.values()) == pytest.approx(expected.tolist())
    assert metrics.balanced_accuracy(true, called) == pytest.approx(np.mean(expected))


def test_balanced_accuracy_counts_labels_and_not_windows() -> None:
    true = np.array(["normal"] * 9 + ["blocked"])
    called = np.array(["normal"] * 10)
    assert metrics.balanced_accuracy(true, called) == 0.5
    assert metrics.balanced_accuracy(called, called) == 1


def test_balanced_accuracy_of_nothing_is_not_a_number() -> None:
    nothing = np.array([], np.str_)
    assert np.isnan(metrics.balanced_accuracy(nothing, nothing))


def test_cohens_d_of_shifted_values() -> None:
    """Both have variance 1 (1, 2, 3 around 2); the means are 5 apart."""
    values = np.array([1.0, 2.0, 3.0])
    assert metrics.cohens_d(values, values + 5) == pytest.approx(5)
    assert metrics.cohens_d(values + 5, values) == pytest.approx(-5)


def test_cohens_d_pools_by_degrees_of_freedom() -> None:
    """Variances 2 (1 degree) and 1 (2 degrees) pool to (2 + 2) / 3; the means are 1 apart."""
    first, second = np.array([0.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert metrics.cohens_d(first, second) == pytest.approx(1 / np.sqrt(4 / 3))


def test_cohens_d_where_nothing_varies() -> None:
    zeros, ones = np.zeros(2), np.ones(2)
    assert metrics.cohens_d(zeros, ones) == np.inf
    assert metrics.cohens_d(ones, zeros) == -np.inf
    assert metrics.cohens_d(ones, ones) == 0


@pytest.mark.parametrize("measure", [metrics.auroc, metrics.equal_error_rate])
def test_a_measure_of_nothing_is_refused(measure) -> None:
    with pytest.raises(ValueError, match="0 values, expected at least one"):
        measure(np.array([]), np.array([1.0]))


def test_settings_out_of_range_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match="recall is 0, expected"):
        metrics.false_positive_rate(one, one, recall=0)
    with pytest.raises(ValueError, match="got 1 and 1 values, expected at least 2"):
        metrics.cohens_d(one, one)
