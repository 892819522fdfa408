"""The receiving half of an SCTP end: what has arrived, and what may be delivered.

References
----------
RFC 9260 sections 6.2 (acknowledgement), 6.5 (order within a stream).
"""

from __future__ import annotations

from traffic_siamese.simulate.signalling.sctp_chunks import Acked, Chunk, Message, sack

_PACKETS_A_REPORT = 2


class Receiver:
    """Takes messages in; streams wait for their own gaps only.

    Parameters
    ----------
    first_tsn : int
        Number of the other end's first message.

    Attributes
    ----------
    cumulative : int
        All messages up to this number have arrived.
    n_unreported : int
        Packets with messages since the last report.
    """

    __slots__ = ("_beyond", "_duplicates", "_next_ssn", "_waiting", "cumulative", "n_unreported")

    def __init__(self, first_tsn: int) -> None:
        self.cumulative = first_tsn - 1
        self.n_unreported = 0
        self._beyond: set[int] = set()
        self._duplicates: list[int] = []
        self._next_ssn: dict[int, int] = {}
        self._waiting: dict[tuple[int, int], Message] = {}

    @property
    def must_report(self) -> bool:
        """Whether to report at once: every second packet, and what is missing or came twice."""
        is_odd = bool(self._beyond or self._duplicates)
        return is_odd or self.n_unreported >= _PACKETS_A_REPORT

    @property
    def report_bytes(self) -> int:
        """Length of the report that is due, 0 where none is."""
        if not self.n_unreported:
            return 0
        return 16 + 4 * (len(self._blocks()) + len(self._duplicates))

    def take(self, message: Message) -> list[Message]:
        """Take a message in; return those that are delivered now, in the order of their stream."""
        tsn = message.tsn
        if tsn <= self.cumulative or tsn in self._beyond:
            self._duplicates.append(tsn)
            return []
        self._beyond.add(tsn)
        while self.cumulative + 1 in self._beyond:
            self.cumulative += 1
            self._beyond.remove(self.cumulative)
        self._waiting[message.stream, message.ssn] = message
        return self._due(message.stream)

    def _due(self, stream: int) -> list[Message]:
        found = []
        ssn = self._next_ssn.get(stream, 0)
        while (one := self._waiting.pop((stream, ssn), None)) is not None:
            found.append(one)
            ssn += 1
        self._next_ssn[stream] = ssn
        return found

    def report(self) -> Chunk:
        """Tell what has arrived, and what came again since the last report."""
        duplicates, self._duplicates = self._duplicates, []
        self.n_unreported = 0
        return sack(Acked(self.cumulative, tuple(self._blocks())), duplicates)

    def _blocks(self) -> list[tuple[int, int]]:
        """First and last number of what arrived in one piece beyond a gap."""
        blocks: list[tuple[int, int]] = []
        for tsn in sorted(self._beyond):
            if blocks and blocks[-1][1] == tsn - 1:
                blocks[-1] = blocks[-1][0], tsn
            else:
                blocks.append((tsn, tsn))
        return blocks
