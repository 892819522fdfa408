"""Topics take features together, each once."""

from __future__ import annotations

from traffic_siamese.explanation.topics import split_direction, topics_of
from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.schema import FEATURE_NAMES, SIGNALLING


def test_each_feature_is_in_exactly_one_topic() -> None:
    columns = [column for topic in topics_of(SIGNALLING) for column in topic.columns]
    assert sorted(columns) == list(range(len(FEATURE_NAMES)))


def test_a_topic_has_one_direction_and_names_what_says_most_first() -> None:
    for topic in topics_of(SIGNALLING):
        names = [split_direction(FEATURE_NAMES[column]) for column in topic.columns]
        assert {direction for direction, _ in names} == {topic.direction}
    first = {
        (topic.direction, topic.name): split_direction(FEATURE_NAMES[topic.columns[0]])[1]
        for topic in topics_of(SIGNALLING)
    }
    assert first["to_service", "delay"] == "first_answer_delay_median_s"
    assert first["from_service", "repeats"] == "repeats"
    assert first["from_service", "answer_overload"] == "answer_overload"
    assert first["", "sources"] == "active_endpoints"


def test_of_a_table_each_column_is_a_topic() -> None:
    """A column that happens to be called as a feature of captures is no such feature."""
    columns = (Feature("cpu", "", ""), Feature("to_service_packets", "", ""))
    schema = FeatureSchema(columns, is_table=True)
    assert [(t.direction, t.name, t.columns) for t in topics_of(schema)] == [
        ("", "cpu", (0,)),
        ("", "to_service_packets", (1,)),
    ]
