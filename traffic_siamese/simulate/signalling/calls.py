"""Calls: begun from either side, answered or not, ended by either side."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.messages import Leg, request, sdp
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.world import DOWN, UP

_FAILURES = {"busy": 486, "unavailable": 480, "not_found": 404}
_PATIENCE_S = 8.0
_LATE_S = 8.0


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

    method = b"INVITE"

    __slots__ = ("_invite", "_is_over", "_own_way", "_port", "_vanished", "fate")

    def __init__(
        self, site: Site, subscriber: Subscriber, n_tries: int = 0, *, way: int = UP
    ) -> None:
        self._own_way = way
        self._vanished = self._is_over = False
        self._invite: Transaction | None = None
        self._port = site.world.random.randrange(10_000, 30_000, 2)
        self.fate = _draw_fate(site)
        super().__init__(site, subscriber, n_tries)

    def start(self) -> None:
        """Send the INVITE."""
        self.channel.n_users += 1
        is_long = self.world.random.random() < self.world.network.long_offer_share
        ends = (self.subscriber.home, self.subscriber.core)
        body = sdp(ends[self._own_way].host, self._port, is_long=is_long)
        self._invite = self._ask(b"INVITE", body, way=self._own_way, invite=True)

    def resume(self, left_s: float) -> None:
        """Be a call that was answered before the beginning, and lasts for some more seconds."""
        self.channel = self.site.channel(self.subscriber, is_open=True)
        self.channel.n_users += 1
        self.leg.to_tag = b"before"
        self.world.clock.after(left_s, self._hang_up)

    def new_leg(self) -> Leg:
        """Return what the caller's requests have in common."""
        site, random, me = self.site, self.world.random, self.subscriber
        number = 1 if random.random() < self.world.conditions.one_callee else None
        if number:
            self.fate = "busy"
        callee = b"+4915%09d" % (number or random.randrange(10**9))
        other, own = (b"sip:%b@%b" % (user, site.realm) for user in (callee, me.user))
        if self._own_way == DOWN:
            leg = self.leg_between(b"<%b>" % other, b"<%b>" % own, self._contact(UP))
            leg.via, leg.extra = self._core_via(), b"Contact: <%b>\r\n" % self._contact(DOWN)
            return leg
        return self.leg_between(b"<%b>" % own, b"<%b>" % other, other)

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
            if b"\nCSeq: 1 CANCEL" in transaction.request and self._invite:
                self.answer(self._invite, 487)
            return
        status = self._obstacle()
        if status is None:
            return  # swallowed on the way
        if status:
            wait_s = self.world.draw_about(_LATE_S) if status == 408 else 0.0
            self.world.clock.after(wait_s, self._refuse, (transaction, status))
            return
        self._ring(transaction)

    def _obstacle(self) -> int | None:
        """Return why this call cannot be: a status, None for silence; 0 where it can."""
        conditions, random = self.world.conditions, self.world.random
        if conditions.refused_calls and random.random() < conditions.refused_calls:
            return 503
        if conditions.misrouted and random.random() < conditions.misrouted:
            return conditions.misrouted_status or None
        return self.failure()

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
            world.clock.after(wait_s, self._refuse, (transaction, _FAILURES[self.fate]))
            return
        self.answer(transaction, 180)
        if self.fate == "answered":
            world.clock.after(
                world.draw_about(world.network.ring_s, 0.8), self._accept, transaction
            )

    def _refuse(self, subject: tuple[Transaction, int]) -> None:
        self.answer(*subject)

    def _accept(self, transaction: Transaction) -> None:
        """Let the callee answer, unless its device is gone."""
        if transaction.way == DOWN and not self.is_there():
            return
        ends = (self.subscriber.core, self.subscriber.home)
        body = sdp(ends[self._own_way].host, self._port + 1000, is_long=False)
        contact = b"Contact: <%b>\r\n" % self._contact(1 - self._own_way)
        self.answer(transaction, 200, contact + body)

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
            return self._acknowledgement(transaction)
        vanishing = world.conditions.vanishing
        if self._own_way == UP and vanishing and world.random.random() < vanishing:
            self._vanished = True
            return None
        self.leg.to_tag = self.leg.call_id[:6] + b"c"
        world.clock.after(world.draw_about(world.network.hold_s, 0.7), self._hang_up)
        return request(self._leg_of(self._own_way), b"ACK", 1, world.new_name())

    def failed(self, transaction: Transaction) -> None:
        """No final answer came: the call is over; its caller perhaps tries again."""
        self._end()
        if transaction.invite and transaction.way == UP:
            self.try_again()

    def _acknowledgement(self, transaction: Transaction) -> bytes:
        """ACK of a refusal: in the INVITE's transaction (section 17.1.1.3)."""
        head, _, _ = transaction.request.partition(b"\r\nContact")
        head = head.replace(b"INVITE", b"ACK")
        return head + b"\r\nContent-Length: 0\r\n\r\n"

    def _cancel(self, _: object) -> None:
        """Give up waiting for the answer (section 9.1)."""
        invite = self._invite
        if invite is None or invite.final or invite.cancelled or not self._caller_works():
            return
        invite.cancelled = True
        head, _, _ = invite.request.partition(b"\r\nContact")
        wire = head.replace(b"INVITE", b"CANCEL") + b"\r\nContent-Length: 0\r\n\r\n"
        Transaction(self.world, self.channel, self, wire, way=self._own_way).start()
        if self._own_way == DOWN:
            self.world.clock.after(self.world.network.device_s, self._refuse, (invite, 487))

    def _caller_works(self) -> bool:
        return self._own_way == DOWN or self.is_there()

    def _hang_up(self, _: object) -> None:
        """End the call from either side."""
        way = DOWN if self.world.random.random() < self.world.network.core_ends_share else UP
        if way == UP and not self.is_there():
            return
        self._ask(b"BYE", way=way)
        self._end()

    def _ask(
        self, method: bytes, body: bytes = b"", *, way: int, invite: bool = False
    ) -> Transaction:
        """Send a request of this call from either side."""
        leg = self.leg
        if not invite:
            self.cseq += 1
            leg = self._leg_of(way)
        wire = request(leg, method, self.cseq, self.world.new_name(), body)
        transaction = Transaction(self.world, self.channel, self, wire, way=way, invite=invite)
        transaction.start()
        return transaction

    def _leg_of(self, way: int) -> Leg:
        """Return the leg for a request within the call (section 12.2.1.1)."""
        own, target = self.leg, self._contact(1 - way)
        if way == self._own_way:
            return Leg(
                own.caller, own.callee, target, own.call_id, own.tag, own.to_tag, own.via, own.extra
            )
        home = self.subscriber.home
        place = b"%b:%d" % (home.host, home.port)
        via = self._core_via() if way == DOWN else b"SIP/2.0/%b %b" % (self.site.transport, place)
        return Leg(
            own.callee, own.caller, target, own.call_id, own.to_tag, own.tag, via,
            b"Contact: <%b>\r\n" % self._contact(way),
        )  # fmt: skip

    def _contact(self, side: int) -> bytes:
        """URI of the subscriber (UP) or of the core (DOWN)."""
        transport = self.site.transport.lower()
        if side == DOWN:
            core = self.subscriber.core
            return b"sip:%b:%d;transport=%b" % (core.host, core.port, transport)
        place = self.subscriber.public
        fields = (self.subscriber.user, place.host, place.port, transport)
        return b"sip:%b@%b:%d;transport=%b" % fields

    def _core_via(self) -> bytes:
        core = self.subscriber.core
        return b"SIP/2.0/%b %b:%d" % (self.site.transport, core.host, core.port)

    def _end(self) -> None:
        """Say that the connection is not needed any more."""
        if not self._is_over:
            self._is_over = True
            self.channel.n_users -= 1


def _draw_fate(site: Site) -> str:
    network, random = site.world.network, site.world.random
    weights = (
        network.answered, network.busy, network.unavailable, network.not_found, network.no_answer,
    )  # fmt: skip
    fates = ("answered", "busy", "unavailable", "not_found", "no_answer")
    if random.random() * sum(weights) < weights[0]:
        return fates[0]
    return random.choices(fates[1:], weights[1:])[0] if sum(weights[1:]) else fates[0]
