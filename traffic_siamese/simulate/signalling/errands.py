"""What a subscriber does with the core: the common part of sessions, registrations and the rest."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.protocol import Dialogue
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

    Attributes
    ----------
    kind : str
        What its dialogue is begun for.
    """

    kind = "keep_alive"

    __slots__ = ("channel", "dialogue", "n_tries", "site", "subscriber", "world")

    def __init__(self, site: Site, subscriber: Subscriber, n_tries: int = 0) -> None:
        self.site, self.subscriber, self.n_tries = site, subscriber, n_tries
        self.world = site.world
        self.channel = site.channel(subscriber)
        self.dialogue: Dialogue = self.begin()

    def start(self) -> None:
        """Send the first request."""
        self.send(self.kind)

    def begin(self) -> Dialogue:
        """Return what writes the messages."""
        return self.site.protocol.dialogue(self.site, self.subscriber, self.kind, None, UP)

    def send(self, what: str, *, way: int = UP, invite: bool = False) -> Transaction:
        """Send a request; ``invite`` is answered by a person and acknowledged."""
        wire = self.dialogue.request(what, way=way)
        transaction = self.transaction(wire, way=way, invite=invite)
        transaction.start()
        return transaction

    def transaction(self, wire: bytes, *, way: int = UP, invite: bool = False) -> Transaction:
        """Return the transaction of a request of this errand."""
        make = self.site.protocol.transaction
        return make(self.world, self.channel, self, wire, way=way, invite=invite)

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

    def obstacle(self) -> int | None:
        """Return why this session cannot be: a status, None for silence; 0 where it can."""
        conditions, random = self.world.conditions, self.world.random
        if conditions.refused_calls and random.random() < conditions.refused_calls:
            return 503
        if conditions.misrouted and random.random() < conditions.misrouted:
            return conditions.misrouted_status or None
        return self.failure()

    def backend_s(self) -> float:
        """Draw how long the core takes beside its queue."""
        world = self.world
        return world.draw_about(world.network.backend_s) + (
            world.draw_about(world.conditions.slow_s) if world.conditions.slow_s else 0.0
        )

    def answer(self, transaction: Transaction, status: int) -> None:
        """Answer for the core, if it is still there."""
        wire = self.dialogue.answer(transaction.request, status)
        if transaction.way != UP or not self.world.conditions.down:
            transaction.give_answer(status, wire)

    def answer_late(self, subject: tuple[Transaction, int]) -> None:
        """Answer as planned before: a transaction and a status."""
        self.answer(*subject)

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
