"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.times import (
    format_clock,
    format_time,
    is_relative,
    parse_moment,
    parse_time,
)

SECOND = 10**9
DAY = 86_400 * SECOND
NOON = parse_time("2026-11-22T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01", 1),
        ("1970-01-01 00:01:00Z", 60),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T23:59:59Z", -1),
        (" 1970-01-02T00:00:00Z ", 86_400),
    ],
)
def test_times_are_read_as_utc(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "noon", "12:00", "2026-13-01T00:00:00Z", "1795328363"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))
def test_a_time_survives_writing_and_reading_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    text = moment.isoformat().replace("+00:00", "Z")
    assert parse_time(format_time(parse_time(text))) == parse_time(text)
    assert format_clock(parse_time(text)) == text[11:19]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+0", NOON),
        ("+95", NOON + 95 * SECOND),
        ("+1.25", NOON + 1_250_000_000),
        ("12:00:30", NOON + 30 * SECOND),
        ("12:00:30.5", NOON + 30_500_000_000),
        ("11:30:00", NOON - 1800 * SECOND),  # a little before the capture is still its own day
        ("00:10:00", NOON + 12 * 3600 * SECOND + 600 * SECOND),  # after midnight
        ("2026-11-22T12:00:01Z", NOON + SECOND),
    ],
)
def test_moments_count_from_the_captures_start(text: str, expected: int) -> None:
    assert parse_moment(text, origin_ns=NOON) == expected


@pytest.mark.parametrize("text", ["+", "95", "-5", "24:00:00", "12:60:00", "12:00", "+1e3", "x"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    assert not is_relative(text)
    with pytest.raises(ValueError, match=r".*"):
        parse_moment(text, origin_ns=NOON)


def test_only_clock_times_and_offsets_need_a_start() -> None:
    assert is_relative("+5")
    assert is_relative(" 06:31:13 ")
    assert not is_relative("2026-11-22T06:31:13Z")
