"""How much a router left out: sampling intervals that flow exports state.

A router that looks at one packet in a hundred counts a hundredth. Its records are multiplied, by
what they state themselves, or else by what their exporter's options state.

References
----------
Cisco, "NetFlow Export Datagram Format" (sampling_interval of version 5); IANA, "IPFIX Information
Elements" (34, 50, 305, 306); RFC 5477 section 8.2 (packet interval and space).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_INTERVALS = (34, 50)
_SAMPLED, _LEFT_OUT = 305, 306
_V5_AT = 22
_V5_BITS = 0x3FFF
_MOST = 1_000_000.0
"""A larger interval is damage: no router looks at one packet in a million."""


def interval_of_v5(payload: bytes) -> float:
    """Return the interval that the header of version 5 states; 1 where it states none."""
    return float(max(int.from_bytes(payload[_V5_AT : _V5_AT + 2]) & _V5_BITS, 1))


def intervals_of(fields: Mapping[int, NDArray[np.uint64]], n: int) -> NDArray[np.float64]:
    """Return the interval that each record states, shape (n,); NaN where it states none.

    Parameters
    ----------
    fields : mapping of int to ndarray of shape (n,), uint64
        By IANA element.
    n : int
        How many records there are.
    """
    for element in _INTERVALS:
        if element in fields:
            return _plausible(fields[element].astype(np.float64))
    if _SAMPLED in fields and _LEFT_OUT in fields:
        sampled = fields[_SAMPLED].astype(np.float64)
        whole = sampled + fields[_LEFT_OUT].astype(np.float64)
        return _plausible(whole / np.maximum(sampled, 1.0))
    return np.full(n, np.nan)


def _plausible(intervals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take 0, which exporters write for all packets, for 1; and what cannot be for none."""
    intervals = np.maximum(intervals, 1.0)
    return np.where(intervals <= _MOST, intervals, np.nan)
