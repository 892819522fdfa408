"""Sessions as credit control knows them: granted at once, renewed, ended by who began them."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.calls import draw_fate
from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.world import UP

_FAILURES = {"busy": 486, "unavailable": 403, "not_found": 404}
_LATE_S = 8.0


class Session(Errand):
    """A session of a subscriber: started, updated every so often, and ended.

    Parameters
    ----------
    site : Site
    subscriber : Subscriber
    n_tries : int
    way : int
        UP: the core begins none.
    """

    kind = "session"

    __slots__ = ("_asks", "_end_s", "_fate")

    def __init__(
        self, site: Site, subscriber: Subscriber, n_tries: int = 0, *, way: int = UP
    ) -> None:
        self._asks = "session_start"
        self._end_s = 0.0
        self._fate = draw_fate(site)
        super().__init__(site, subscriber, n_tries)

    def start(self) -> None:
        """Ask for the session."""
        self.send(self._asks)

    def resume(self, left_s: float) -> None:
        """Be a session that began long ago, and lasts for some more seconds."""
        self._end_s = self.world.clock.now_s + left_s
        self._plan()

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core; what is misrouted may be answered late, or never."""
        if self._asks != "session_start":
            self.answer(transaction, self.failure() or 200)
            return
        status = self.obstacle()
        if status is None:
            return  # swallowed on the way
        wait_s = self.world.draw_about(_LATE_S) if status == 408 else 0.0
        status = status or _FAILURES.get(self._fate, 200)
        self.world.clock.after(wait_s, self.answer_late, (transaction, status))

    def answered(self, transaction: Transaction, status: int) -> bytes | None:
        """Go on where it was granted; after an error of the core's perhaps try again."""
        if status < 300:
            if self._asks == "session_start":
                hold_s = self.world.draw_about(self.world.network.hold_s, 0.7)
                self._end_s = self.world.clock.now_s + hold_s
            if self._asks != "session_end":
                self._plan()
        elif self._asks == "session_start" and (status >= 500 or status == 408):
            self.try_again()
        return None

    def failed(self, transaction: Transaction) -> None:
        """No answer came: without credit there is no session."""
        if self._asks == "session_start":
            self.try_again()

    def _plan(self) -> None:
        """Plan the next request."""
        clock = self.world.clock
        left_s = self._end_s - clock.now_s
        update_s = self.world.draw_about(self.world.network.update_s, 0.1)
        if update_s < left_s:
            clock.after(update_s, self._ask, "session_update")
        else:
            clock.after(max(left_s, 0.0), self._ask, "session_end")

    def _ask(self, what: str) -> None:
        if self.is_there():
            self._asks = what
            self.send(what)
