"""Figures beside normal: means of counts, typical values of all else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.explanation.stretches import USUAL, compared, stretch
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.explanation.comparison import compare
from traffic_siamese.explanation.topics import topics_of
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES, SIGNALLING


def _topic(direction: str, name: str):
    return next(t for t in topics_of(SIGNALLING) if (t.direction, t.name) == (direction, name))


def test_steady_traffic_is_told_as_it_is() -> None:
    seen = compared()
    for name, value in USUAL.items():
        assert seen.normal[seen.index(name)] == pytest.approx(value, rel=1e-4)
        assert seen.seen[seen.index(name)] == pytest.approx(value, rel=1e-4)
    assert not seen.weight.any()
    assert seen.changed_topics() == []


def test_normal_counts_are_means_though_the_baseline_is_of_logarithms() -> None:
    """Poisson counts: both sides tell the rate; of rare events, a trimmed normal tells less."""
    rng = np.random.default_rng(0)
    column = FEATURE_NAMES.index("to_service_packets")
    for rate, within in ((0.5, 0.2), (7.0, 0.05), (200.0, 0.02)):
        values = stretch(4000)
        values[:, column] = rng.poisson(rate, 4000)
        seen = compare(values, learn_baseline(values), SIGNALLING)
        assert seen.seen[column] == pytest.approx(values[:, column].mean(), rel=1e-6)
        assert seen.normal[column] == pytest.approx(rate, rel=within)


def test_of_a_delay_the_typical_value_counts() -> None:
    """log(1 + value / 1 ms), mean, and back: sqrt(1.01 * 0.011) - 0.001 s of 1 s and 10 ms."""
    name = "to_service_first_answer_delay_median_s"
    values = stretch(2)
    values[:, FEATURE_NAMES.index(name)] = (1.0, 0.01)
    seen = compare(values, learn_baseline(stretch()), SIGNALLING)
    assert seen.seen[seen.index(name)] == pytest.approx((1.001 * 0.011) ** 0.5 - 0.001, rel=1e-4)


def test_changes_below_a_half_are_no_changes() -> None:
    """log(1 + 13) - log(1 + 10) = 0.24, log(1 + 17) - log(1 + 10) = 0.49; the line is at 0.4."""
    few, many = (compared(to_service_new_transactions=n) for n in (13, 17))
    assert few.changed_topics() == []
    assert few.is_unchanged(_topic("to_service", "new_transactions"))
    assert [topic.name for topic in many.changed_topics()] == ["new_transactions"]
    assert not many.is_unchanged(_topic("to_service", "new_transactions"))


def test_the_topic_that_changed_most_comes_first() -> None:
    seen = compared(from_service_answer_overload=99, to_service_new_transactions=20)
    assert [t.name for t in seen.changed_topics()] == ["answer_overload", "new_transactions"]


def test_the_lead_is_what_says_more_unless_another_changed_far_more() -> None:
    """Bytes fall farther than packets, but packets are told; a slowest answer counts if alone."""
    silent = compared(from_service_packets=0, from_service_bytes=0)
    lead = silent.lead(_topic("from_service", "volume"))
    assert FEATURE_NAMES[lead] == "from_service_packets"
    slow = compared(to_service_first_answer_delay_p95_s=2.0)
    lead = slow.lead(_topic("to_service", "delay"))
    assert FEATURE_NAMES[lead] == "to_service_first_answer_delay_p95_s"


def test_columns_of_tables_are_typical_values_in_their_own_units() -> None:
    schema = FeatureSchema(
        (
            Feature("temp", "", "", 2.0, True, "linear", "gauge"),
            Feature("rx", "", "", kind="delta"),
        ),
        is_table=True,
    )
    usual = np.tile(np.array([40.0, 100.0], np.float32), (8, 1))
    seen = compare(usual * np.float32(1.5), learn_baseline(usual, schema), schema)
    np.testing.assert_allclose(seen.normal, [40, 100], rtol=1e-4)
    np.testing.assert_allclose(seen.seen, [60, 150], rtol=1e-4)
    assert [topic.name for topic in seen.changed_topics()] == ["temp", "rx"]
