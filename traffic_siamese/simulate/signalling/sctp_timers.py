"""Named timers that can be stopped."""

from __future__ import annotations

from collections.abc import Callable

from traffic_siamese.simulate.signalling.clock import Clock

_Ring = tuple[str, int, Callable[[], object]]


class Timers:
    """Timers of one end; started again, one begins anew.

    Parameters
    ----------
    clock : Clock
    """

    __slots__ = ("_clock", "_is_over", "_n_started", "_running")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_over = False
        self._n_started = 0
        self._running: dict[str, int] = {}

    def start(self, name: str, wait_s: float, action: Callable[[], object]) -> None:
        """Do something after some seconds, unless it is stopped."""
        if self._is_over:
            return
        self._n_started += 1
        self._running[name] = self._n_started
        self._clock.after(wait_s, self._ring, (name, self._n_started, action))

    def stop(self, name: str) -> None:
        """Stop one, if it runs."""
        self._running.pop(name, None)

    def end(self) -> None:
        """Stop all, and start none any more."""
        self._is_over = True
        self._running.clear()

    def runs(self, name: str) -> bool:
        """Tell whether one runs."""
        return name in self._running

    def _ring(self, subject: _Ring) -> None:
        name, number, action = subject
        if self._running.get(name) == number:
            del self._running[name]
            action()
