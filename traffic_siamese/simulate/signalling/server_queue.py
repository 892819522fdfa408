"""A server that works on one message at a time, with a finite queue in front of it."""

from __future__ import annotations

from collections import deque
from random import Random


class ServerQueue:
    """First come, first served; service times are exponential.

    With Poisson arrivals this is M/M/1/K: the queue whose mean wait, without a limit, is
    rho / (mu - lambda).

    Parameters
    ----------
    service_s : float, > 0
        Mean time that one message takes.
    room : int
        Messages that fit, the one in service included.
    random : random.Random

    Attributes
    ----------
    slowdown : float, >= 1
        How many times as long each message takes; what a fault changes.
    n_refused : int
        Messages that found the queue full.

    References
    ----------
    L. Kleinrock, "Queueing Systems", volume 1 (1975), sections 3.2 and 3.6.
    """

    def __init__(self, *, service_s: float, room: int, random: Random) -> None:
        self.service_s, self.room = service_s, room
        self.slowdown = 1.0
        self.n_refused = 0
        self._random = random
        self._ends_s: deque[float] = deque()

    def admit(self, now_s: float, *, work: float = 1.0) -> float | None:
        """Take a message in, and return when it is done; None where the queue is full.

        ``work`` is how much it asks for, in mean messages.
        """
        ends_s = self._ends_s
        while ends_s and ends_s[0] <= now_s:
            ends_s.popleft()
        if len(ends_s) >= self.room:
            self.n_refused += 1
            return None
        start_s = ends_s[-1] if ends_s else now_s
        mean_s = self.service_s * self.slowdown * work
        end_s = start_s + self._random.expovariate(1.0) * mean_s
        ends_s.append(end_s)
        return end_s

    def clear(self) -> None:
        """Forget what waits: the process was killed."""
        self._ends_s.clear()
