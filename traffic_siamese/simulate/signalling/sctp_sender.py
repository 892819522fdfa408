"""The sending half of an SCTP end: what is under way, how much may be, how long to wait.

References
----------
RFC 9260 sections 6.1 (transmission), 6.3 (timer T3-rtx), 7.2 (congestion control).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from traffic_siamese.simulate.signalling.sctp_chunks import Acked, Message

FIRST_RTO_S = 1.0
"""RTO.Initial (section 16)."""
_MISSED_REPORTS = 3


@dataclass(slots=True)
class Sent:
    """A message under way.

    Attributes
    ----------
    message : Message
    is_acked : bool
        It has arrived, others before it have not.
    is_due : bool
        It is to be sent again.
    is_repeated : bool
    n_missed : int
        Reports that told of later ones and not of this one.
    """

    message: Message
    is_acked: bool = False
    is_due: bool = False
    is_repeated: bool = False
    n_missed: int = 0


@dataclass(slots=True)
class Sender:
    """What one end sends, and its timer.

    Attributes
    ----------
    next_tsn : int
    room_bytes : int
        For chunks in a packet.
    rto_limits_s : (float, float)
        RTO.Min and RTO.Max.
    waiting : deque of Message
        Not sent yet.
    sent : deque of Sent
        Sent and not acknowledged up to there, the oldest first.
    window_bytes, threshold_bytes : float
        What may be under way; where slow start ends.
    rto_s, mean_s, deviation_s : float
        Time to wait before a repetition; mean and deviation of the round trip.
    recover_tsn : int or None
        In fast recovery: the number that ends it.
    """

    next_tsn: int
    room_bytes: int
    rto_limits_s: tuple[float, float]
    waiting: deque[Message] = field(default_factory=deque)
    sent: deque[Sent] = field(default_factory=deque)
    window_bytes: float = 0.0
    threshold_bytes: float = 106_496.0
    rto_s: float = FIRST_RTO_S
    mean_s: float = 0.0
    deviation_s: float = 0.0
    recover_tsn: int | None = None
    _partly_bytes: float = 0.0
    _timed: tuple[int, float] | None = None
    _next_ssn: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.window_bytes = min(4.0 * self.room_bytes, max(2.0 * self.room_bytes, 4404.0))

    @property
    def flight_bytes(self) -> int:
        """What is under way and may still arrive."""
        return sum(one.message.n_bytes for one in self.sent if not (one.is_acked or one.is_due))

    def next_ssn(self, stream: int) -> int:
        """Return the number of the next message in a stream."""
        ssn = self._next_ssn.get(stream, 0)
        self._next_ssn[stream] = ssn + 1
        return ssn

    def pack(self, room_bytes: int, now_s: float, *, at_least_one: bool = False) -> list[Message]:
        """Take what the next packet carries: what is to be repeated, then what is new.

        ``at_least_one`` repeats beyond the window, as fast retransmission does.
        """
        packed: list[Message] = []
        flight = self.flight_bytes
        for one in self.sent:
            size = one.message.n_bytes
            if not one.is_due:
                continue
            if size > room_bytes or not (flight < self.window_bytes or at_least_one):
                return packed
            one.is_due, one.is_repeated = False, True
            if self._timed and self._timed[0] == one.message.tsn:
                self._timed = None  # Karn's rule
            packed.append(one.message)
            room_bytes, flight = room_bytes - size, flight + size
        while self.waiting and flight < self.window_bytes:
            message = self.waiting[0]
            if message.n_bytes > room_bytes:
                break
            self.sent.append(Sent(self.waiting.popleft()))
            self._timed = self._timed or (message.tsn, now_s)
            packed.append(message)
            room_bytes, flight = room_bytes - message.n_bytes, flight + message.n_bytes
        return packed

    def take_sack(self, acked: Acked, now_s: float) -> tuple[bool, bool]:
        """Take a report in; return whether it told of anything new, and whether to repeat at once.

        Section 7.2.4: a message that three reports missed is repeated before the timer expires.
        """
        was_full = self.flight_bytes >= self.window_bytes
        n_bytes, advanced = self._drop_arrived(acked.cumulative, now_s)
        highest = self._mark_blocks(acked, now_s)
        n_bytes += highest[1]
        if self.recover_tsn is not None and acked.cumulative >= self.recover_tsn:
            self.recover_tsn = None
        if advanced and self.recover_tsn is None:
            self._open_window(n_bytes, was_full=was_full)
        if advanced and self.recover_tsn is not None and acked.blocks:
            highest = acked.blocks[-1][1], highest[1]
        return n_bytes > 0 or advanced, self._note_missing(highest[0])

    def _drop_arrived(self, cumulative: int, now_s: float) -> tuple[int, bool]:
        n_bytes, advanced = 0, False
        while self.sent and self.sent[0].message.tsn <= cumulative:
            one = self.sent.popleft()
            advanced = True
            n_bytes += 0 if one.is_acked else one.message.n_bytes
            self._time(one.message.tsn, now_s)
        return n_bytes, advanced

    def _mark_blocks(self, acked: Acked, now_s: float) -> tuple[int, int]:
        """Mark what arrived out of order; return the highest that is newly so, and the bytes."""
        highest, n_bytes = -1, 0
        for one in self.sent if acked.blocks else ():
            tsn = one.message.tsn
            if not one.is_acked and any(low <= tsn <= high for low, high in acked.blocks):
                one.is_acked, one.is_due = True, False
                highest, n_bytes = tsn, n_bytes + one.message.n_bytes
                self._time(tsn, now_s)
        return highest, n_bytes

    def _note_missing(self, highest: int) -> bool:
        """Count the reports that missed a message; return whether one is to be repeated."""
        found = False
        for one in self.sent:
            if one.message.tsn >= highest:
                break
            if not one.is_acked:
                one.n_missed += 1
                if one.n_missed == _MISSED_REPORTS:
                    one.is_due = found = True
        if found and self.recover_tsn is None:
            self._halve()
            self.window_bytes = self.threshold_bytes
            self.recover_tsn = self.sent[-1].message.tsn
        return found

    def _open_window(self, n_bytes: int, *, was_full: bool) -> None:
        """Slow start, or a packet more each round trip (sections 7.2.1 and 7.2.2)."""
        if self.window_bytes <= self.threshold_bytes:
            self.window_bytes += min(n_bytes, self.room_bytes) if was_full else 0
            return
        self._partly_bytes += n_bytes
        if self._partly_bytes >= self.window_bytes and was_full:
            self._partly_bytes -= self.window_bytes
            self.window_bytes += self.room_bytes

    def _halve(self) -> None:
        self.threshold_bytes = max(self.window_bytes / 2, 4.0 * self.room_bytes)
        self._partly_bytes = 0.0

    def expire(self) -> None:
        """Send all again, a packet at first: the timer rang (section 7.2.3)."""
        self._halve()
        self.window_bytes, self.recover_tsn = float(self.room_bytes), None
        for one in self.sent:
            one.is_due = not one.is_acked
            one.n_missed = 0

    def back_off(self) -> None:
        """Wait twice as long, up to RTO.Max."""
        self.rto_s = min(2 * self.rto_s, self.rto_limits_s[1])

    def _time(self, tsn: int, now_s: float) -> None:
        if self._timed and self._timed[0] == tsn:
            self.measure(now_s - self._timed[1])
            self._timed = None

    def measure(self, trip_s: float) -> None:
        """Learn from a round trip how long to wait (section 6.3.1)."""
        if self.mean_s:
            self.deviation_s += 0.25 * (abs(trip_s - self.mean_s) - self.deviation_s)
            self.mean_s += 0.125 * (trip_s - self.mean_s)
        else:
            self.mean_s, self.deviation_s = trip_s, trip_s / 2
        low_s, high_s = self.rto_limits_s
        self.rto_s = min(max(self.mean_s + 4 * self.deviation_s, low_s), high_s)
