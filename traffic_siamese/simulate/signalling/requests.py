"""Single requests: keep-alives, short messages, registrations."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.protocol import Dialogue
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.world import UP

_MAX_CREDENTIALS = 3


class KeepAlive(Errand):
    """OPTIONS in SIP, answered 200."""

    __slots__ = ()


class ShortMessage(Errand):
    """A message to another number, answered 202 (RFC 3428)."""

    kind = "message"

    __slots__ = ()

    def begin(self) -> Dialogue:
        """Return what writes the messages."""
        number = self.world.random.randrange(10**9)
        return self.site.protocol.dialogue(self.site, self.subscriber, self.kind, number, UP)

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core."""
        self.answer(transaction, self.failure() or 202)


class Registration(Errand):
    """Asked for a proof at first (RFC 3261 section 22), repeated with it, accepted."""

    kind = "registration"

    __slots__ = ("_is_challenged", "_n_sent")

    def __init__(self, site: Site, subscriber: Subscriber, n_tries: int = 0) -> None:
        super().__init__(site, subscriber, n_tries)
        self._n_sent = 1
        self._is_challenged = self.world.random.random() < self.world.network.challenge_share
        if not self._is_challenged:  # it still has what the last challenge gave
            self.dialogue.prove()

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core: the subscriber must be known."""
        conditions, random = self.world.conditions, self.world.random
        failure = self.failure()
        if not failure and conditions.denied and random.random() < conditions.denied:
            failure = conditions.denied_status
        if failure in (0, 401) and self._n_sent == 1 and self._is_challenged:
            failure = 401
        self.answer(transaction, failure or 200)

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
        """Send the request again, with the proof."""
        if self.is_there():
            self.dialogue.prove()
            self.send(self.kind)


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

    def begin(self) -> Dialogue:
        """Return what writes the messages."""
        number = 100 if self._kind == "flood" else self.world.random.randrange(100, 10_000)
        return self.site.protocol.dialogue(self.site, self.subscriber, self._kind, number, UP)

    def start(self) -> None:
        """Send the request once."""
        invite = self._kind != "scan" and self.world.conditions.flood_method == "INVITE"
        wire = self.dialogue.request(self._kind)
        self.transaction(wire, invite=invite).start_carelessly()

    def decide(self, transaction: Transaction) -> None:
        """Answer for the core: it knows no such subscriber."""
        status = {"flood": 403, "scan": 404, "malformed": 400}[self._kind]
        self.answer(transaction, self.failure() or status)

    def is_there(self) -> bool:
        """Return True: an attacker's host is always there."""
        return True
