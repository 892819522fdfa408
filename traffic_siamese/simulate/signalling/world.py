"""A network at work: clock, links, the core's queue, the capture point and the subscribers."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from random import Random

from traffic_siamese.simulate.signalling.clock import Clock
from traffic_siamese.simulate.signalling.conditions import Conditions
from traffic_siamese.simulate.signalling.flows import FlowTable
from traffic_siamese.simulate.signalling.links import Link
from traffic_siamese.simulate.signalling.network_model import NetworkModel
from traffic_siamese.simulate.signalling.server_queue import ServerQueue
from traffic_siamese.simulate.signalling.tap import Tap

UP, DOWN = 0, 1
"""From the subscribers to the core, and back."""


class World:
    """All that the parts of a simulation share.

    Attributes
    ----------
    network : NetworkModel
    conditions : Conditions
        What is wrong at the moment.
    clock : Clock
    random : random.Random
        Where chance in single events comes from.
    links : tuple of Link
        By direction, UP and DOWN.
    server : ServerQueue
        The core's.
    tap : Tap
    flows : FlowTable
    closers : dict of object to callable
        What the core's host closes when its process is killed.
    """

    def __init__(self, network: NetworkModel, random: Random, *, start_s: float) -> None:
        self.network, self.random = network, random
        self.conditions = Conditions()
        self.clock = Clock(start_s)
        self.links = tuple(
            Link(delay_s=network.link_s, jitter_s=network.jitter_s, random=random) for _ in range(2)
        )
        self.server = ServerQueue(
            service_s=network.service_s, room=network.server_room, random=random
        )
        self.tap = Tap()
        self.flows = FlowTable()
        self.closers: dict[object, Callable[[], None]] = {}
        self.recover()
        self._ends_s = (network.access_s, network.core_s)
        self._sees_sender = (network.vantage == "subscribers", network.vantage == "core")
        self._n_named = 0

    def recover(self) -> None:
        """Take every fault away; the link's own loss stays."""
        self.conditions = Conditions()
        for link in self.links:
            link.reset()
            link.loss = self.network.loss
        self.server.slowdown = 1.0

    def cross(self, way: int, flow: int, payload: bytes, tcp: tuple[int, int, int]) -> float | None:
        """Send a packet over the link, past the capture point.

        Returns
        -------
        float or None
            When it reaches the other end; None where it is lost.
        """
        start_s = self.clock.now_s + self._ends_s[way]
        n_bytes = len(self.flows.headers[flow]) + len(payload)
        arrival_s = self.links[way].carry(start_s, n_bytes)
        if self._sees_sender[way]:
            self.tap.records.append((start_s, flow, payload, *tcp))
        elif arrival_s is not None:
            self.tap.records.append((arrival_s, flow, payload, *tcp))
        return None if arrival_s is None else arrival_s + self._ends_s[1 - way]

    def draw_about(self, median: float, spread: float = 0.5) -> float:
        """Draw a positive number with this median (lognormal)."""
        return median * exp(self.random.gauss(0.0, spread))

    def new_name(self) -> bytes:
        """Return a name that was never given: for branches, tags and calls."""
        self._n_named += 1
        return b"%x%08x" % (self._n_named, self.random.getrandbits(32))
