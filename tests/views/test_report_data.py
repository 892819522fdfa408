"""What the incident page holds of a log is what was found in it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.report_pages import SECOND, START_NS, make_about, make_result, make_verdict
from traffic_siamese.classification import LogResult
from traffic_siamese.types import Incident
from traffic_siamese.views.report_data import _all_rounded, _rounded, entry, examples, full


def digits_by_text(value: float) -> float:
    """Round to three digits by writing the number and reading it again."""
    return float(f"{value:.2e}")


@given(st.floats(-1e15, 1e15).filter(lambda value: value == 0 or abs(value) > 1e-9))
def test_figures_have_three_digits(value: float) -> None:
    assert _rounded(value) == digits_by_text(value)
    (many,) = _all_rounded([value])
    assert many == pytest.approx(digits_by_text(value), rel=0.006)  # a half may go either way
    assert many == digits_by_text(many)
    assert isinstance(many, int) == (many == int(many))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_nothing(value: float) -> None:
    """JavaScript's parser would refuse it."""
    assert _rounded(value) is None
    assert _all_rounded([value, 1.5]) == [None, 1.5]


def test_the_overview_has_times_labels_and_reasons() -> None:
    shown = entry(make_result(warnings=("cut short",)))
    start_ms = START_NS // 10**6
    assert (shown["start"], shown["end"]) == (start_ms, start_ms + 1000 * (8 * 11 + 32))
    assert shown["incidents"] == [
        {
            "start": start_ms + 40_000,
            "end": start_ms + 80_000,
            "label": "blocked",
            "confidence": 0.8,
            "reason": "packets fell to a tenth",
        }
    ]
    assert shown["warnings"] == ["cut short"]


def test_a_log_that_failed_has_no_times() -> None:
    shown = entry(LogResult("b.pcap", error="b.pcap: is empty"))
    assert (shown["start"], shown["end"], shown["windows"]) == (None, None, 0)
    assert shown["error"] == "b.pcap: is empty"


def test_windows_come_back() -> None:
    """Summed up and looked up, they are the verdicts to a thousandth and three digits."""
    result = make_result()
    detail = json.loads(json.dumps(full(result), allow_nan=False))
    windows = detail["windows"]
    places = [list(accumulate(axis)) for axis in windows["place"]]
    for i, (verdict, start) in enumerate(
        zip(result.verdicts, accumulate(windows["start"]), strict=True)
    ):
        assert start == verdict.start_ns // 10**6
        assert detail["labels"][windows["label"][i]] == verdict.label
        assert detail["labels"][windows["second"][i]] == verdict.second_label
        assert detail["reasons"][windows["reason"][i]] == verdict.reason
        assert windows["confidence"][i] == pytest.approx(verdict.confidence, rel=0.005)
        ratio = verdict.second_distance / verdict.distance
        assert windows["odds"][i] == pytest.approx(ratio, rel=0.005)
        for axis, name in enumerate("xyz"):
            assert places[axis][i] / 1000 == pytest.approx(getattr(verdict, name), abs=5e-4)
    assert windows["length"] == 32_000


def test_features_come_back() -> None:
    result = make_result()
    drawn = full(result)["detail"]
    assert result.detail is not None
    starts = list(accumulate(drawn["start"]))
    assert starts == (result.detail.start_ns // 10**6).tolist()
    assert drawn["breaks"] == [99]
    for shown, track in zip(drawn["tracks"], result.detail.tracks, strict=True):
        assert np.allclose(shown["values"], track.values, rtol=0.005)
        assert shown["normal"] == list(track.normal)


def test_the_runner_up_is_the_one_that_most_windows_are_next_to() -> None:
    """Of the incident's five windows, three are next to latency, 2, 3 and 4 times as far away."""
    near = {"label": "blocked", "distance": 0.1}
    second = [("latency", 0.2), ("latency", 0.4), ("latency", 0.3), ("normal", 9), ("normal", 9)]
    verdicts = [make_verdict(i) for i in range(12)]
    for place, (label, distance) in zip(range(3, 8), second, strict=True):
        fields = {**near, "second_label": label, "second_distance": distance}
        verdicts[place] = make_verdict(place, **fields)
    (told,) = full(replace(make_result(), verdicts=tuple(verdicts)))["incidents"]
    assert (told["second"], told["times"]) == ("latency", 3)


def test_what_the_incident_may_as_well_be_comes_before_the_count() -> None:
    result = make_result()
    incident = replace(result.incidents[0], second_label="latency", normal_per_day=0.0123456)
    (told,) = full(replace(result, incidents=(incident,)))["incidents"]
    assert (told["second"], told["either"], told["times"]) == ("latency", True, None)
    assert told["per_day"] == 0.0123


def test_an_incident_between_windows_has_no_runner_up() -> None:
    """A short one may hold the middle of no window that bears its name."""
    times = START_NS + SECOND, START_NS + 2 * SECOND
    incident = Incident("a.pcap", *times, "latency", 0.5, 1, "why")
    (told,) = full(replace(make_result(), incidents=(incident,)))["incidents"]
    assert (told["second"], told["times"], told["per_day"]) == ("", None, None)


def test_examples_lie_in_the_cube_whatever_the_width() -> None:
    about = make_about()
    places = [one.embedding for one in about.prototypes]
    for shown, embedding in zip(examples(about.prototypes), places, strict=True):
        assert np.allclose(np.array(shown["place"]) / 1000, embedding, atol=5e-4)
    flat = [replace(about.prototypes[0], embedding=np.array([0.25], np.float32))]
    assert examples(flat)[0]["place"] == [250, 0, 0]
