"""What a subscriber does with the core: the common part of calls, registrations and the rest."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.messages import Leg, answer, request
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.world import UP

_MAX_TRIES = 4
_STRAY = (403, 403, 500, 503, 503)
"""What a request meets now and then for no reason of the network's."""


class Errand:
    """One thing that a subscriber does, from its first request to its last answer.

    Parameters
    ----------
    site : Site
    subscriber : Subscriber
    n_tries : int
        How often it was tried before.
    """

    method = b"OPTIONS"

    __slots__ = ("channel", "cseq", "leg", "n_tries", "site", "subscriber", "world")

    def __init__(self, site: Site, subscriber: Subscriber, n_tries: int = 0) -> None:
        self.site, self.subscriber, self.n_tries = site, subscriber, n_tries
        self.world = site.world
        self.cseq = 1
        self.channel = site.channel(subscriber)
        self.leg = self.new_leg()

    def start(self) -> None:
        """Send the first request."""
        self.send(self.method)

    def new_leg(self) -> Leg:
        """Return what the requests have in common: here, they ask the domain."""
        own = b"<sip:%b@%b>" % (self.subscriber.user, self.site.realm)
        return self.leg_between(own, own, b"sip:" + self.site.realm)

    def leg_between(self, caller: bytes, callee: bytes, target: bytes) -> Leg:
        """Return a leg that the subscriber begins."""
        home = self.subscriber.home
        place = b"%b:%d" % (home.host, home.port)
        contact = b"Contact: <sip:%b@%b;transport=%b>\r\n" % (
            self.subscriber.user, place, self.site.transport.lower(),
        )  # fmt: skip
        name = self.world.new_name()
        via = b"SIP/2.0/%b %b" % (self.site.transport, place)
        agent = b"User-Agent: handset/4.2\r\n"
        call_id = b"%b@%b" % (name, home.host.strip(b"[]"))
        return Leg(caller, callee, target, call_id, name[:8], b"", via, contact + agent)

    def send(self, method: bytes, body: bytes = b"", *, invite: bool = False) -> Transaction:
        """Send a request from the subscriber."""
        wire = request(self.leg, method, self.cseq, self.world.new_name(), body)
        transaction = Transaction(self.world, self.channel, self, wire, invite=invite)
        transaction.start()
        return transaction

    def is_there(self) -> bool:
        """Whether the subscriber's device works."""
        return self.subscriber.luck >= self.world.conditions.gone

    def serve(self, transaction: Transaction) -> None:
        """Let the core answer once it has asked other machines."""
        if transaction.overflowed:
            self.answer(transaction, 503)
            return
        self.world.clock.after(self.backend_s(), self.decide, transaction)

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core."""
        self.answer(transaction, self.failure() or 200)

    def failure(self) -> int:
        """Return the error that this request meets, or 0."""
        conditions, random = self.world.conditions, self.world.random
        if conditions.failed and random.random() < conditions.failed:
            return conditions.failed_status
        if random.random() < self.world.network.stray_errors:
            return random.choice(_STRAY)
        return 0

    def backend_s(self) -> float:
        """Draw how long the core takes beside its queue."""
        world = self.world
        return world.draw_about(world.network.backend_s) + (
            world.draw_about(world.conditions.slow_s) if world.conditions.slow_s else 0.0
        )

    def answer(self, transaction: Transaction, status: int, extra: bytes = b"") -> None:
        """Answer for the core, if it is still there; a 503 says when to come again."""
        if transaction.way == UP and self.world.conditions.down:
            return
        if status == 503:
            extra = b"Retry-After: 10\r\n"
        tag = self.leg.call_id[:6] + b"c"
        server = b"" if status == 100 else b"Server: core\r\n"
        transaction.give_answer(status, answer(transaction.request, status, tag, server + extra))

    def answered(self, transaction: Transaction, status: int) -> bytes | None:
        """Take the answer; where it is a server error, perhaps try again."""
        if status >= 500:
            self.try_again()
        return None

    def failed(self, transaction: Transaction) -> None:
        """No answer came: perhaps try again."""
        if transaction.way == UP:
            self.try_again()

    def again(self) -> Errand:
        """Return the same errand, to be tried once more."""
        return type(self)(self.site, self.subscriber, self.n_tries + 1)

    def try_again(self) -> None:
        """Plan another try, as the subscribers of this network do."""
        network, world = self.world.network, self.world
        if self.n_tries < _MAX_TRIES and world.random.random() < network.retry_share:
            world.clock.after(world.draw_about(network.retry_s), self._retry)

    def _retry(self, _: object) -> None:
        if self.is_there():
            self.again().start()
