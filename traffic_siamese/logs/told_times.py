"""Times as other tools write them: seconds since the epoch with a fraction, or ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.times import parse_time

_SECONDS = re.compile(r"(-?)(\d{1,10})(?:\.(\d{0,9})\d*)?", re.ASCII)
_FRACTION = re.compile(r"(\d\d:\d\d:\d\d)[.,](\d{1,9})", re.ASCII)
MAX_NS = 9_000_000_000 * 10**9
"""The year 2255: what counts as a time."""


def time_ns_of(text: str) -> int:
    """Read seconds since the epoch to the nanosecond, or an ISO 8601 time.

    Raises
    ------
    ValueError
        If it is neither.
    """
    found = _SECONDS.fullmatch(text)
    if found:
        sign, whole, part = found.groups()
        value = int(whole) * 10**9 + int((part or "").ljust(9, "0"))
        value = -value if sign else value
    else:
        fraction = _FRACTION.search(text)
        plain = text if not fraction else text[: fraction.end(1)] + text[fraction.end() :]
        value = parse_time(plain) + (int(fraction[2].ljust(9, "0")) if fraction else 0)
    if abs(value) > MAX_NS:
        raise ValueError(f"{text!r} is no time before 2255")
    return value


def times_of(
    name: str, texts: Sequence[str], *, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read a column of times.

    Returns
    -------
    time_ns : ndarray of shape (n,), int64
    is_known : ndarray of shape (n,), bool
        Rows without a readable time are to be left out.

    Raises
    ------
    CaptureError
        If no row has one.
    """
    out = np.zeros(len(texts), np.int64)
    known = np.zeros(len(texts), bool)
    bad = -1
    for i, text in enumerate(texts):
        try:
            out[i] = time_ns_of(text)
            known[i] = True
        except (ValueError, OverflowError):
            bad = i if bad < 0 else bad
    if not known.any():
        found = repr(texts[bad][:40]) if bad >= 0 else "no row"
        raise CaptureError(
            f"{name}: row {max(bad, 0) + 1}: {column} is {found}, expected a time such as "
            "1700000000.25 or 2026-01-31T14:15:00Z. Export it again."
        )
    return out, known
