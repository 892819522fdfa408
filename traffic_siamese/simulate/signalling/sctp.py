"""SCTP of a Diameter connection: two ends that may know different things of it, and their hosts.

One path; messages fit into a packet each, and are never fragmented.

References
----------
RFC 9260 sections 5.2 (unexpected chunks), 8.4 and 8.5 (packets out of the blue, tags); RFC 6733
section 2.1.1 (Diameter over SCTP).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from traffic_siamese.simulate.signalling import sctp_chunks as c
from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.flows import SCTP, Endpoint
from traffic_siamese.simulate.signalling.sctp_chunks import Chunk
from traffic_siamese.simulate.signalling.sctp_end import SctpEnd
from traffic_siamese.simulate.signalling.world import DOWN, UP, World

_NEVER_ANSWERED = (c.ABORT, c.SHUTDOWN_COMPLETE, c.COOKIE_ACK)


class SctpStream:
    """An association that is given up once, and then replaced by another one.

    The core may hold on to it when the client has given it up, as either sees no more of the other
    than what arrives.

    Parameters
    ----------
    world : World
    ends : (Endpoint, Endpoint)
        Client and core.
    lost : callable
        Told once that the client has it no more.
    is_open : bool
        Whether it was set up before the beginning.
    """

    __slots__ = ("_ends", "_flows", "_lost", "_world")

    def __init__(
        self,
        world: World,
        ends: tuple[Endpoint, Endpoint],
        *,
        lost: Callable[[SctpStream], None],
        is_open: bool = False,
    ) -> None:
        client, core = ends
        self._world = world
        self._lost: Callable[[SctpStream], None] | None = lost
        self._flows = (
            world.flows.add(client, core, SCTP, from_core=False),
            world.flows.add(core, client, SCTP, from_core=True),
        )
        self._ends = (
            SctpEnd(world, partial(self._post, UP), self._tell_lost),
            SctpEnd(world, partial(self._post, DOWN), self._forget),
        )
        world.closers[self] = self._ends[DOWN].shut_down
        if is_open:
            network = world.network
            trip_s = 2 * (network.access_s + network.link_s + network.core_s)
            for way in (UP, DOWN):
                self._ends[way].be_open(self._ends[1 - way].first_tsn, trip_s=trip_s)

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send a message; ``arrive(subject)`` happens where it is delivered."""
        end = self._ends[way]
        end.send(payload, arrive, subject)
        if way == UP and end.state == "closed":
            end.open()

    def refuse(self, payload: bytes) -> None:
        """Abort: no process listens any more."""
        if self._ends[DOWN].state == "open":
            self._ends[DOWN].abort()

    def abort(self) -> None:
        """Close, without waiting for what is under way."""
        self._ends[UP].abort()

    def _forget(self) -> None:
        self._world.closers.pop(self, None)

    def _tell_lost(self) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(self)

    def _post(self, way: int, chunks: Sequence[Chunk], *, tag: int | None = None) -> None:
        """Send a packet; the tag is the receiver's, and an INIT's is none yet."""
        conditions = self._world.conditions
        if way == DOWN and conditions.down and conditions.silent:
            self._ends[DOWN].vanish()
            return
        if tag is None:
            tag = 0 if chunks[0].kind == c.INIT else self._ends[1 - way].tag
        wire = b"".join(chunk.wire for chunk in chunks)
        arrival_s = self._world.cross(way, self._flows[way], wire, (tag, 0, 0))
        if arrival_s is not None:
            self._world.clock.at(arrival_s, self._meet, (way, chunks))

    def _meet(self, subject: tuple[int, Sequence[Chunk]]) -> None:
        """Take a packet in at its host: there may be no such association, or no process."""
        way, chunks = subject
        end, conditions, kind = self._ends[1 - way], self._world.conditions, chunks[0].kind
        is_down = way == UP and conditions.down
        if is_down and conditions.silent:
            end.vanish()  # and it will not be remembered
        elif end.state == "gone" or (is_down and kind in (c.INIT, c.COOKIE_ECHO)):
            self._answer_stranger(1 - way, kind)
        elif kind == c.INIT:
            end.grant()
        elif end.state != "closed" or kind == c.COOKIE_ECHO:
            end.take(chunks)

    def _answer_stranger(self, way: int, kind: int) -> None:
        """Answer a packet of no association that is known here (section 8.4)."""
        if kind in _NEVER_ANSWERED:
            return
        if kind == c.INIT:
            self._post(way, [c.chunk(c.ABORT)])
            return
        answer = c.SHUTDOWN_COMPLETE if kind == c.SHUTDOWN_ACK else c.ABORT
        self._post(way, [c.chunk(answer, flags=c.REFLECTED)], tag=self._ends[way].tag)
