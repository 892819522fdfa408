"""A reason of one line holds what fits, in a fixed order."""

from __future__ import annotations

from traffic_siamese.explanation.reason import NOTHING, SHORT_CHARACTERS, Reason

CHANGES = ("503 share 0 % → 41 % from 12:03:14", "answers 6× slower", "repeats 0 → 3/s")
WHOLE = Reason(
    CHANGES, ("a", "b", "c"), ("INVITE rate unchanged", "no DNS"), "not blocked: there x"
)


def test_the_long_text_holds_everything_in_order() -> None:
    assert WHOLE.long() == "; ".join(
        [*CHANGES, "INVITE rate unchanged", "no DNS", "not blocked: there x"]
    )


def test_the_short_text_holds_three_changes_one_constant_and_the_runner_up() -> None:
    assert WHOLE.short() == (
        "503 share 0 % → 41 % from 12:03:14; answers 6× slower; repeats 0 → 3/s; "
        "INVITE rate unchanged; not blocked: there x"
    )


def test_what_does_not_fit_is_left_out_and_what_is_shorter_may_still_fit() -> None:
    first, second, _ = CHANGES
    text = f"{first}; {second}; INVITE rate unchanged; not blocked: there x"
    assert WHOLE.short(len(text)) == text
    assert WHOLE.short(len(text) - 5) == f"{first}; {second}; repeats 0 → 3/s; not blocked: there x"
    assert WHOLE.short(len(first)) == first
    assert len(WHOLE.short()) <= SHORT_CHARACTERS


def test_the_first_change_is_told_however_long() -> None:
    assert Reason(("x" * 200,), ("a",)).short() == "x" * 200


def test_without_a_change_that_is_said() -> None:
    empty = Reason((), (), ("INVITE rate unchanged",))
    assert empty.short() == empty.long() == NOTHING
