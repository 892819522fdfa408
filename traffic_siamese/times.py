"""Times as people write them and as the package keeps them: nanoseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
