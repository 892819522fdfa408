"""Times of a table's rows: which column holds them, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import Int64Array

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAMES = (
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "@timestamp",
    "ts",
    "time_stamp",
    "timestamp_utc",
    "epoch",
    "frame.time_epoch",
    "endtime",
    "end_time",
    "end",
    "starttime",
    "start_time",
    "start",
    "date",
    "period",
)
_LIKELY = re.compile(r"time|date|epoch|^ts$", re.IGNORECASE)
_UNITS = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3), (np.inf, 1))
"""Epoch numbers below the first are seconds, below the next milliseconds, microseconds, else ns."""
_EARLIEST_S, _LATEST_S = 1e8, 4.2e9  # 1973 and 2103: what looks like a time by its size alone
_COMPACT = {
    14: (19700101000000, 21001231235959, "%Y%m%d%H%M%S"),
    12: (197001010000, 210012312359, "%Y%m%d%H%M"),
}
_YEAR_FIRST = re.compile(r"\d{4}[/.]\d{1,2}[/.]\d{1,2}")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")
EXPECTED = "ISO 8601 (2026-01-31T14:05:00+01:00), YYYYMMDDhhmmss, or epoch s, ms, µs or ns"


def likely_time_columns(names: Iterable[str]) -> list[str]:
    """Put the columns whose names speak of time first, likeliest first; leave out the others."""
    names = list(names)
    place = {name: i for i, name in enumerate(_NAMES)}
    known = sorted((n for n in names if n.lower() in place), key=lambda n: place[n.lower()])
    return known + [n for n in names if n not in known and _LIKELY.search(n)]


def parse_time_text(text: str) -> datetime:
    """Read a time as people and programs write it; naive where it says no offset.

    Raises
    ------
    ValueError
        If the text is none of the known forms.
    """
    text = text.strip()
    if text.isdigit() and len(text) in _COMPACT:
        return datetime.strptime(text, _COMPACT[len(text)][2])
    if _YEAR_FIRST.match(text):
        text = re.sub("[/.]", "-", text[:10]) + text[10:]
    elif parts := _DAY_FIRST.fullmatch(text):
        text = f"{parts[3]}-{int(parts[2]):02d}-{int(parts[1]):02d}{parts[4]}"
    return datetime.fromisoformat(text.removesuffix(" UTC"))


def times_of_texts(texts: Iterable[str], zone: tzinfo) -> Int64Array:
    """Turn texts into nanoseconds since the epoch.

    Times without an offset are of ``zone``. In the hour that a change of clocks repeats, a time
    that does not go on from the one before it is taken for the second one.

    Raises
    ------
    ValueError
        Of the first text that is no time; its ``args`` are the message and the row's number.
    """
    out: list[int] = []
    before = -(2**62)
    for row, text in enumerate(texts):
        try:
            moment = parse_time_text(text)
        except ValueError as err:
            raise ValueError(str(err), row) from err
        before = _nanoseconds(moment, zone, before)
        out.append(before)
    return np.array(out, np.int64)


def _nanoseconds(moment: datetime, zone: tzinfo, before: int) -> int:
    if moment.tzinfo is not None:
        return (moment - _EPOCH) // _MICROSECOND * 1000
    found = (moment.replace(tzinfo=zone) - _EPOCH) // _MICROSECOND * 1000
    if zone is not UTC and found <= before:
        later = (moment.replace(tzinfo=zone, fold=1) - _EPOCH) // _MICROSECOND * 1000
        return later if later > before else found
    return found


def times_of_numbers(values: NDArray[np.generic], zone: tzinfo) -> Int64Array:
    """Turn numbers into nanoseconds since the epoch: epoch times by size, or written-out dates.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), integer or float
        No NaN.
    zone : tzinfo
        Of dates written as YYYYMMDDhhmmss or YYYYMMDDhhmm.

    Raises
    ------
    ValueError
        If a number is beyond what a time can be.
    """
    usual = float(np.median(np.abs(values.astype(np.float64)))) if len(values) else 0.0
    if _is_compact(values):
        return times_of_texts((str(int(value)) for value in values.tolist()), zone)
    unit = next(factor for limit, factor in _UNITS if usual < limit)
    if np.issubdtype(values.dtype, np.integer):
        whole = values.astype(np.int64)
        limit = (2**63 - 1) // unit
        if len(whole) and int(np.abs(whole).max()) > limit:
            raise ValueError(f"{int(whole[np.argmax(np.abs(whole))])} is beyond any time", 0)
        return whole * unit
    numbers = values.astype(np.float64)
    if len(numbers) and not np.abs(numbers).max() * unit < 2.0**63:
        raise ValueError(f"{numbers[np.argmax(np.abs(numbers))]:g} is beyond any time", 0)
    if unit == 10**9:  # a double keeps microseconds of today's seconds, not more
        return np.rint(numbers * 1e6).astype(np.int64) * 1000
    return np.rint(numbers * unit).astype(np.int64)


def looks_like_time(values: NDArray[np.generic]) -> bool:
    """Tell whether numbers are times by their size: epoch numbers or dates of 1973 to 2103."""
    numbers = values.astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) < 2 or np.ptp(numbers) == 0:
        return False
    if _is_compact(numbers):
        return True
    usual = float(np.median(numbers))
    unit = next(factor for limit, factor in _UNITS if abs(usual) < limit)
    seconds = numbers * (unit / 1e9)
    return bool(seconds.min() > _EARLIEST_S and seconds.max() < _LATEST_S and unit < 10**9) or bool(
        seconds.min() > 1e9 and seconds.max() < 2e9 and np.mean(np.diff(numbers) >= 0) > 0.9
    )


def _is_compact(values: NDArray[np.generic]) -> bool:
    """Tell whether numbers are dates written without separators."""
    numbers = values.astype(np.float64)
    for low, high, form in _COMPACT.values():
        if len(numbers) and numbers.min() >= low and numbers.max() <= high:
            return all(_is_date(int(number), form) for number in numbers[:50].tolist())
    return False


def _is_date(number: int, form: str) -> bool:
    try:
        datetime.strptime(str(number), form)
    except ValueError:
        return False
    return True


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as err:
        raise ValueError(
            f"{name!r} is no time zone, expected an IANA name such as Europe/Berlin"
        ) from err
