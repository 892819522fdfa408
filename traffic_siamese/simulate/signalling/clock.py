"""The clock of a simulation: what happens next, and when."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Action = Callable[[Any], None]


class Clock:
    """Runs actions in the order of their times; equal times in the order of their planning.

    Attributes
    ----------
    now_s : float
        The present, seconds; negative while the network warms up.
    """

    __slots__ = ("_heap", "_n", "now_s")

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s
        self._heap: list[tuple[float, int, Action, Any]] = []
        self._n = 0

    def at(self, time_s: float, action: Action, subject: Any = None) -> None:
        """Plan ``action(subject)`` for a time that is not past."""
        self._n += 1
        heappush(self._heap, (time_s, self._n, action, subject))

    def after(self, wait_s: float, action: Action, subject: Any = None) -> None:
        """Plan ``action(subject)`` for some seconds from now."""
        self._n += 1
        heappush(self._heap, (self.now_s + wait_s, self._n, action, subject))

    def run_until(self, end_s: float) -> None:
        """Do all that is planned before a time, and what follows from it."""
        heap = self._heap
        while heap and heap[0][0] < end_s:
            self.now_s, _, action, subject = heappop(heap)
            action(subject)
        self.now_s = end_s
