"""Diameter peers: clients that serve many subscribers, and keep connections to every core."""

from __future__ import annotations

from collections.abc import Collection

from traffic_siamese.simulate.signalling.associations import Association
from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.transactions import Channel

_UNEVEN = 0.8
"""Power of a peer's rank that its share of the subscribers falls with."""


class Peer:
    """A client, and its connections to the cores, in the order of preference.

    Parameters
    ----------
    site : Site
    place : Endpoint
    cores : list of Endpoint
    is_open : bool
        Whether it has been connected for long.
    """

    reliable = True

    __slots__ = ("_links", "n_users")

    def __init__(
        self, site: Site, place: Endpoint, cores: list[Endpoint], *, is_open: bool
    ) -> None:
        self.n_users = 0
        self._links = [Association(site, place, core, is_open=is_open) for core in cores]

    def link(self, tried: Collection[Association] = ()) -> Association | None:
        """Return the first connection that works and was not tried; None where there is none."""
        working = (link for link in self._links if link.state == "open" and link not in tried)
        return next(working, None)

    def first_link(self) -> Association:
        """Return the first connection, opened now if it is not open."""
        link = self._links[0]
        if link.state == "down":
            link.connect(None)
        return link

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send by the connection that comes first, if any works."""
        link = self.link()
        if link is not None:
            link.send(way, payload, arrive, subject)

    def refuse(self, payload: bytes) -> None:
        """Do nothing: connections refuse for themselves."""


class PeerSite(Site):
    """Where the peers and the core are: as many peers as the network has addresses.

    Parameters
    ----------
    world : World
    protocol : SignallingProtocol
    """

    _peers: list[Peer]
    _places: list[Endpoint]

    def attacker(self, number: int) -> Subscriber:
        """Return one of the hosts that attack: a peer that nobody knows."""
        while len(self.attackers) <= number:
            attacker = super().attacker(len(self.attackers))
            core = attacker.core
            attacker.channel = Peer(self, attacker.home, [core], is_open=False)
        return self.attackers[number]

    def channel(self, subscriber: Subscriber, *, is_open: bool = False) -> Channel:
        """Return the peer that serves a subscriber."""
        if subscriber.channel is None:
            raise ValueError(f"{subscriber.user!r} has no peer")
        return subscriber.channel

    def _settle(self, i: int) -> Subscriber:
        """Give a subscriber to a peer; a few serve most of them."""
        network, random = self.world.network, self.world.random
        if not i:
            self._make_peers()
        weights = [(rank + 1) ** -_UNEVEN for rank in range(network.n_addresses)]
        (n,) = random.choices(range(network.n_addresses), weights)
        place = self._places[n]
        user = b"+4915%09d" % (7919 * i % 10**9)
        return Subscriber(user, place, place, self._cores[0], random.random(), self._peers[n])

    def _make_peers(self) -> None:
        network = self.world.network
        port = self.protocol.port
        self._places = [Endpoint(self._address(0, n), port) for n in range(network.n_addresses)]
        self._peers = [
            Peer(self, place, self._order(n), is_open=True) for n, place in enumerate(self._places)
        ]

    def _order(self, n: int) -> list[Endpoint]:
        """Return the cores, each peer's preferred one first."""
        first = n % len(self._cores)
        return self._cores[first:] + self._cores[:first]
