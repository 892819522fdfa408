"""A Diameter connection: capabilities first, then requests, and a watchdog that listens.

References
----------
RFC 6733 sections 2.1 (timer Tc), 5.3 (capabilities), 5.5 (watchdog); RFC 3539 section 3.4.1 (timer
Tw, suspicion, failover).
"""

from __future__ import annotations

from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.diameter import (
    capabilities,
    capabilities_answer,
    watchdog_answer,
    watchdog_of,
)
from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.sctp import SctpStream
from traffic_siamese.simulate.signalling.stream import Stream
from traffic_siamese.simulate.signalling.subscribers import Site
from traffic_siamese.simulate.signalling.world import DOWN, UP

_WATCHDOG_WORK = 0.3
"""What a watchdog costs the core, in messages."""
_JITTER_S = 2.0
"""Tw varies by as much either way (RFC 3539 section 3.4.1)."""


class Association:
    """A client's connection to a core, opened again and again after it was lost.

    Parameters
    ----------
    site : Site
    place, core : Endpoint
    is_open : bool
        Whether it has been open for long.

    Attributes
    ----------
    state : str
        ``down``, ``opening``, ``open``, or ``suspect``: the watchdog hears nothing.
    """

    reliable = True

    __slots__ = (
        "_core", "_heard_s", "_n_opened", "_pending", "_place", "_site", "_stream", "_waiting",
        "_world", "n_users", "state",
    )  # fmt: skip

    def __init__(self, site: Site, place: Endpoint, core: Endpoint, *, is_open: bool) -> None:
        self._site, self._place, self._core = site, place, core
        self._world = site.world
        self._heard_s = [self._world.clock.now_s] * 2
        self._pending = [False, False]
        self._waiting: list[tuple[bytes, Action, object]] = []
        self._n_opened = self.n_users = 0
        self.state = "down"
        self._stream: Stream | SctpStream | None = None
        if is_open:
            self._stream = self._new_stream(is_open=True)
            self._become_open()

    def connect(self, _: object) -> None:
        """Open the connection, and say what the client can do."""
        if self.state == "down":
            self.state = "opening"
            self._stream = self._new_stream(is_open=False)
            wire = capabilities(self._place, self._ids())
            self._stream.send(UP, wire, self._meet_capabilities, wire)

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send a message; what is sent while the connection opens waits until it is open."""
        if self.state == "opening" and way == UP:
            self._waiting.append((payload, arrive, subject))
        elif self._stream is not None:
            self._stream.send(way, payload, self._arrive, (way, arrive, subject))

    def refuse(self, payload: bytes) -> None:
        """Reset the connection: no process listens any more."""
        if self._stream is not None:
            self._stream.refuse(payload)

    def _new_stream(self, *, is_open: bool) -> Stream | SctpStream:
        address = self._place.address
        ends = Endpoint(address, self._site.next_port(address)), self._core
        make = SctpStream if self._world.network.transport == "sctp" else Stream
        return make(self._world, ends, lost=self._lose, is_open=is_open)

    def _ids(self) -> tuple[int, int]:
        random = self._world.random
        return random.getrandbits(32), random.getrandbits(32)

    def _lose(self, stream: Stream | SctpStream) -> None:
        """Open another connection after timer Tc."""
        if stream is not self._stream:
            return
        self.state, self._stream = "down", None
        self._waiting = []
        wait_s = self._world.network.reconnect_s * self._world.random.uniform(0.9, 1.1)
        self._world.clock.after(wait_s, self.connect)

    def _arrive(self, subject: tuple[int, Action, object]) -> None:
        """Take any message in: who sent it is alive."""
        way, arrive, content = subject
        self._heard_s[way] = self._world.clock.now_s
        self._pending[way] = False
        if way == DOWN and self.state == "suspect":
            self.state = "open"
        arrive(content)

    def _meet_capabilities(self, asked: bytes) -> None:
        if not self._world.conditions.down and self._stream is not None:
            answer = capabilities_answer(asked, self._core)
            self._stream.send(DOWN, answer, self._meet_answer, None)

    def _meet_answer(self, _: object) -> None:
        waiting, self._waiting = self._waiting, []
        self._become_open()
        for message in waiting:
            self.send(UP, *message)

    def _become_open(self) -> None:
        self.state = "open"
        self._n_opened += 1
        self._pending = [False, False]
        now_s, wait_s = self._world.clock.now_s, self._watchdog_s()
        self._heard_s = [now_s, now_s]
        for way in (UP, DOWN):
            first_s = wait_s * self._world.random.random()
            self._world.clock.after(first_s, self._watch, (way, self._n_opened))

    def _watchdog_s(self) -> float:
        jitter_s = self._world.random.uniform(-_JITTER_S, _JITTER_S)
        return max(self._world.network.watchdog_s + jitter_s, _JITTER_S)

    def _watch(self, subject: tuple[int, int]) -> None:
        """Ask whether the other side lives, where nothing was heard from it for Tw.

        The side that asks sends by this way: the client UP, the core DOWN.
        """
        way, number = subject
        if number != self._n_opened or self.state not in ("open", "suspect"):
            return
        wait_s = self._watchdog_s()
        left_s = self._heard_s[1 - way] + wait_s - self._world.clock.now_s
        if left_s <= 0 and not self._take_silence(way):
            return
        self._world.clock.after(left_s if left_s > 0 else wait_s, self._watch, subject)

    def _take_silence(self, way: int) -> bool:
        """Ask; suspect the connection; give it up. Returns whether it is still there."""
        if not self._pending[1 - way]:
            self._ask(way)
        elif way == UP:
            if self.state == "suspect":
                if self._stream is not None:
                    self._stream.abort()
                return False
            self.state = "suspect"
        return True

    def _ask(self, way: int) -> None:
        if way == DOWN and self._world.conditions.down:
            return
        self._pending[1 - way] = True
        wire = watchdog_of(self._place, self._ids(), from_core=way == DOWN)
        self.send(way, wire, self._meet_watchdog, (way, wire))

    def _meet_watchdog(self, subject: tuple[int, bytes]) -> None:
        world = self._world
        if subject[0] == DOWN:
            self._answer(subject)
            return
        done_s = world.server.admit(world.clock.now_s, work=_WATCHDOG_WORK)
        if done_s is not None:
            world.clock.at(done_s, self._answer, subject)

    def _answer(self, subject: tuple[int, bytes]) -> None:
        way, asked = subject
        if way == UP and self._world.conditions.down:
            return
        answer = watchdog_answer(asked, self._place if way == DOWN else None)
        self.send(1 - way, answer, _ignore, None)


def _ignore(_: object) -> None:
    """Do nothing: the watchdog has noted already that something came."""
