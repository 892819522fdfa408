"""Random SIP traffic between phones and one core, with everything that goes wrong in it."""

from __future__ import annotations

import random

from tests import builders as b
from tests.features.naive import Seen
from tests.features.sip import SECOND, START_NS, STYLES, Sip, address, datagram

CORE = 1
YEAR_NS = 365 * 86_400 * SECOND
METHODS = ("REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "INFO", "UPDATE", "CANCEL", "NOTIFY")
STATUSES = (200, 302, 400, 401, 403, 404, 405, 408, 410, 480, 483, 486, 500, 503, 504, 603, 606)


class Traffic:
    """Emits packets at any time; ``sorted_packets`` puts them in capture order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.events: list[tuple[int, int, int, Sip | None, str]] = []
        self.n = 0

    def send(self, time_s: float, hosts: tuple[int, int], message: Sip) -> None:
        """Send one message, perhaps repeated, doubled or lost."""
        time_ns = START_NS + int(time_s * SECOND)
        if self.random.random() < 0.06:
            return
        self.events.append((time_ns, *hosts, message, ""))
        if self.random.random() < 0.1:
            self.events.append((time_ns + 1_000_000, *hosts, message, ""))
        if self.random.random() < 0.15:
            self.events.append(
                (time_ns + self.random.choice([5, 10, 700]) * SECOND // 10, *hosts, message, "")
            )

    def transaction(
        self, time_s: float, hosts: tuple[int, int], ask: Sip, statuses: list[int]
    ) -> float:
        """Send a request and answers to it; returns the time of the last answer."""
        self.send(time_s, hosts, ask)
        for status in statuses:
            time_s += self.random.choice([0.003, 0.04, 0.2, 0.6, 3.0, 6.0]) * self.random.random()
            answer = Sip(**{**_said(ask), "status": status, "tag": f"t{self.random.randint(0, 1)}"})
            self.send(time_s, hosts[::-1], answer)
        return time_s

    def message(self, method: str, **said: object) -> Sip:
        """Return a new request."""
        self.n += 1
        fields = {"branch": f"z9hG4bK{self.n}", "call": f"call-{self.n}", "number": self.n} | said
        for name in ("branch", "number"):
            if self.random.random() < 0.05:
                fields[name] = None
        user, style = f"user{self.random.randint(0, 5)}", self.random.choice(STYLES)
        return Sip(
            method, user=user, style=style, body=b"v=0\r\n" * self.random.randint(0, 3), **fields
        )

    def call(self, time_s: float) -> None:
        """Set up a call, hold it, end it."""
        hosts = self.hosts()
        invite = self.message("INVITE")
        ringing = self.random.choice([[], [100], [100, 180], [100, 180, 183, 180]])
        final = self.random.choice([200, 200, 200, 486, 503, 404])
        time_s = self.transaction(time_s, hosts, invite, [*ringing, final])
        self.send(time_s + 0.01, hosts, self.message("ACK", call=invite.call))
        if final == 200:
            end = self.message("BYE", call=invite.call)
            ways = self.random.choice([hosts, hosts[::-1]])
            self.transaction(time_s + self.random.expovariate(0.2), ways, end, [200])

    def hosts(self) -> tuple[int, int]:
        """Return sender and receiver, one of them the core."""
        phone = self.random.randint(10, 16)
        return (phone, CORE) if self.random.random() < 0.7 else (CORE, phone)

    def noise(self, time_s: float) -> None:
        """Send something that is no message."""
        what = self.random.choice(["", "tcp_syn", "tcp_rst", "icmp_unreachable", "fragments"])
        self.events.append((START_NS + int(time_s * SECOND), *self.hosts(), None, what))


def _said(message: Sip) -> dict[str, object]:
    return {name: getattr(message, name) for name in Sip.__dataclass_fields__}


def _frame(source: int, target: int, message: Sip | None, special: str, port: int) -> bytes:
    ends = {"source": address(source), "target": address(target)}
    if special.startswith("tcp"):
        flags = 2 if special == "tcp_syn" else 4
        return b.ethernet(b.ipv4(b.tcp(flags=flags, ports=(port, 5060)), 6, **ends))
    if special == "icmp_unreachable":
        return b.ethernet(b.ipv4(b.icmp(Sip("INVITE").wire), 1, **ends))
    if special == "fragments":
        return b.ethernet(b.ipv4(Sip("INVITE").wire, fragment=100, **ends))
    payload = message.wire if message else b"\r\n\r\n"
    return datagram(payload, 0, hosts=(source, target)).frame


def random_traffic(seed: int, *, n: int = 60) -> tuple[list[b.Packet], list[Seen]]:
    """Return packets in capture order, and what the naive reference is told of them."""
    traffic = Traffic(seed)
    for _ in range(n):
        time_s = traffic.random.random() * 40
        traffic.random.choice([traffic.call, traffic.noise, lambda t: _single(traffic, t)])(time_s)
    cut = START_NS + 20 * SECOND
    jump_ns = traffic.random.choice([0, 0, 30 * SECOND, 1000 * SECOND, YEAR_NS])
    late = [traffic.random.choice([0, 0, 0, 0, 0.3, 3]) for _ in traffic.events]
    events = [(t + jump_ns * (t > cut), *rest) for t, *rest in traffic.events]
    order = sorted(range(len(events)), key=lambda i: events[i][0] + late[i] * SECOND)
    packets, seen = [], []
    for port, (time_ns, source, target, message, special) in enumerate(events[i] for i in order):
        frame = _frame(source, target, message, special, 1024 + port)
        packets.append(b.Packet(frame, time_ns))
        seen.append(Seen(time_ns, packets[-1].wire, source, target, message, special))
    return packets, seen


def _single(traffic: Traffic, time_s: float) -> None:
    ask = traffic.message(traffic.random.choice(METHODS))
    statuses = traffic.random.choices(STATUSES, k=traffic.random.choice([0, 1, 1, 1, 2]))
    traffic.transaction(time_s, traffic.hosts(), ask, statuses)
