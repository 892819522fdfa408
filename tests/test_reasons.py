"""Changes are ranked, told once, and in figures."""

from __future__ import annotations

import numpy as np

from traffic_siamese.baseline import log_view
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.reasons import change_words, largest_changes


def _vector(**values: float) -> np.ndarray:
    vector = np.zeros(len(FEATURE_NAMES), np.float32)
    for name, value in values.items():
        vector[FEATURE_NAMES.index(name)] = value
    return vector


def _words(name: str, before: float, now: float) -> str:
    views = (log_view(_vector(**{name: value})) for value in (before, now))
    return change_words(FEATURE_NAMES.index(name), *views)


def test_the_greatest_change_comes_first_and_what_did_not_change_is_left_out() -> None:
    weight = _vector(from_service_packets=1, to_service_answer_overload=4)
    names = [FEATURE_NAMES[column] for column in largest_changes(weight)]
    assert names == ["to_service_answer_overload", "from_service_packets"]


def test_features_that_tell_one_story_are_named_once() -> None:
    """Bytes fall with packets; a retransmission is also a repeat; directions are two stories."""
    weight = _vector(
        from_service_packets=2,
        from_service_bytes=5,
        to_service_bytes=1,
        to_service_retransmitted_requests=3,
        to_service_repeats=3,
    )
    names = [FEATURE_NAMES[column] for column in largest_changes(weight)]
    repeats = "to_service_retransmitted_requests"
    assert names == ["from_service_bytes", repeats, "to_service_bytes"]


def test_both_values_are_written_with_the_unit_of_what_is_no_count() -> None:
    assert _words("from_service_packets", 40, 20) == "packets from service 40 -> 20"
    assert _words("source_entropy_bits", 2, 0) == "source entropy 2 -> 0 bits"
    delay = _words("to_service_first_answer_delay_p95_s", 0, 0.25)
    assert delay == "first answer delay 95th percentile to service 0 -> 0.25 s"
