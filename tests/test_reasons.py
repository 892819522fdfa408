"""Reasons name what changed most, once, in words."""

from __future__ import annotations

import numpy as np

from traffic_siamese.baseline import learn_baseline
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.reasons import reason
from traffic_siamese.types import FloatArray


def _window(**values: float) -> FloatArray:
    window = np.zeros((8, len(FEATURE_NAMES)), np.float32)
    for name, value in values.items():
        window[:, FEATURE_NAMES.index(name)] = value
    return window


NORMAL = {"from_service_packets": 40, "from_service_bytes": 16_000, "source_entropy_bits": 2}


def _baseline() -> FloatArray:
    return learn_baseline(_window(**NORMAL))


def test_normal_traffic_has_nothing_to_name() -> None:
    assert reason(_window(**NORMAL), _baseline()) == "no feature alone differs from normal by half"


def test_the_greatest_change_comes_first_with_both_values() -> None:
    """log(1 + 99) is the greater change; 40 packets to 20 is named as well."""
    changed = NORMAL | {"from_service_packets": 20, "to_service_answer_overload": 99}
    text = reason(_window(**changed), _baseline())
    assert text == "answer overload to service 0 -> 99; packets from service 40 -> 20"


def test_features_that_tell_one_story_are_named_once() -> None:
    """Bytes fall with packets; a retransmission is also a repeat."""
    changed = {
        "source_entropy_bits": 2,
        "to_service_retransmitted_requests": 111,
        "to_service_repeats": 111,
    }
    text = reason(_window(**changed), _baseline())
    assert text == "bytes from service 16,000 -> 0; retransmitted requests to service 0 -> 111"


def test_units_are_written_where_it_is_no_count() -> None:
    changed = NORMAL | {"source_entropy_bits": 0, "to_service_first_answer_delay_p95_s": 0.25}
    text = reason(_window(**changed), _baseline())
    assert "source entropy 2 -> 0 bits" in text
    assert "first answer delay 95th percentile to service 0 -> 0.25 s" in text


def test_three_are_named_at_most() -> None:
    changed = {name: 50.0 for name in FEATURE_NAMES if "answer" in name and "delay" not in name}
    assert reason(_window(**NORMAL | changed), _baseline()).count(";") == 2
