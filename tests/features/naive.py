"""The features by plain loops over a list of packets: slow, obvious, no code shared."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

from tests.features.sip import SECOND, Sip

KINDS = {
    "INVITE": "session_start",
    "BYE": "session_end",
    "CANCEL": "cancel",
    "REGISTER": "registration",
    "OPTIONS": "keep_alive",
    "ACK": "acknowledgement",
    "PRACK": "acknowledgement",
    **dict.fromkeys(("MESSAGE", "NOTIFY", "SUBSCRIBE", "PUBLISH", "INFO"), "message"),
}
CLASSES = {
    **dict.fromkeys((401, 407), "challenge"),
    403: "forbidden",
    **dict.fromkeys((404, 410, 484, 604), "not_found"),
    **dict.fromkeys((408, 504), "timeout"),
    **dict.fromkeys((480, 486, 487, 600, 603), "user_unavailable"),
    400: "bad_request",
    503: "overload",
}
FAMILIES = ("provisional", "success", "redirect", "other_client_error", "other_server_error")
HELD = {f"{way}_{name}" for way in ("to_service", "from_service") for name in (
    "mean_size_bytes", "first_answer_delay_median_s", "first_answer_delay_p95_s",
    "final_answer_delay_median_s", "final_answer_delay_p95_s", "first_answer_delay_std_s",
)} | {"session_length_mean_s", "targets_per_source"}  # fmt: skip
WAYS = ("to_service", "from_service")


@dataclass(frozen=True)
class Seen:
    """One packet: when, how long, between which hosts, and what it carries."""

    time_ns: int
    wire_bytes: int
    source: int
    target: int
    message: Sip | None = None
    special: str = ""


def answer_class(status: int) -> str:
    """Return the class of an answer."""
    return CLASSES.get(status) or [*FAMILIES, "global_failure"][status // 100 - 1]


def quantile(values: list[float], share: float) -> float:
    """Return a quantile, interpolated linearly."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def deviation(values: list[float]) -> float:
    """Return the standard deviation, dividing by n."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


class Naive:
    """Counts everything; ``bins[number][name]`` holds counts, the rest is per bin and way."""

    def __init__(self, service: set[int]) -> None:
        self.service = service
        self.bins: dict[int, Counter[str]] = defaultdict(Counter)
        self.tenths: dict[tuple[int, str], set[int]] = defaultdict(set)
        self.lists: dict[tuple[int, str], list[float]] = defaultdict(list)
        self.sets: dict[tuple[int, str], set[object]] = defaultdict(set)
        self.senders: dict[int, Counter[int]] = defaultdict(Counter)
        self.transactions: dict[tuple[object, ...], dict[str, object]] = {}
        self.open: list[tuple[int, float, str, tuple[object, ...]]] = []
        self.sessions: dict[str, int] = {}
        self.now_ns = 0

    def take(self, packet: Seen) -> None:
        """Count one packet."""
        number = packet.time_ns // SECOND
        way = "to_service" if packet.target in self.service else "from_service"
        count = self.bins[number]
        count[f"{way}_packets"] += 1
        count[f"{way}_bytes"] += packet.wire_bytes
        if packet.special:
            count[f"{way}_{packet.special}"] += 1
            count[f"{way}_refusals"] += packet.special in ("tcp_rst", "icmp_unreachable")
        self.tenths[number, way].add(packet.time_ns % SECOND * 10 // SECOND)
        outside = packet.source if way == "to_service" else packet.target
        self.sets[number, "hosts"].add(outside)
        if way == "to_service":
            self.senders[number][packet.source] += 1
        if packet.message:
            self.take_message(packet, packet.message, number, way)

    def pass_time(self, time_ns: int) -> None:
        """Report requests that have waited too long."""
        self.now_ns = max(self.now_ns, time_ns)
        for request in list(self.open):
            asked_ns, patience, way, key = request
            if self.now_ns - asked_ns < patience * SECOND:
                continue
            self.open.remove(request)
            if not self.transactions[key]["answered"]:
                due = int((asked_ns + patience * SECOND) // SECOND)
                self.bins[due][f"{way}_unanswered_{'t1' if patience == 0.5 else '4s'}"] += 1

    def take_message(self, packet: Seen, message: Sip, number: int, way: str) -> None:
        """Count one message."""
        self.pass_time(packet.time_ns)
        cseq = (message.number, message.method) if message.number is not None else None
        key = (message.call, message.branch, cseq)
        known = self.transactions.get(key)
        if known is None or abs(self.now_ns - known["used"]) > 64 * SECOND:
            known = {"used": packet.time_ns, "asked": None, "answered": False, "final": False}
            self.transactions[key] = known
        known["used"] = max(known["used"], packet.time_ns)
        if message.status:
            self.take_answer(packet, message, number, way, known)
        else:
            self.take_request(packet, message, number, way, known, key)

    def repeat(self, known: dict, side: str, packet: Seen) -> str:
        """Tell whether the message repeats the last of its side."""
        last, seen_ns = known.get(side, (None, 0))
        known[side] = (packet.message.head, packet.time_ns)
        if last != packet.message.head:
            return ""
        return "duplicate" if packet.time_ns - seen_ns < 0.05 * SECOND else "again"

    def take_request(self, packet, message, number, way, known, key) -> None:
        """Count one request."""
        count = self.bins[number]
        count[f"{way}_request_{KINDS.get(message.method, 'other')}"] += 1
        repeat = self.repeat(known, "request", packet)
        count[f"{way}_retransmitted_requests"] += repeat == "again"
        count[f"{way}_repeats"] += repeat == "again"
        count[f"{way}_duplicates"] += repeat == "duplicate"
        self.sets[number, "requesters"].add(packet.source)
        self.sets[number, "targets"].add(message.user)
        if known["asked"] is None:
            known["asked"] = packet.time_ns
            count[f"{way}_new_transactions"] += 1
            if KINDS.get(message.method) != "acknowledgement" and not known["answered"]:
                self.open += [(packet.time_ns, patience, way, key) for patience in (0.5, 4.0)]
        if message.method == "BYE" and self.sessions.get(message.call, -1) >= 0:
            length = max(packet.time_ns - self.sessions[message.call], 0) / SECOND
            if length <= 4 * 3600:
                self.lists[number, "sessions"].append(length)
                self.sessions[message.call] = -1

    def take_answer(self, packet, message, number, way, known) -> None:
        """Count one answer."""
        count = self.bins[number]
        kind = KINDS.get(message.method, "other") if message.number is not None else "other"
        name = answer_class(message.status)
        count[f"{way}_answer_{name}"] += 1
        repeat = self.repeat(known, "answer", packet)
        count[f"{way}_retransmitted_answers"] += repeat == "again"
        count[f"{way}_repeats"] += repeat == "again"
        count[f"{way}_started_sessions"] += name == "success" and kind == "session_start"
        count[f"{way}_done_registrations"] += name == "success" and kind == "registration"
        count[f"{way}_duplicates"] += repeat == "duplicate"
        asker = WAYS[1 - WAYS.index(way)]
        if known["asked"] is not None:
            delay = max(packet.time_ns - known["asked"], 0) / SECOND
            if not known["answered"]:
                self.lists[number, f"{asker}_first"].append(delay)
            if name != "provisional" and not known["final"] and kind != "session_start":
                self.lists[number, f"{asker}_final"].append(delay)
        known["answered"] = True
        known["final"] = known["final"] or name != "provisional"
        if name == "success" and kind == "session_start":
            self.sessions.setdefault(message.call, packet.time_ns)

    def measure(self, number: int) -> dict[str, float]:
        """Return the features of one bin; what was not measured is left out."""
        count = self.bins[number]
        row: dict[str, float] = dict(count)
        for way in WAYS:
            if count[f"{way}_packets"]:
                row[f"{way}_mean_size_bytes"] = count[f"{way}_bytes"] / count[f"{way}_packets"]
            row[f"{way}_idle_share"] = 1 - len(self.tenths[number, way]) / 10
            for which in ("first", "final"):
                values = self.lists[number, f"{way}_{which}"]
                if values:
                    row[f"{way}_{which}_answer_delay_median_s"] = quantile(values, 0.5)
                    row[f"{way}_{which}_answer_delay_p95_s"] = quantile(values, 0.95)
            if self.lists[number, f"{way}_first"]:
                row[f"{way}_first_answer_delay_std_s"] = deviation(
                    self.lists[number, f"{way}_first"]
                )
        return row | self.concentration(number)

    def concentration(self, number: int) -> dict[str, float]:
        """Return the features without direction."""
        row: dict[str, float] = {"active_endpoints": len(self.sets[number, "hosts"])}
        if sessions := self.lists[number, "sessions"]:
            row["session_length_mean_s"] = sum(sessions) / len(sessions)
        if senders := self.senders[number]:
            shares = [n / senders.total() for n in senders.values()]
            row["busiest_source_share"] = max(shares)
            row["source_entropy_bits"] = -sum(share * math.log2(share) for share in shares)
        if requesters := self.sets[number, "requesters"]:
            row["targets_per_source"] = len(self.sets[number, "targets"]) / len(requesters)
        return row


def naive_series(
    packets: list[Seen], service: set[int], names: tuple[str, ...]
) -> list[tuple[int, list[list[float]]]]:
    """Return (first bin, rows of features) for each stretch without a gap above 600 s."""
    naive = Naive(service)
    for packet in packets:
        naive.take(packet)
    naive.pass_time(max(packet.time_ns for packet in packets))
    series: list[tuple[int, list[list[float]]]] = []
    last: int | None = None
    for number in sorted(naive.bins):
        if last is None or number - last > 600:
            series.append((number, []))
            last, held = number - 1, dict.fromkeys(HELD, 0.0)
        for empty in range(last + 1, number + 1):
            row = (
                naive.measure(empty) if empty == number else {f"{w}_idle_share": 1.0 for w in WAYS}
            )
            held |= {name: row[name] for name in HELD if name in row}
            series[-1][1].append([held[n] if n in HELD else row.get(n, 0.0) for n in names])
        last = number
    return series
