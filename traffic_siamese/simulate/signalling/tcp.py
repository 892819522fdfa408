"""TCP as far as it shows: handshakes, segments in order, acknowledgements, repetitions, resets.

A message is one segment. Windows never fill: signalling is too thin for that.

References
----------
RFC 9293 (TCP), RFC 6298 (retransmission timer).
"""

from __future__ import annotations

from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.flows import TCP, Endpoint
from traffic_siamese.simulate.signalling.tcp_half import FIRST_RTO_S, Half, Segment
from traffic_siamese.simulate.signalling.wire import ACK, FIN, PUSH, RST, SYN
from traffic_siamese.simulate.signalling.world import DOWN, UP, World

_MAX_RTO_S = 60.0
_MAX_REPEATS = 8
_SYN_REPEATS = 5
_MOD = 1 << 32


class TcpChannel:
    """A connection between a subscriber and the core, opened when it is needed.

    Parameters
    ----------
    world : World
    subscriber, core : Endpoint
    keep_s : float
        Closed by the subscriber when idle for this long; 0 keeps it for ever.
    is_open : bool
        Whether the handshake was before the beginning.

    Attributes
    ----------
    n_users : int
        Calls that need it to stay open.
    """

    reliable = True

    __slots__ = (
        "_asked_s", "_closes", "_ends", "_flows", "_halves", "_keep_s", "_last_s",
        "_repeated_syn", "_round", "_state", "_waiting", "_world", "n_users",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        subscriber: Endpoint,
        core: Endpoint,
        *,
        keep_s: float = 0.0,
        is_open: bool = False,
    ) -> None:
        self._world, self._keep_s = world, keep_s
        self._ends = (subscriber, core)
        self._flows = (
            world.flows.add(subscriber, core, TCP, from_core=False),
            world.flows.add(core, subscriber, TCP, from_core=True),
        )
        self._waiting: list[tuple[bytes, Action, object]] = []
        self._last_s = self._asked_s = 0.0
        self._repeated_syn = False
        self._round = 0
        self._closes = False
        self._start_numbers()
        self.n_users = 0
        self._state = "open" if is_open else "closed"
        if is_open:
            network = world.network
            self._take_trip(2 * (network.access_s + network.link_s + network.core_s))
            self._watch_idleness()

    def send(self, way: int, payload: bytes, arrive: Action, subject: object) -> None:
        """Send a message, in order and repeated until it is acknowledged."""
        self._last_s = self._world.clock.now_s
        if self._state == "open":
            self._queue(way, PUSH | ACK, payload, (arrive, subject))
        elif way == UP:
            self._waiting.append((payload, arrive, subject))
            if self._state == "closed":
                self._open()

    def refuse(self, payload: bytes) -> None:
        """Reset the connection: no process listens any more."""
        self._reset()

    def _start_numbers(self) -> None:
        first = [self._world.random.getrandbits(32) for _ in range(2)]
        self._halves = tuple(Half(seq, seq) for seq in first)

    def _open(self) -> None:
        self._state, self._closes = "opening", False
        self._round += 1
        self._start_numbers()
        self._send_syn((self._round, 0))

    def _send_syn(self, attempt: tuple[int, int]) -> None:
        """Ask for a connection; again after 1, 3, 7 … seconds."""
        number, n = attempt
        self._repeated_syn = n > 0
        if n == 0:
            self._asked_s = self._world.clock.now_s
        if self._state != "opening" or number != self._round:
            return
        if n > _SYN_REPEATS:
            self._fail()
            return
        self._cross(UP, SYN, self._halves[UP].next_seq, 0, self._meet_syn)
        self._world.clock.after(FIRST_RTO_S * 2**n, self._send_syn, (number, n + 1))

    def _meet_syn(self, _: object) -> None:
        conditions = self._world.conditions
        if conditions.down:
            if not conditions.silent:
                self._reset()
            return
        seq = self._halves[UP].next_seq
        self._cross(DOWN, SYN | ACK, self._halves[DOWN].next_seq, seq + 1, self._meet_syn_ack)

    def _meet_syn_ack(self, _: object) -> None:
        if self._state != "opening":
            return
        self._state = "open"
        for half in self._halves:
            half.next_seq = half.expected = (half.next_seq + 1) % _MOD
        if not self._repeated_syn:
            self._take_trip(self._world.clock.now_s - self._asked_s)
        self._acknowledge(UP)
        waiting, self._waiting = self._waiting, []
        for payload, arrive, subject in waiting:
            self._queue(UP, PUSH | ACK, payload, (arrive, subject))
        self._watch_idleness()

    def _take_trip(self, trip_s: float) -> None:
        """Expect the round trip that the handshake has told (RFC 6298 section 2.2)."""
        for half in self._halves:
            half.take_trip(trip_s)

    def _watch_idleness(self) -> None:
        if self._keep_s:
            self._world.clock.after(self._keep_s, self._close_idle, self._round)

    def _close_idle(self, number: int) -> None:
        if self._state != "open" or number != self._round:
            return
        clock = self._world.clock
        left_s = self._last_s + self._keep_s - clock.now_s
        if self.n_users:
            left_s = self._keep_s
        if left_s > 0:
            clock.after(left_s + 1e-3, self._close_idle, number)
        elif not self._closes:
            self._closes = True
            self._queue(UP, FIN | ACK, b"", (self._meet_fin, number))

    def _meet_fin(self, number: int) -> None:
        """Close the core's side too; then the connection is gone."""
        if number == self._round:
            self._queue(DOWN, FIN | ACK, b"", (self._finish, number))

    def _finish(self, number: int) -> None:
        if number == self._round:
            self._state = "closing"
            self._world.clock.after(0.5, self._forget, number)

    def _forget(self, number: int) -> None:
        if number == self._round:
            self._state = "closed"
            if self._waiting:
                self._open()

    def _queue(self, way: int, flags: int, payload: bytes, delivery: tuple[Action, object]) -> None:
        half = self._halves[way]
        segment = Segment(half.next_seq, len(payload) or 1, flags, payload, *delivery)
        half.next_seq = (half.next_seq + segment.length) % _MOD
        half.unacked.append(segment)
        half.sent_s = self._world.clock.now_s if len(half.unacked) == 1 else half.sent_s
        self._launch(way, segment)
        if not half.timer_runs:
            half.timer_runs = True
            self._world.clock.after(half.rto_s, self._expire, (way, self._round, segment.seq))

    def _launch(self, way: int, segment: Segment) -> None:
        """Send a new segment."""
        self._transmit(way, segment)

    def _repeat(self, way: int, oldest: Segment) -> None:
        """Send again what was not acknowledged in time."""
        self._transmit(way, oldest)

    def _measure(self, way: int, n: int) -> None:
        """Learn from the acknowledgement of the n oldest segments how long a round trip takes."""
        self._halves[way].measure(self._world.clock.now_s)

    def _progress(self, way: int, n: int) -> None:
        """Go on after an acknowledgement of n segments."""

    def _transmit(self, way: int, segment: Segment) -> None:
        arrive = (self._round, way, segment)
        acked = self._halves[1 - way].expected
        flow = self._flows[way]
        numbers = (segment.seq, acked, segment.flags)
        arrival_s = self._world.cross(way, flow, segment.payload, numbers)
        if arrival_s is not None:
            self._world.clock.at(arrival_s, self._meet, arrive)

    def _expire(self, subject: tuple[int, int, int]) -> None:
        """Repeat the oldest segment, and wait twice as long (RFC 6298 section 5)."""
        way, number, seq = subject
        half = self._halves[way]
        if number != self._round or self._state not in ("open", "closing"):
            return
        half.timer_runs = bool(half.unacked)
        if not half.unacked:
            return
        oldest = half.unacked[0]
        if oldest.seq == seq:
            half.n_repeats += 1
            if half.n_repeats > _MAX_REPEATS:
                self._fail()
                return
            half.rto_s = min(2 * half.rto_s, _MAX_RTO_S)
            self._repeat(way, oldest)
        self._world.clock.after(half.rto_s, self._expire, (way, number, oldest.seq))

    def _meet(self, subject: tuple[int, int, Segment]) -> None:
        """Take a segment in: deliver what is in order, keep what is early, acknowledge."""
        number, way, segment = subject
        conditions = self._world.conditions
        if way == UP and conditions.down:
            if not conditions.silent:
                self._reset()
            return
        if number != self._round or self._state not in ("open", "closing"):
            return
        half = self._halves[way]
        in_order = []
        half.early[segment.seq] = segment
        while (due := half.early.pop(half.expected, None)) is not None:
            half.expected = (half.expected + due.length) % _MOD
            in_order.append(due)
        self._acknowledge(1 - way)
        for due in in_order:
            if due.arrive is not None:
                due.arrive(due.subject)
        if not in_order and (half.expected - segment.seq) % _MOD < _MOD // 2:
            half.early.pop(segment.seq)  # it had been delivered before

    def _acknowledge(self, way: int) -> None:
        """Send a bare ACK, which tells the other side what has arrived."""
        seq, acked = self._halves[way].next_seq, self._halves[1 - way].expected
        arrival_s = self._world.cross(way, self._flows[way], b"", (seq, acked, ACK))
        if arrival_s is not None:
            self._world.clock.at(arrival_s, self._meet_ack, (self._round, 1 - way, acked))

    def _meet_ack(self, subject: tuple[int, int, int]) -> None:
        number, way, acked = subject
        if number != self._round:
            return
        half = self._halves[way]
        n = 0
        for segment in half.unacked:
            if (acked - segment.seq - segment.length) % _MOD >= _MOD // 2:
                break
            n += 1
        if n:
            self._measure(way, n)
            del half.unacked[:n]
            half.sent_s = self._world.clock.now_s
        self._progress(way, n)

    def _cross(self, way: int, flags: int, seq: int, acked: int, arrive: Action) -> None:
        arrival_s = self._world.cross(way, self._flows[way], b"", (seq, acked % _MOD, flags))
        if arrival_s is not None:
            self._world.clock.at(arrival_s, arrive, None)

    def _reset(self) -> None:
        """Answer with RST, as the core's host does; what was under way is lost."""
        half = self._halves[UP]
        self._cross(DOWN, RST | ACK, self._halves[DOWN].next_seq, half.next_seq, self._be_reset)

    def _be_reset(self, _: object) -> None:
        if self._state != "closed":
            self._fail()

    def _fail(self) -> None:
        self._state = "closed"
        self._round += 1
        self._waiting = []
        self._start_numbers()
