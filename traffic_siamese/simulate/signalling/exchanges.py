"""Diameter exchanges: one request, one answer, and what is done where none comes.

References
----------
RFC 6733 section 5.5.4 (failover, flag T), RFC 8506 section 13 (timer Tx).
"""

from __future__ import annotations

from typing import cast

from traffic_siamese.simulate.signalling.associations import Association
from traffic_siamese.simulate.signalling.avps import repeated
from traffic_siamese.simulate.signalling.peers import Peer
from traffic_siamese.simulate.signalling.transactions import Transaction


class Exchange(Transaction):
    """A request that is sent again, by another connection, when timer Tx expires.

    TCP repeats what is lost; a client has nobody else to ask where it has one connection only.
    """

    __slots__ = ("_peer", "_tried")

    def start(self) -> None:
        """Send the request by the connection that comes first."""
        self._peer = cast(Peer, self.channel)
        self._tried: list[Association] = []
        self.invite = False  # nobody acknowledges answers here
        self._send_next(None)

    def start_carelessly(self) -> None:
        """Send the request once, connected or not yet, and do not listen."""
        self.final, self.invite = True, False
        self.channel = cast(Peer, self.channel).first_link()
        self.channel.send(self.way, self.request, self._arrive, None)

    def _send_next(self, _: object) -> None:
        if self.final:
            return
        link = self._peer.link(self._tried)
        if link is None:
            self._give_up(None)
            return
        if self._tried:
            self.request = repeated(self.request)
        self._tried.append(link)
        self.channel = link
        link.send(self.way, self.request, self._arrive, None)
        self.world.clock.after(self.world.network.request_timeout_s, self._send_next)
