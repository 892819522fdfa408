"""The subscribers of a network: who they are, where they are, and how they reach the core."""

from __future__ import annotations

from dataclasses import dataclass

from traffic_siamese.simulate.signalling.channels import UdpChannel
from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.protocol import SignallingProtocol
from traffic_siamese.simulate.signalling.tcp import TcpChannel
from traffic_siamese.simulate.signalling.transactions import Channel
from traffic_siamese.simulate.signalling.world import World

_KEEP_S = 5.0


@dataclass(slots=True)
class Subscriber:
    """A device.

    Attributes
    ----------
    user : bytes
        Its number.
    home : Endpoint
        Where it believes to be: behind address translation a private address.
    public : Endpoint
        Where it is seen.
    core : Endpoint
        The core that serves it.
    luck : float, in [0, 1)
        Hit first, where a share of the subscribers is hit.
    channel : Channel or None
        How it reaches the core; None makes a connection of its own for each request.
    """

    user: bytes
    home: Endpoint
    public: Endpoint
    core: Endpoint
    luck: float
    channel: Channel | None = None


class Site:
    """Where the subscribers and the core are.

    Parameters
    ----------
    world : World
    protocol : SignallingProtocol

    Attributes
    ----------
    subscribers : list of Subscriber
    attackers : list of Subscriber
        Hosts that do not belong there; made when they are needed.
    realm : bytes
        The domain.
    transport : bytes
        As in Via.
    """

    def __init__(self, world: World, protocol: SignallingProtocol) -> None:
        self.world, self.protocol = world, protocol
        self.realm = b"sip.carrier.example"
        self.transport = b"UDP" if world.network.transport == "udp" else b"TCP"
        self._ports: dict[bytes, int] = {}
        self._cores = [
            Endpoint(self._address(2, i), protocol.port) for i in range(world.network.n_cores)
        ]
        self.subscribers = [self._settle(i) for i in range(world.network.n_subscribers)]
        self.attackers: list[Subscriber] = []

    def attacker(self, number: int) -> Subscriber:
        """Return one of the hosts that attack."""
        while len(self.attackers) <= number:
            place = Endpoint(self._address(3, len(self.attackers)), self.protocol.port)
            self.attackers.append(Subscriber(b"100", place, place, self._cores[0], 1.0))
        return self.attackers[number]

    def channel(self, subscriber: Subscriber, *, is_open: bool = False) -> Channel:
        """Return how this subscriber sends its next request."""
        if subscriber.channel is not None:
            return subscriber.channel
        world, core = self.world, subscriber.core
        kind = world.network.transport
        if kind == "udp":
            channel: Channel = UdpChannel(world, subscriber.public, core)
        elif kind == "tcp":
            belongs = subscriber.luck < 1  # and has been connected for long
            channel = TcpChannel(world, subscriber.public, core, is_open=belongs)
        else:
            address = subscriber.public.address
            place = Endpoint(address, self.next_port(address))
            return TcpChannel(world, place, core, keep_s=_KEEP_S, is_open=is_open)
        subscriber.channel = channel
        return channel

    def _settle(self, i: int) -> Subscriber:
        network, random = self.world.network, self.world.random
        address = self._address(0, i % network.n_addresses)
        shared = network.n_subscribers > network.n_addresses
        port = self.next_port(address) if shared or network.nat else self.protocol.port
        public = Endpoint(address, port)
        home = Endpoint(self._address(1, i), self.protocol.port) if network.nat else public
        core = self._cores[i % network.n_cores]
        return Subscriber(b"+4915%09d" % (7919 * i % 10**9), home, public, core, random.random())

    def next_port(self, address: bytes) -> int:
        """Return a port of a host; they come round again after some ten thousand."""
        port = self._ports.get(address, 20_000)
        self._ports[address] = port + 1 if port < 60_000 else 20_000
        return port

    def _address(self, kind: int, number: int) -> bytes:
        """Addresses of subscribers (0), behind translation (1), of the core (2), elsewhere (3)."""
        if self.world.network.ipv6:
            prefix = (0x20010DB8 << 96) | (kind << 80)
            return (prefix + number + 16).to_bytes(16, "big")
        prefix = (0x0A140000, 0xC0A80000, 0xAC100A00, 0xCB007100)[kind]
        return (prefix + number + 10).to_bytes(4, "big")
