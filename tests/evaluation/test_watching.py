"""False incidents and times to an incident, on verdicts written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_siamese.evaluation.watching import Watched, false_per_hour, watch
from traffic_siamese.types import LabelledInterval, Verdict, WindowSpec

SPEC = WindowSpec(n_timesteps=32, stride=8)
SECOND_NS = 1_000_000_000
STRIDE_NS, LENGTH_NS = 8 * SECOND_NS, 32 * SECOND_NS
NAMES = {"n": "normal", "b": "blocked", "u": "unknown", "c": "capacity"}


def _verdicts(capture: str, letters: str) -> list[Verdict]:
    return [
        Verdict(
            capture, i * STRIDE_NS, i * STRIDE_NS + LENGTH_NS, NAMES[c], 0, 1, "", 0, 0, 0, 0, ""
        )
        for i, c in enumerate(letters)
    ]


def _interval(capture: str, start_s: int, end_s: int, label: str) -> LabelledInterval:
    return LabelledInterval(capture, start_s * SECOND_NS, end_s * SECOND_NS, label, "A")


def _watch(verdicts: dict[str, str], *intervals: LabelledInterval) -> Watched:
    made = {name: _verdicts(name, letters) for name, letters in verdicts.items()}
    return watch(made, intervals, spec=SPEC, known=("normal", "blocked"))


def test_incidents_of_calm_captures_are_false() -> None:
    """45 windows every 8 s are a tenth of an hour; a flicker raises nothing, a pair does."""
    letters = "n" * 10 + "b" + "n" * 20 + "uu" + "n" * 12
    found = _watch({"calm": letters}, _interval("calm", 0, 400, "normal"))
    assert (found.n_false, found.n_false_unknown) == (1, 1)
    assert found.calm_h == pytest.approx(0.1)
    assert false_per_hour([found]).mean == pytest.approx(10)


def test_incidents_of_captures_with_a_fault_are_not_false() -> None:
    found = _watch(
        {"x": "bbbbbbbbnnnn"}, _interval("x", 0, 60, "normal"), _interval("x", 60, 90, "blocked")
    )
    assert found.n_false == 0
    assert not false_per_hour([found]).is_measured


def test_a_fault_is_raised_at_the_end_of_the_window_that_raises_it() -> None:
    """It begins at 100 s; the second window in a row, the 12th, ends at 11 * 8 + 32 s = 120 s."""
    found = _watch({"x": "n" * 10 + "bbbb"}, _interval("x", 100, 150, "blocked"))
    assert (found.detections[0].any_s, found.detections[0].right_s) == (20, 20)
    assert found.delays() == found.delays(right=True) == [20]


def test_a_fault_outside_the_library_has_no_right_name() -> None:
    found = _watch({"x": "n" * 10 + "uuuu"}, _interval("x", 100, 150, "capacity"))
    assert found.detections[0].any_s == 20
    assert not found.asked(right=True)


def test_a_fault_that_nobody_raised_has_no_delay() -> None:
    found = _watch({"x": "n" * 20}, _interval("x", 100, 150, "blocked"))
    assert found.delays() == []
    assert len(found.asked(right=True)) == 1


def test_captures_watched_twice_count_once_for_the_interval() -> None:
    """No incident in 0.1 h leaves room for 3 / 0.1 h, however often it was watched."""
    one = _watch({"calm": "n" * 45}, _interval("calm", 0, 400, "normal"))
    twice = false_per_hour([one, one])
    assert twice.mean == 0
    assert twice.high == pytest.approx(-np.log(0.05) / 0.1)
