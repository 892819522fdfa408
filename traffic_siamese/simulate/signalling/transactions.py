"""SIP transactions, client and server side, with the timers of RFC 3261 section 17."""

from __future__ import annotations

from typing import Protocol

from traffic_siamese.simulate.signalling import timers
from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.world import UP, World

_ABSORBING_WORK = 0.3
"""What a repeated request, or an ACK, costs the core, in messages."""


class Channel(Protocol):
    """What carries messages both ways; ``n_users`` is how many calls need it to stay."""

    reliable: bool
    n_users: int

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send; ``arrive(subject)`` happens where it arrives."""

    def refuse(self, payload: bytes) -> None:
        """Tell the subscriber that no process listens."""


class Party(Protocol):
    """Who asks in a transaction, or who serves it."""

    def serve(self, transaction: Transaction) -> None:
        """Answer a new request, now or later."""

    def answered(self, transaction: Transaction, status: int) -> bytes | None:
        """Take an answer; the reaction to a final one of INVITE is its ACK."""

    def failed(self, transaction: Transaction) -> None:
        """Take note that no final answer came in time."""

    def is_there(self) -> bool:
        """Whether the subscriber's device works."""


class Transaction:
    """One request and its answers, as both ends see them.

    Parameters
    ----------
    world : World
    channel : Channel
    party : Party
        The subscriber's or the core's part in it.
    request : bytes
    way : int
        Direction of the request.
    invite : bool

    Attributes
    ----------
    answer : bytes
        The last answer given, empty before.
    final, acknowledged, cancelled : bool
        Whether a final answer arrived at the client, an ACK at the server; whether the client
        wants it no more.
    overflowed : bool
        Whether the request found the core's queue full.
    """

    __slots__ = (
        "_ack", "_answer_wait_s", "_answered_s", "_asked_s", "_proceeding", "_received", "_status",
        "_wait_s", "acknowledged", "answer", "cancelled", "channel", "final", "invite",
        "overflowed", "party", "request", "way", "world",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        channel: Channel,
        party: Party,
        request: bytes,
        *,
        way: int = UP,
        invite: bool = False,
    ) -> None:
        self.world, self.channel, self.party = world, channel, party
        self.request, self.way, self.invite = request, way, invite
        self.answer = b""
        self.final = self.acknowledged = self.cancelled = self.overflowed = False
        self._proceeding = self._received = False
        self._wait_s = self._answer_wait_s = timers.T1_S
        self._asked_s = self._answered_s = 0.0
        self._status = 0
        self._ack: bytes | None = None

    def start(self) -> None:
        """Send the request."""
        clock = self.world.clock
        self._asked_s = clock.now_s
        self.channel.send(self.way, self.request, self._arrive, None)
        if self.channel.reliable:
            clock.after(timers.TIMEOUT_S, self._give_up)
        else:
            clock.after(self._wait_s, self._repeat)

    def start_carelessly(self) -> None:
        """Send the request once, and do not listen."""
        self.final = True
        self.channel.send(self.way, self.request, self._arrive, None)

    def give_answer(self, status: int, answer: bytes) -> None:
        """Answer the request; a final answer to INVITE is repeated until it is acknowledged."""
        if status >= 200 and self._status >= 200:
            return
        self._status, self.answer = status, answer
        self._answered_s = self.world.clock.now_s
        self._send_answer()
        if self.invite and status >= 200 and (status < 300 or not self.channel.reliable):
            self.world.clock.after(self._answer_wait_s, self._repeat_answer)

    def _repeat(self, _: object) -> None:
        """Timers A and E: send again, after twice the time; timers B and F end that."""
        if self.final or (self.invite and self._proceeding):
            return
        if not self._client_works():
            return
        clock = self.world.clock
        elapsed_s = clock.now_s - self._asked_s
        if elapsed_s >= timers.TIMEOUT_S - 1e-6:
            self._give_up(None)
            return
        self.channel.send(self.way, self.request, self._arrive, None)
        self._wait_s = timers.next_interval(self._wait_s, capped=not self.invite)
        left_s = timers.TIMEOUT_S - elapsed_s
        clock.after(self._wait_s if self._wait_s < left_s else left_s, self._repeat)

    def _give_up(self, _: object) -> None:
        if not self.final and not (self.invite and self._proceeding):
            self.final = True
            self.party.failed(self)

    def _client_works(self) -> bool:
        return self.way != UP or self.party.is_there()

    def _arrive(self, _: object) -> None:
        """Take the request in at the server: the core's queue, or the subscriber's device."""
        if self.way != UP:
            if self.party.is_there():
                self._take(None)
            return
        world = self.world
        if world.conditions.down:
            if not world.conditions.silent:
                self.channel.refuse(self.request)
            return
        work = _ABSORBING_WORK if self._received else 1.0
        done_s = world.server.admit(world.clock.now_s, work=work)
        if done_s is not None:
            world.clock.at(done_s, self._take)
        elif world.network.full_answers and not self._received:
            self._received = self.overflowed = True
            self.party.serve(self)

    def _take(self, _: object) -> None:
        """Serve a new request; repeat the answer to a repeated one (section 17.2)."""
        if self.way == UP and self.world.conditions.down:
            return
        if not self._received:
            self._received = True
            self.party.serve(self)
        elif self.answer and not self.acknowledged:
            self._send_answer()

    def _send_answer(self) -> None:
        self.channel.send(1 - self.way, self.answer, self._hear, self._status)

    def _repeat_answer(self, _: object) -> None:
        """Timer G, or the repetition of 2xx; timer H ends it."""
        down = self.way == UP and self.world.conditions.down
        clock = self.world.clock
        late = clock.now_s - self._answered_s >= timers.TIMEOUT_S - 1e-6
        if self.acknowledged or down or late:
            return
        self._send_answer()
        self._answer_wait_s = timers.next_interval(self._answer_wait_s, capped=True)
        clock.after(self._answer_wait_s, self._repeat_answer)

    def _hear(self, status: int) -> None:
        """Take an answer in at the client."""
        if not self._client_works():
            return
        if status < 200:
            if not self.final:
                self._proceeding = True
                self.party.answered(self, status)
            return
        if not self.final:
            self.final = True
            self._ack = self.party.answered(self, status)
        if self.invite and self._ack:  # a repeated answer is acknowledged again (timer D)
            self.channel.send(self.way, self._ack, self._acknowledge, None)

    def _acknowledge(self, _: object) -> None:
        if self.way == UP:
            if self.world.conditions.down:
                if not self.world.conditions.silent:
                    self.channel.refuse(self._ack or b"")
                return
            self.world.server.admit(self.world.clock.now_s, work=_ABSORBING_WORK)
        self.acknowledged = True
