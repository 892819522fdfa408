"""Times as people write them and as the package keeps them: nanoseconds since the epoch, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_NS = 86_400 * 10**9
_BEFORE_NS = 3600 * 10**9
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)", re.ASCII)
_OFFSET = re.compile(r"\+(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


def parse_time(text: str) -> int:
    """Read an RFC 3339 time; without an offset it is UTC.

    Returns
    -------
    int
        Nanoseconds since the Unix epoch.

    Raises
    ------
    ValueError
        If the text is no such time.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND * 1000


def format_time(time_ns: int) -> str:
    """Write a time as RFC 3339 in UTC, to the millisecond."""
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def format_clock(time_ns: int) -> str:
    """Write the time of day alone, UTC, to the second."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).strftime("%H:%M:%S")


def is_relative(text: str) -> bool:
    """Return whether a time says nothing without a capture's start: a clock time or an offset."""
    return bool(_CLOCK.fullmatch(text.strip()) or _OFFSET.fullmatch(text.strip()))


def parse_moment(text: str, *, origin_ns: int) -> int:
    """Read a time in a capture.

    Parameters
    ----------
    text : str
        An RFC 3339 time; ``HH:MM:SS`` for the first such time of day, UTC, that is no more than
        an hour before the origin; or ``+SECONDS`` from the origin.
    origin_ns : int
        Start of the capture, nanoseconds since the epoch.

    Returns
    -------
    int
        Nanoseconds since the Unix epoch.

    Raises
    ------
    ValueError
        If the text is none of these.
    """
    text = text.strip()
    if offset := _OFFSET.fullmatch(text):
        return origin_ns + _seconds_ns(offset[1])
    if moment := _CLOCK.fullmatch(text):
        of_day = (int(moment[1]) * 3600 + int(moment[2]) * 60) * 10**9 + _seconds_ns(moment[3])
        time_ns = origin_ns // _DAY_NS * _DAY_NS + of_day
        return time_ns + _DAY_NS if time_ns < origin_ns - _BEFORE_NS else time_ns
    return parse_time(text)


def _seconds_ns(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0") or 0)
