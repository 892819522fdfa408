"""One direction of a TCP connection: numbers, what is under way, how long to wait for it.

References
----------
RFC 6298, with the smallest wait of Linux, 0.2 s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from traffic_siamese.simulate.signalling.clock import Action

FIRST_RTO_S = 1.0
_MIN_RTO_S = 0.2


class Segment(NamedTuple):
    """What a segment carries, and what happens where it arrives."""

    seq: int
    length: int
    flags: int
    payload: bytes
    arrive: Action | None
    subject: object


@dataclass(slots=True)
class Half:
    """One direction of a connection, and its retransmission timer.

    Attributes
    ----------
    next_seq, expected : int
        Numbers of the byte to send next, and of the byte that is due next at the receiver.
    unacked : list of Segment
        Sent and not acknowledged yet.
    early : dict of int to Segment
        Arrived before what is due.
    sent_s : float
        When the oldest segment not acknowledged was sent, or became the oldest.
    rto_s, mean_s, deviation_s : float
        Time to wait before a repetition; mean and deviation of the round trip.
    n_repeats : int
        Repetitions of the oldest segment.
    timer_runs : bool
    """

    next_seq: int
    expected: int
    unacked: list[Segment] = field(default_factory=list)
    early: dict[int, Segment] = field(default_factory=dict)
    sent_s: float = 0.0
    rto_s: float = FIRST_RTO_S
    mean_s: float = 0.0
    deviation_s: float = 0.0
    n_repeats: int = 0
    timer_runs: bool = False

    def take_trip(self, trip_s: float) -> None:
        """Take the first round trip that was measured (section 2.2)."""
        self.mean_s, self.deviation_s = trip_s, trip_s / 2
        self.rto_s = trip_s + max(_MIN_RTO_S, 2 * trip_s)

    def measure(self, now_s: float) -> None:
        """Learn from a segment that was acknowledged, if it was not repeated (Karn)."""
        if self.n_repeats == 0:
            trip_s = now_s - self.sent_s
            self.deviation_s += 0.25 * (abs(trip_s - self.mean_s) - self.deviation_s)
            self.mean_s += 0.125 * (trip_s - self.mean_s)
        self.rto_s = self.mean_s + max(_MIN_RTO_S, 4 * self.deviation_s)
        self.n_repeats = 0
