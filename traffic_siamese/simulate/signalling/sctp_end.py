"""One end of an SCTP association: its state, its timers, and what it makes of each chunk.

References
----------
RFC 9260 sections 5.1 (setup), 6 (data), 8 (failures, heartbeats), 9 (the end), 16 (values).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from traffic_siamese.simulate.signalling import sctp_chunks as c
from traffic_siamese.simulate.signalling.clock import Action
from traffic_siamese.simulate.signalling.sctp_chunks import Chunk, Message
from traffic_siamese.simulate.signalling.sctp_receiver import Receiver
from traffic_siamese.simulate.signalling.sctp_sender import Sender
from traffic_siamese.simulate.signalling.sctp_timers import Timers
from traffic_siamese.simulate.signalling.world import World

_PATH_MTU_BYTES = 1500
_SACK_DELAY_S = 0.2
_MAX_BURST = 4
_MAX_INIT_RETRIES = 8
_TALKS = ("open", "shutdown_pending", "shutdown_sent", "shutdown_received")

Post = Callable[[Sequence[Chunk]], None]


class SctpEnd:
    """One end.

    Parameters
    ----------
    world : World
    post : callable
        Sends a packet of some chunks to the other end.
    lost : callable
        Told when the association is over, or ends.

    Attributes
    ----------
    state : str
        ``closed``, ``cookie_wait``, ``cookie_echoed``, ``open``, ``shutdown_pending``,
        ``shutdown_sent``, ``shutdown_received``, ``shutdown_ack_sent``, and ``gone`` for good.
    tag : int
        What packets to this end bear.
    first_tsn : int
    """

    __slots__ = (
        "_cookie", "_last_s", "_lost", "_n_errors", "_n_streamed", "_n_tries",
        "_post", "_receiver", "_sender", "_timers", "_world", "first_tsn", "state", "tag",
    )  # fmt: skip

    def __init__(self, world: World, post: Post, lost: Callable[[], None]) -> None:
        network, ip_bytes = world.network, 40 if world.network.ipv6 else 20
        self._world, self._post, self._lost = world, post, lost
        self.state = "closed"
        self.tag = world.random.randrange(1, 1 << 32)
        self.first_tsn = world.random.getrandbits(32)
        room_bytes = _PATH_MTU_BYTES - ip_bytes - c.COMMON_HEADER_BYTES
        self._sender = Sender(self.first_tsn, room_bytes, (network.rto_min_s, network.rto_max_s))
        self._receiver = Receiver(0)
        self._timers = Timers(world.clock)
        self._n_errors = self._n_tries = self._n_streamed = 0
        self._last_s = world.clock.now_s
        self._cookie: Chunk | None = None

    def be_open(self, peer_tsn: int, *, trip_s: float = 0.0) -> None:
        """Be established, with what the other end counts from; perhaps for long already."""
        self.state, self._n_errors = "open", 0
        self._receiver = Receiver(peer_tsn)
        if trip_s:
            self._sender.measure(trip_s)
        self._plan_heartbeat()

    def open(self) -> None:
        """Ask the other end for an association."""
        self.state = "cookie_wait"
        self._set_up()

    def send(self, payload: bytes, arrive: Action, subject: object) -> None:
        """Send a message: the first one in stream 0, the others by the other streams in turn."""
        sender = self._sender
        stream = 1 + self._n_streamed % (c.N_STREAMS - 1) if self._n_streamed else 0
        self._n_streamed += 1
        numbers = sender.next_tsn, stream, sender.next_ssn(stream)
        sender.next_tsn += 1
        sender.waiting.append(Message(*numbers, payload, arrive, subject))
        if self.state == "open":
            self._flush()

    def abort(self) -> None:
        """End it at once."""
        self._post([c.chunk(c.ABORT)])
        self.vanish()

    def shut_down(self) -> None:
        """End it once all has arrived that is under way."""
        if self.state == "open":
            self.state = "shutdown_pending"
            self._timers.stop("heartbeat")
            self._go_on_closing()

    def vanish(self) -> None:
        """Forget it, without a word."""
        if self.state != "gone":
            self.state = "gone"
            self._timers.end()
            self._lost()

    def take(self, chunks: Sequence[Chunk]) -> None:
        """Take a packet in."""
        arrived: list[Message] = []
        has_data = False
        for one in chunks:
            if one.kind == c.DATA and self.state in _TALKS and isinstance(one.content, Message):
                arrived += self._receiver.take(one.content)
                has_data = True
            elif one.kind in _HANDLERS:
                _HANDLERS[one.kind](self, one.content)
        if has_data:
            self._acknowledge()
        if self.state in ("open", "shutdown_received"):
            for message in arrived:
                message.arrive(message.subject)

    def grant(self) -> None:
        """Answer an INIT: with a cookie, which is all that is kept of it."""
        self._post([c.init(self.tag, self.first_tsn, kind=c.INIT_ACK)])

    def _set_up(self) -> None:
        """Send INIT or COOKIE ECHO, again after 1, 3, 7 … seconds (T1-init, T1-cookie)."""
        if self._n_tries > _MAX_INIT_RETRIES:
            self.vanish()
            return
        first = self._cookie or c.init(self.tag, self.first_tsn)
        messages = self._fill(len(first.wire)) if self._cookie else []
        self._post([first, *messages])
        self._timers.start("t1", self._sender.rto_s, self._repeat_set_up)

    def _repeat_set_up(self) -> None:
        self._n_tries += 1
        self._sender.back_off()
        self._sender.expire()
        self._set_up()

    def _meet_grant(self, granted: Any) -> None:
        if self.state == "cookie_wait":
            tag, peer_tsn = granted
            self.state, self._n_tries = "cookie_echoed", 0
            self._receiver = Receiver(peer_tsn)
            self._cookie = c.chunk(c.COOKIE_ECHO, c.cookie(tag), content=self.first_tsn)
            self._set_up()

    def _meet_cookie(self, peer_tsn: Any) -> None:
        if self.state == "closed":
            self.be_open(peer_tsn)
        if self.state == "open":
            self._post([c.chunk(c.COOKIE_ACK)])

    def _meet_cookie_ack(self, _: Any) -> None:
        if self.state == "cookie_echoed":
            self._timers.stop("t1")
            self.be_open(self._receiver.cumulative + 1)
            if self._sender.sent:
                self._timers.start("t3", self._sender.rto_s, self._expire)
            self._flush()

    def _fill(self, used_bytes: int, *, at_least_one: bool = False) -> list[Chunk]:
        """Write what of the messages fits into a packet beside what is there."""
        room_bytes = self._sender.room_bytes - used_bytes
        now_s = self._world.clock.now_s
        packed = self._sender.pack(room_bytes, now_s, at_least_one=at_least_one)
        if packed:
            self._last_s = now_s
        return [c.data(message) for message in packed]

    def _flush(self, *, at_least_one: bool = False, n_packets: int = _MAX_BURST) -> None:
        """Send what the window allows, some packets at most; a report that is due comes along."""
        for _ in range(n_packets):
            used_bytes = self._receiver.report_bytes
            messages = self._fill(used_bytes, at_least_one=at_least_one)
            if not messages:
                return
            self._post([self._report(), *messages] if used_bytes else messages)
            if not self._timers.runs("t3"):
                self._timers.start("t3", self._sender.rto_s, self._expire)
            at_least_one = False

    def _expire(self) -> None:
        """Timer T3-rtx."""
        if self._take_error():
            self._sender.expire()
            self._flush(at_least_one=True, n_packets=1)

    def _take_error(self) -> bool:
        """Count what was not acknowledged, and wait longer; return whether there is still hope."""
        self._n_errors += 1
        self._sender.back_off()
        if self._n_errors > self._world.network.association_retries:
            self.abort()
        return self.state != "gone"

    def _acknowledge(self) -> None:
        """Report at once, or within some time."""
        self._receiver.n_unreported += 1
        if self.state == "shutdown_sent":
            self._post([c.shutdown(self._receiver.cumulative), self._report()])
        elif self._receiver.must_report:
            self._post([self._report()])
        elif not self._timers.runs("sack"):
            self._timers.start("sack", _SACK_DELAY_S, lambda: self._post([self._report()]))

    def _report(self) -> Chunk:
        self._timers.stop("sack")
        return self._receiver.report()

    def _meet_sack(self, acked: Any) -> None:
        if self.state not in (*_TALKS, "shutdown_ack_sent"):
            return
        sender = self._sender
        oldest = sender.sent[0].message.tsn if sender.sent else 0
        is_news, repeats = sender.take_sack(acked, self._world.clock.now_s)
        self._n_errors = 0 if is_news else self._n_errors
        if not sender.sent:
            self._timers.stop("t3")
        elif acked.cumulative >= oldest:
            self._timers.start("t3", self._sender.rto_s, self._expire)
        self._flush(at_least_one=repeats)
        if self.state in ("shutdown_pending", "shutdown_received"):
            self._go_on_closing()

    def _plan_heartbeat(self) -> None:
        rto_s = self._sender.rto_s * self._world.random.uniform(0.5, 1.5)
        self._timers.start("heartbeat", self._world.network.heartbeat_s + rto_s, self._ask)

    def _ask(self) -> None:
        """Ask over a path that was idle since the last time (section 8.3)."""
        now_s = self._world.clock.now_s
        if not self._sender.sent and self._last_s <= now_s - self._world.network.heartbeat_s:
            self._post([c.heartbeat(c.HEARTBEAT, now_s)])
            self._timers.start("answer", self._sender.rto_s, self._take_error)
        self._plan_heartbeat()

    def _meet_heartbeat(self, sent_s: Any) -> None:
        if self.state in _TALKS:
            self._post([c.heartbeat(c.HEARTBEAT_ACK, sent_s)])

    def _meet_heartbeat_ack(self, sent_s: Any) -> None:
        self._timers.stop("answer")
        self._n_errors = 0
        self._sender.measure(self._world.clock.now_s - sent_s)

    def _go_on_closing(self) -> None:
        """Send SHUTDOWN, or its acknowledgement, once nothing is under way (section 9.2)."""
        if self._sender.sent or self._sender.waiting:
            return
        if self.state in ("shutdown_pending", "shutdown_sent"):
            self.state = "shutdown_sent"
            self._post([c.shutdown(self._receiver.cumulative)])
        elif self.state in ("shutdown_received", "shutdown_ack_sent"):
            self.state = "shutdown_ack_sent"
            self._post([c.chunk(c.SHUTDOWN_ACK)])
        else:
            return
        self._timers.start("t2", self._sender.rto_s, self._repeat_closing)

    def _repeat_closing(self) -> None:
        if self._take_error():
            self._go_on_closing()

    def _meet_shutdown(self, cumulative: Any) -> None:
        if self.state == "shutdown_ack_sent":
            self._go_on_closing()
        if self.state == "open":
            self.state = "shutdown_received"
            self._timers.stop("heartbeat")
            self._lost()
        self._meet_sack(c.Acked(cumulative, ()))

    def _meet_shutdown_ack(self, _: Any) -> None:
        self._post([c.chunk(c.SHUTDOWN_COMPLETE)])
        self.vanish()


_HANDLERS: dict[int, Callable[[SctpEnd, Any], None]] = {
    c.INIT_ACK: SctpEnd._meet_grant,
    c.COOKIE_ECHO: SctpEnd._meet_cookie,
    c.COOKIE_ACK: SctpEnd._meet_cookie_ack,
    c.SACK: SctpEnd._meet_sack,
    c.HEARTBEAT: SctpEnd._meet_heartbeat,
    c.HEARTBEAT_ACK: SctpEnd._meet_heartbeat_ack,
    c.SHUTDOWN: SctpEnd._meet_shutdown,
    c.SHUTDOWN_ACK: SctpEnd._meet_shutdown_ack,
    c.SHUTDOWN_COMPLETE: lambda end, _: end.vanish(),
    c.ABORT: lambda end, _: end.vanish(),
}
