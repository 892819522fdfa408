"""Single requests: keep-alives, short messages, registrations."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.messages import Leg, challenge, credentials, request, text
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction

_MAX_CREDENTIALS = 3


class KeepAlive(Errand):
    """OPTIONS, answered 200."""

    __slots__ = ()


class ShortMessage(Errand):
    """MESSAGE to another number, answered 202 (RFC 3428)."""

    method = b"MESSAGE"

    __slots__ = ()

    def new_leg(self) -> Leg:
        """Return what the request says of both ends."""
        site, random = self.site, self.world.random
        callee = b"sip:+4915%09d@%b" % (random.randrange(10**9), site.realm)
        caller = b"<sip:%b@%b>" % (self.subscriber.user, site.realm)
        return self.leg_between(caller, b"<%b>" % callee, callee)

    def start(self) -> None:
        """Send the message."""
        self.send(self.method, text(self.world.random.randrange(20, 140)))

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core."""
        self.answer(transaction, self.failure() or 202)


class Registration(Errand):
    """REGISTER: challenged (RFC 3261 section 22), repeated with credentials, accepted."""

    method = b"REGISTER"

    __slots__ = ("_is_challenged", "_n_sent")

    def __init__(self, site: Site, subscriber: Subscriber, n_tries: int = 0) -> None:
        super().__init__(site, subscriber, n_tries)
        self._n_sent = 1
        self._is_challenged = self.world.random.random() < self.world.network.challenge_share
        self.leg.extra += b"Expires: 3600\r\n"
        if not self._is_challenged:  # it still has a fresh nonce
            self.leg.extra += credentials(subscriber.user, site.realm, self.world.random)

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core: the subscriber must be known."""
        conditions, random = self.world.conditions, self.world.random
        failure = self.failure()
        if not failure and conditions.denied and random.random() < conditions.denied:
            failure = conditions.denied_status
        if failure in (0, 401) and self._n_sent == 1 and self._is_challenged:
            failure = 401
        if failure == 401:
            self.answer(transaction, 401, challenge(self.site.realm, random))
            return
        self.answer(transaction, failure or 200, b"" if failure else self._binding())

    def _binding(self) -> bytes:
        lines = self.leg.extra.split(b"\r\n", 1)
        return lines[0].replace(b">", b">;expires=3600") + b"\r\n"

    def answered(self, transaction: Transaction, status: int) -> bytes | None:
        """Answer a challenge, a few times; after another failure perhaps try again."""
        world = self.world
        if status == 401 and self._n_sent <= _MAX_CREDENTIALS:
            self._n_sent += 1
            world.clock.after(world.draw_about(world.network.device_s), self._prove)
        elif status >= 400:
            self.try_again()
        return None

    def _prove(self, _: object) -> None:
        """Send the request again, with credentials."""
        if not self.is_there():
            return
        self.cseq += 1
        plain = self.leg.extra.split(b"Authorization", 1)[0]
        proof = credentials(self.subscriber.user, self.site.realm, self.world.random)
        self.leg.extra = plain + proof
        self.send(self.method)


class Probe(Errand):
    """A request of an attacker, who sends it once and does not listen.

    Parameters
    ----------
    site : Site
    attacker : Subscriber
    kind : str
        ``flood`` asks for one number, ``scan`` for one number after the other, ``malformed`` in a
        way that breaks the rules.
    """

    __slots__ = ("_kind",)

    def __init__(self, site: Site, attacker: Subscriber, kind: str) -> None:
        self._kind = kind
        super().__init__(site, attacker)

    def new_leg(self) -> Leg:
        """Return what the request says of both ends."""
        random, realm = self.world.random, self.site.realm
        user = b"100" if self._kind == "flood" else b"%d" % random.randrange(100, 10_000)
        target = b"sip:%b@%b" % (user, realm)
        return self.leg_between(b"<sip:%b@%b>" % (user, realm), b"<%b>" % target, target)

    def start(self) -> None:
        """Send the request once."""
        method = self.world.conditions.flood_method.encode()
        method = b"REGISTER" if self._kind == "scan" else method
        if self._kind == "malformed":
            self.leg.extra = b"Contact: <sip:@:>;;\r\nExpires: never\r\n"
        wire = request(self.leg, method, 1, self.world.new_name())
        invite = method == b"INVITE"
        Transaction(self.world, self.channel, self, wire, invite=invite).start_carelessly()

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core: it knows no such subscriber."""
        status = {"flood": 403, "scan": 404, "malformed": 400}[self._kind]
        self.answer(transaction, self.failure() or status)

    def is_there(self) -> bool:
        """Return True: an attacker's host is always there."""
        return True
