"""How messages travel between one subscriber and the core: what UDP and TCP have in common."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.flows import ICMP, ICMPV6, UDP, Endpoint
from traffic_siamese.simulate.signalling.wire import ETHERNET_BYTES, frames
from traffic_siamese.simulate.signalling.world import DOWN, UP, World

_MAX_QUOTED_BYTES = 520
_NO_TCP = (0, 0, 0)


class UdpChannel:
    """Datagrams: each arrives, or does not.

    Parameters
    ----------
    world : World
    subscriber, core : Endpoint
        As seen on the wire at the capture point.
    """

    reliable = False

    __slots__ = ("_ends", "_error_flow", "_flows", "_world", "n_users")

    def __init__(self, world: World, subscriber: Endpoint, core: Endpoint) -> None:
        self._world = world
        self.n_users = 0
        self._ends = (subscriber, core)
        self._error_flow: int | None = None
        self._flows = (
            world.flows.add(subscriber, core, UDP, from_core=False),
            world.flows.add(core, subscriber, UDP, from_core=True),
        )

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send a message; ``arrive(subject)`` happens where it does."""
        world = self._world
        arrival_s = world.cross(way, self._flows[way], payload, _NO_TCP)
        if arrival_s is not None:
            world.clock.at(arrival_s, arrive, subject)

    def refuse(self, payload: bytes) -> None:
        """Tell the subscriber that no process listens: ICMP port unreachable (RFC 1122)."""
        subscriber, core = self._ends
        world = self._world
        if self._error_flow is None:
            protocol = ICMP if len(core.address) == 4 else ICMPV6
            self._error_flow = world.flows.add(core, subscriber, protocol, from_core=True)
        asked = (world.clock.now_s, self._flows[UP], payload, 0, 0, 0)
        quoted = frames([asked], world.flows.headers)[0][ETHERNET_BYTES:][:_MAX_QUOTED_BYTES]
        world.cross(DOWN, self._error_flow, quoted, _NO_TCP)
