"""The capture point: what passes it, in the order of time."""

from __future__ import annotations

from operator import itemgetter

Record = tuple[float, int, bytes, int, int, int]
"""Time in seconds, flow, payload, TCP sequence and acknowledgement number, TCP flags.

Of SCTP, the first number is the verification tag."""

_BY_TIME = itemgetter(0)


class Tap:
    """Keeps packets until the clock has passed them: they are noted before they come by."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def take(self, until_s: float) -> list[Record]:
        """Hand over what came by from second 0 to a time, in order."""
        self.records.sort(key=_BY_TIME)
        times = self.records
        n = _count_before(times, until_s)
        taken, self.records = times[:n], times[n:]
        return taken[_count_before(taken, 0.0) :]


def _count_before(records: list[Record], time_s: float) -> int:
    low, high = 0, len(records)
    while low < high:
        middle = (low + high) // 2
        if records[middle][0] < time_s:
            low = middle + 1
        else:
            high = middle
    return low
