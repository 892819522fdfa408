"""TCP of a busy connection that many share: a congestion window, fast repetition, slow start.

References
----------
RFC 5681 sections 3.1 and 3.2 (slow start, fast retransmit), RFC 6582 (partial acknowledgements),
RFC 6675 (what has arrived out of order is not sent again), RFC 6928 (initial window), RFC 7323.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.tcp import TcpChannel
from traffic_siamese.simulate.signalling.tcp_half import Segment
from traffic_siamese.simulate.signalling.wire import ACK, FIN
from traffic_siamese.simulate.signalling.world import UP, World

_INITIAL_WINDOW = 10.0
_LARGEST_WINDOW = 256.0
_DUPLICATES = 3
_MOD = 1 << 32


@dataclass(slots=True)
class _Window:
    """What one direction may have under way.

    Attributes
    ----------
    size, threshold : float
        Segments under way at most; where slow start ends.
    n_sent : int
        How many of the oldest segments that are not acknowledged were sent.
    n_duplicates : int
        Acknowledgements in a row that told nothing new.
    recover_seq : int or None
        While losses are mended: the number behind the last byte that was sent before.
    sent_s : dict of int to (float, float)
        When segments were sent, for the first and for the last time.
    mended : set of int
        Segments that were sent since losses are being mended.
    """

    size: float = _INITIAL_WINDOW
    threshold: float = _LARGEST_WINDOW
    n_sent: int = 0
    n_duplicates: int = 0
    recover_seq: int | None = None
    sent_s: dict[int, tuple[float, float]] = field(default_factory=dict)
    mended: set[int] = field(default_factory=set)


class Stream(TcpChannel):
    """A connection that is given up once, and then replaced by another one.

    Parameters
    ----------
    world : World
    ends : (Endpoint, Endpoint)
        Client and core.
    lost : callable
        Told once that the connection is gone.
    is_open : bool
        Whether the handshake was before the beginning.
    """

    __slots__ = ("_least_trip_s", "_lost", "_windows")

    def __init__(
        self,
        world: World,
        ends: tuple[Endpoint, Endpoint],
        *,
        lost: Callable[[Stream], None],
        is_open: bool = False,
    ) -> None:
        self._lost: Callable[[Stream], None] | None = lost
        self._windows = (_Window(), _Window())
        network = world.network
        self._least_trip_s = network.access_s + 2 * network.link_s + network.core_s
        super().__init__(world, *ends, is_open=is_open)

    def abort(self) -> None:
        """Close, without waiting for what is under way."""
        half = self._halves[UP]
        self._cross(UP, FIN | ACK, half.next_seq, self._halves[1 - UP].expected, _ignore)
        self._fail()

    def _launch(self, way: int, segment: Segment) -> None:
        self._pump(way)

    def _pump(self, way: int) -> None:
        """Send what the window allows; not what is known to have arrived out of order."""
        window, half = self._windows[way], self._halves[way]
        while window.n_sent < min(len(half.unacked), int(window.size)):
            segment = half.unacked[window.n_sent]
            window.n_sent += 1
            if segment.seq not in half.early:
                self._send_segment(way, segment)

    def _send_segment(self, way: int, segment: Segment) -> None:
        """Send, and remember when: for the first time, and for the last."""
        window, now_s = self._windows[way], self._world.clock.now_s
        first_s, _ = window.sent_s.get(segment.seq, (now_s, now_s))
        window.sent_s[segment.seq] = first_s, now_s
        if window.recover_seq is not None:
            window.mended.add(segment.seq)
        self._transmit(way, segment)

    def _repeat(self, way: int, oldest: Segment) -> None:
        """Begin with one segment again: nothing is known of the others."""
        window = self._windows[way]
        window.threshold = max(window.n_sent / 2, 2.0)
        window.size, window.n_sent = 1.0, 1
        self._begin_mending(way, oldest)

    def _begin_mending(self, way: int, oldest: Segment) -> None:
        window = self._windows[way]
        window.recover_seq = self._halves[way].next_seq
        window.mended.clear()
        self._send_segment(way, oldest)

    def _measure(self, way: int, n: int) -> None:
        """Learn the round trip from the segments acknowledged.

        Timestamps tell which of their copies came last (RFC 7323 section 4): here, the last one
        that can be.
        """
        half, window, now_s = self._halves[way], self._windows[way], self._world.clock.now_s
        latest_s = now_s - self._least_trip_s
        pairs = [window.sent_s.pop(segment.seq, (now_s, now_s)) for segment in half.unacked[:n]]
        times = [time_s for pair in pairs for time_s in pair if time_s <= latest_s]
        half.n_repeats = 0 if times else 1
        half.sent_s = max(times, default=now_s)
        half.measure(now_s)

    def _progress(self, way: int, n: int) -> None:
        """Move the window after an acknowledgement of n segments."""
        window, half = self._windows[way], self._halves[way]
        if not n:
            self._take_duplicate(way)
            return
        window.n_duplicates = 0
        window.n_sent = max(window.n_sent - n, 0)
        slow_start = window.size < window.threshold
        window.size = min(window.size + (n if slow_start else n / window.size), _LARGEST_WINDOW)
        if window.recover_seq is not None:
            oldest = half.unacked[0] if half.unacked else None
            if oldest is None or (oldest.seq - window.recover_seq) % _MOD < _MOD // 2:
                window.recover_seq = None
            elif window.n_sent and oldest.seq not in window.mended:
                self._send_segment(way, oldest)
        self._pump(way)

    def _take_duplicate(self, way: int) -> None:
        window, half = self._windows[way], self._halves[way]
        window.n_duplicates += 1
        if window.n_duplicates == _DUPLICATES and window.recover_seq is None and half.unacked:
            window.threshold = window.size = max(window.size / 2, 2.0)
            self._begin_mending(way, half.unacked[0])

    def _fail(self) -> None:
        super()._fail()
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(self)


def _ignore(_: object) -> None:
    """Do nothing: the core forgets a connection that is closed."""
