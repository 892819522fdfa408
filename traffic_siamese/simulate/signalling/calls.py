"""Calls as SIP knows them: begun from either side, ringing, answered or not, ended by either."""

from __future__ import annotations

from typing import Protocol, cast

from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.protocol import Dialogue
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.world import DOWN, UP

_FAILURES = {"busy": 486, "unavailable": 480, "not_found": 404}
_PATIENCE_S = 8.0
_LATE_S = 8.0


class CallDialogue(Dialogue, Protocol):
    """What a protocol must write beside, to have calls."""

    media_port: int

    def resume(self) -> None:
        """Be a call that was answered long ago."""

    def acknowledge(self, asked: bytes, *, accepted: bool) -> bytes:
        """Write the acknowledgement of a final answer."""

    def cancel(self, asked: bytes) -> bytes:
        """Write that the caller waits no more."""


class Call(Errand):
    """A call of a subscriber, or to it.

    Parameters
    ----------
    site : Site
    subscriber : Subscriber
    n_tries : int
    way : int
        UP where the subscriber calls.

    Attributes
    ----------
    fate : str
        How it ends where nothing goes wrong: ``answered``, ``busy``, ``unavailable``,
        ``not_found`` or ``no_answer``.
    """

    kind = "session"
    dialogue: CallDialogue

    __slots__ = ("_cancelling", "_invite", "_is_over", "_own_way", "_vanished", "fate")

    def __init__(
        self, site: Site, subscriber: Subscriber, n_tries: int = 0, *, way: int = UP
    ) -> None:
        self._own_way = way
        self._vanished = self._is_over = False
        self._invite: Transaction | None = None
        self._cancelling: Transaction | None = None
        media_port = site.world.random.randrange(10_000, 30_000, 2)
        self.fate = draw_fate(site)
        super().__init__(site, subscriber, n_tries)
        self.dialogue.media_port = media_port

    def start(self) -> None:
        """Ask for the call."""
        self.channel.n_users += 1
        self._invite = self.send("session_start", way=self._own_way, invite=True)

    def resume(self, left_s: float) -> None:
        """Be a call that was answered before the beginning, and lasts for some more seconds."""
        self.channel = self.site.channel(self.subscriber, is_open=True)
        self.channel.n_users += 1
        self.dialogue.resume()
        self.world.clock.after(left_s, self._hang_up)

    def begin(self) -> CallDialogue:
        """Return what writes the messages; in a mass call all ask for number 1."""
        random = self.world.random
        number = 1 if random.random() < self.world.conditions.one_callee else None
        if number:
            self.fate = "busy"
        number = number or random.randrange(10**9)
        make = self.site.protocol.dialogue
        return cast(
            CallDialogue, make(self.site, self.subscriber, self.kind, number, self._own_way)
        )

    def is_there(self) -> bool:
        """Whether the device works, and its user has not gone away in the middle of the call."""
        return not self._vanished and super().is_there()

    def serve(self, transaction: Transaction) -> None:
        """Answer a request of this call: at once that it is worked on, then what becomes of it."""
        world = self.world
        if transaction.way == DOWN:
            world.clock.after(world.draw_about(world.network.device_s), self._react, transaction)
        elif transaction.overflowed:
            self.answer(transaction, 503)
        else:
            if transaction.invite:
                self.answer(transaction, 100)
            world.clock.after(self.backend_s(), self._process, transaction)

    def _process(self, transaction: Transaction) -> None:
        """Answer for the core."""
        if not transaction.invite:
            self.answer(transaction, self.failure() or 200)
            if transaction is self._cancelling and self._invite:
                self.answer(self._invite, 487)
            return
        status = self.obstacle()
        if status is None:
            return  # swallowed on the way
        if status:
            wait_s = self.world.draw_about(_LATE_S) if status == 408 else 0.0
            self.world.clock.after(wait_s, self.answer_late, (transaction, status))
            return
        self._ring(transaction)

    def _react(self, transaction: Transaction) -> None:
        """Answer for the subscriber's device."""
        if not self.is_there():
            return
        if transaction.invite:
            self._ring(transaction)
        else:
            self.answer(transaction, 200)

    def _ring(self, transaction: Transaction) -> None:
        world = self.world
        if self.fate in _FAILURES:
            wait_s = world.draw_about(world.network.backend_s) + world.random.expovariate(8)
            world.clock.after(wait_s, self.answer_late, (transaction, _FAILURES[self.fate]))
            return
        self.answer(transaction, 180)
        if self.fate == "answered":
            world.clock.after(
                world.draw_about(world.network.ring_s, 0.8), self._accept, transaction
            )

    def _accept(self, transaction: Transaction) -> None:
        """Let the callee answer, unless its device is gone."""
        if transaction.way == DOWN and not self.is_there():
            return
        self.answer(transaction, 200)

    def answered(self, transaction: Transaction, status: int) -> bytes | None:
        """Take an answer: to the INVITE, talk or give up; the reaction is the ACK."""
        if not transaction.invite:
            return None
        world = self.world
        if status < 200:
            if status == 180 and self.fate == "no_answer":
                world.clock.after(world.draw_about(_PATIENCE_S, 0.4), self._cancel)
            elif status == 100:
                world.clock.after(4 * _PATIENCE_S, self._cancel)
            return None
        if status >= 300:
            self._end()
            if status >= 500 or status == 408:
                self.try_again()
            return self.dialogue.acknowledge(transaction.request, accepted=False)
        vanishing = world.conditions.vanishing
        if self._own_way == UP and vanishing and world.random.random() < vanishing:
            self._vanished = True
            return None
        world.clock.after(world.draw_about(world.network.hold_s, 0.7), self._hang_up)
        return self.dialogue.acknowledge(transaction.request, accepted=True)

    def failed(self, transaction: Transaction) -> None:
        """No final answer came: the call is over; its caller perhaps tries again."""
        self._end()
        if transaction.invite and transaction.way == UP:
            self.try_again()

    def _cancel(self, _: object) -> None:
        """Give up waiting for the answer (section 9.1)."""
        invite = self._invite
        if invite is None or invite.final or invite.cancelled or not self._caller_works():
            return
        invite.cancelled = True
        wire = self.dialogue.cancel(invite.request)
        self._cancelling = self.transaction(wire, way=self._own_way)
        self._cancelling.start()
        if self._own_way == DOWN:
            self.world.clock.after(self.world.network.device_s, self.answer_late, (invite, 487))

    def _caller_works(self) -> bool:
        return self._own_way == DOWN or self.is_there()

    def _hang_up(self, _: object) -> None:
        """End the call from either side."""
        way = DOWN if self.world.random.random() < self.world.network.core_ends_share else UP
        if way == UP and not self.is_there():
            return
        self.send("session_end", way=way)
        self._end()

    def _end(self) -> None:
        """Say that the connection is not needed any more."""
        if not self._is_over:
            self._is_over = True
            self.channel.n_users -= 1


def draw_fate(site: Site) -> str:
    """Draw how a call ends where nothing goes wrong."""
    network, random = site.world.network, site.world.random
    weights = (
        network.answered, network.busy, network.unavailable, network.not_found, network.no_answer,
    )  # fmt: skip
    fates = ("answered", "busy", "unavailable", "not_found", "no_answer")
    if random.random() * sum(weights) < weights[0]:
        return fates[0]
    return random.choices(fates[1:], weights[1:])[0] if sum(weights[1:]) else fates[0]
