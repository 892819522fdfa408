"""Simulated Diameter: what RFC 6733, RFC 3539 and RFC 8506 say, read from the bytes by hand."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from tests.simulate.signalling.simulated import PLAIN, episode, fault, packets, values
from traffic_siamese.simulate.signalling.diameter import CREDIT_RESULTS
from traffic_siamese.simulate.signalling.episode import Episode
from traffic_siamese.simulate.signalling.families import FAMILIES
from traffic_siamese.simulate.signalling.fault_model import FaultModel, draw_fault, names_in
from traffic_siamese.simulate.signalling.network_model import NetworkRanges, draw_network
from traffic_siamese.simulate.signalling.protocol import (
    BEGINNINGS,
    REQUESTS,
    SignallingProtocol,
)
from traffic_siamese.simulate.signalling.protocols import DIAMETER, PROTOCOLS
from traffic_siamese.simulate.signalling.world import UP, World

CORE = replace(PLAIN, protocol="diameter", transport="tcp", n_addresses=6, keep_alives_per_s=0.0)
CREDIT, LOCATION, VECTORS, WATCHDOG, CAPABILITIES = 272, 316, 318, 280, 257
SYN = 2


@dataclass(frozen=True)
class Told:
    """A message: seconds since the first packet, who sends to whom, header and attributes."""

    time_s: float
    ends: tuple[bytes, bytes]
    flags: int
    command: int
    ids: tuple[int, int]
    avps: dict[int, bytes]

    @property
    def asks(self) -> bool:
        """Whether it is a request."""
        return bool(self.flags & 0x80)

    def number(self, code: int) -> int:
        """Value of an attribute that is a number."""
        return int.from_bytes(self.avps[code], "big")


def told(one: Episode) -> list[Told]:
    """Read every TCP segment over IPv4 that carries a message, copies left out."""
    seen = packets(one)
    found, known = [], set()
    for packet in seen:
        payload = packet.frame[66:]
        if not payload or packet.frame[26:38] + payload in known:
            continue
        known.add(packet.frame[26:38] + payload)
        word, flags, _, hop, end = struct.unpack_from(">IIIII", payload)
        assert (word >> 24, word & 0xFFFFFF) == (1, len(payload))
        ends = packet.frame[26:30], packet.frame[30:34]
        avps = attributes(payload[20:])
        time_s = packet.time_s - seen[0].time_s
        found.append(Told(time_s, ends, flags >> 24, flags & 0xFFFFFF, (hop, end), avps))
    return found


def attributes(data: bytes) -> dict[int, bytes]:
    """Walk the attributes of a message: RFC 6733 section 4.1."""
    found, at = {}, 0
    while at < len(data):
        code, word = struct.unpack_from(">II", data, at)
        length = word & 0xFFFFFF
        skipped = 12 if word >> 31 else 8
        found.setdefault(code, data[at + skipped : at + length])
        assert data[at + length : at + length + (-length % 4)].strip(b"\0") == b""
        at += length + (-length % 4)
    assert at == len(data)
    return found


@cache
def sound() -> tuple[Told, ...]:
    """Return a minute without faults."""
    return tuple(told(episode(CORE)))


def test_every_request_is_answered_once_by_who_was_asked() -> None:
    """The answer has the request's command and both identifiers, and goes back."""
    requests = {(m.command, m.ids): m for m in sound() if m.asks}
    answers = {(m.command, m.ids): m for m in sound() if not m.asks}
    early = {key for key, m in requests.items() if m.time_s < 50}
    assert len(early) > 500
    assert early <= set(answers)
    assert all(answers[key].ends == requests[key].ends[::-1] for key in early)
    assert len({m.ids for m in requests.values()}) == len(requests)


def test_a_session_is_begun_renewed_and_ended_in_order() -> None:
    """CC-Request-Number counts from 0, types are 1, then 2s, then 3 (RFC 8506 section 8)."""
    by_session = defaultdict(list)
    network = replace(CORE, update_s=3.0, hold_s=9.0)
    for m in told(episode(network)):
        if m.asks and m.command == CREDIT:
            by_session[m.avps[263]].append(m)
    whole = [ms for ms in by_session.values() if ms[0].number(416) == 1 and ms[-1].number(416) == 3]
    assert len(whole) > 50
    for ms in whole:
        assert [m.number(416) for m in ms] == [1, *[2] * (len(ms) - 2), 3]
        assert [m.number(415) for m in ms] == list(range(len(ms)))
    renewed = [b.time_s - a.time_s for ms in whole for a, b in pairwise(ms)]
    assert np.median([gap for gap in renewed if gap > 2.2]) == pytest.approx(3.0, rel=0.1)


def test_mandatory_attributes_are_there() -> None:
    """RFC 8506 section 3.1, TS 29.272 tables 7.2.3 and 7.2.5: what is in braces there."""
    wanted = {
        (CREDIT, True): {263, 264, 296, 283, 258, 461, 416, 415},
        (CREDIT, False): {263, 268, 264, 296, 258, 416, 415},
        (LOCATION, True): {263, 277, 264, 296, 283, 1, 1032, 1405, 1407},
        (LOCATION, False): {263, 277, 264, 296, 268},
        (VECTORS, True): {263, 277, 264, 296, 283, 1, 1407},
        (WATCHDOG, True): {264, 296},
        (WATCHDOG, False): {268, 264, 296},
    }
    fine = [m for m in sound() if m.asks or m.avps.get(268) == b"\0\0\x07\xd1"]
    for m in fine:
        assert wanted.get((m.command, m.asks), set()) <= set(m.avps)
    assert {m.command for m in fine} >= {CREDIT, LOCATION, VECTORS}


def test_a_subscriber_attaches_with_vectors_first() -> None:
    """AIR, then ULR of the same subscriber once it was answered."""
    asked = {m.avps[1]: m.time_s for m in sound() if m.asks and m.command == VECTORS}
    located = {m.avps[1]: m.time_s for m in sound() if m.asks and m.command == LOCATION}
    both = [who for who in asked if who in located and asked[who] < 55]
    assert len(both) > 30
    assert sum(located[who] > asked[who] for who in both) > 0.9 * len(both)


def test_a_connection_begins_with_capabilities_and_only_then_asks() -> None:
    """After the core was away, each new connection (section 5.3)."""
    away = fault("service_down", answer="silence")
    network = replace(CORE, watchdog_s=6.0, reconnect_s=5.0)
    one = episode(network, away, length_s=80, onset_s=10, end_s=40)
    late = [m for m in told(one) if m.time_s > 40.5]
    first = {}
    for m in late:
        first.setdefault(frozenset(m.ends), m)
    assert len(first) == 6
    assert all(m.command == CAPABILITIES and m.asks for m in first.values())
    results = {m.number(268) for m in late if m.command == CAPABILITIES and not m.asks}
    assert results == {2001}


def test_a_quiet_connection_is_watched_and_a_busy_one_is_not() -> None:
    """DWR after Tw = 10 s, give or take 2 s, without a word from the peer (RFC 3539)."""
    quiet = replace(
        CORE, n_subscribers=6, calls_per_s=0.001, registrations_per_s=0.001, messages_per_s=0.001,
        watchdog_s=10.0,
    )  # fmt: skip
    asked = [m for m in told(episode(quiet, length_s=120)) if m.asks and m.command == WATCHDOG]
    by_pair = defaultdict(list)
    for m in asked:
        by_pair[frozenset(m.ends)].append(m.time_s)
    gaps = np.concatenate([np.diff(times) for times in by_pair.values()])
    assert len(by_pair) == 6
    assert gaps.min() > 5.0
    assert np.median(gaps) == pytest.approx(10.0, abs=2.5)
    busy = replace(CORE, n_addresses=1, watchdog_s=10.0)
    assert not [m for m in told(episode(busy)) if m.command == WATCHDOG]


def test_a_request_that_is_not_answered_goes_to_the_other_core_with_flag_t() -> None:
    """Timer Tx of 3 s: the copy has the same End-to-End Identifier (section 5.5.4)."""
    network = replace(CORE, n_cores=2, request_timeout_s=3.0)
    swallowed = fault("route_misconfig", answer="silence", share=1.0)
    asked = [m for m in told(episode(network, swallowed)) if m.asks and 21 < m.time_s < 45]
    copies = [m for m in asked if m.flags & 0x10]
    originals = {m.ids[1]: m for m in asked if not m.flags & 0x10}
    known = [(originals[m.ids[1]], m) for m in copies if m.ids[1] in originals]
    assert len(known) > 40
    for first, copy in known:
        assert copy.time_s - first.time_s == pytest.approx(3.0, abs=1e-2)
        assert copy.ends[1] != first.ends[1]
        assert copy.avps == first.avps


@pytest.mark.parametrize(
    ("family", "given", "command", "result"),
    [
        ("server_overload", {"share": 1.0}, CREDIT, 3004),
        ("route_misconfig", {"answer": "404", "share": 1.0}, CREDIT, 5030),
        ("server_errors", {"answer": "500", "share": 1.0}, CREDIT, 5012),
        ("server_errors", {"answer": "502", "share": 1.0}, CREDIT, 5031),
        ("auth_failure", {"answer": "403", "share": 1.0}, LOCATION, 5004),
        ("auth_failure", {"answer": "401", "share": 1.0}, LOCATION, 5003),
    ],
)
def test_a_refusal_has_the_code_that_diameter_has_for_it(
    family: str, given: dict[str, float | str], command: int, result: int
) -> None:
    """Of answers to what begins; protocol errors, 3xxx, have flag E (section 7.1.3)."""
    network = replace(CORE, challenge_share=0.0, stray_errors=0.0)
    seen = [m for m in told(episode(network, fault(family, **given))) if 22 < m.time_s < 49]
    first = {m.ids for m in seen if m.asks and m.avps.get(416, b"\1")[-1] == 1}
    codes: Counter[int] = Counter()
    for m in seen:
        if not m.asks and m.command == command and m.ids in first:
            inner = attributes(m.avps[297]) if 297 in m.avps else m.avps
            codes[int.from_bytes(inner[298 if 297 in m.avps else 268], "big")] += 1
            assert bool(m.flags & 0x20) == (3000 <= max(codes, key=codes.__getitem__) < 4000)
    assert codes[result] > 0.95 * codes.total() > 10


def test_a_blocked_link_stops_all_requests_and_the_peer_calls_again() -> None:
    """A stream that hears nothing sends its oldest segment again, ever more seldom, then SYN."""
    network = replace(CORE, watchdog_s=20.0, reconnect_s=5.0)
    seen = packets(episode(network, fault("blocked", way="both"), length_s=110, end_s=105))
    begin_s = seen[0].time_s
    late = [p for p in seen if 24 < p.time_s - begin_s < 104]
    times = defaultdict(list)
    for p in late:
        if len(p.frame) > 66:
            times[p.frame[26:42]].append(p.time_s)
    gaps = [np.diff(one) for one in times.values() if len(one) > 2]
    assert len(gaps) > 2
    for gap in gaps:
        assert gap[1:] / gap[:-1] == pytest.approx(2.0, rel=0.01)
    opened = [p.time_s - begin_s for p in late if p.frame[47] == SYN]
    assert min(opened) > 20 + 2 * 18 + 4.5
    assert len(opened) > 12


def test_light_loss_is_mended_without_waiting_long() -> None:
    """One packet in fifty: nine in ten answers come as on a sound link."""
    lossy = fault("packet_loss", share=0.02, burst_packets=1.0, way="both")
    one = episode(CORE, lossy, length_s=100, onset_s=20, end_s=95)
    usual = values(one, "to_service_first_answer_delay_median_s", 2, 20)
    assert values(one, "to_service_first_answer_delay_median_s", 25, 95) < 1.3 * usual
    assert 0.2 < values(one, "to_service_tcp_retransmissions", 25, 95) < 2.0


SHOWS = {
    "blocked": ("to_service_new_transactions", -10.0),
    "capacity": ("to_service_first_answer_delay_p95_s", 0.3),
    "packet_loss": ("to_service_tcp_retransmissions", 1.0),
    "latency": ("to_service_first_answer_delay_median_s", 0.5),
    "jitter": ("to_service_first_answer_delay_std_s", 0.05),
    "service_down": ("from_service_answer_success", -10.0),
    "server_overload": ("from_service_answer_overload", 1.0),
    "slow_server": ("to_service_first_answer_delay_p95_s", 0.2),
    "server_errors": ("from_service_answer_other_server_error", 3.0),
    "registration_storm": ("to_service_request_registration", 40.0),
    "registrar_restart": ("to_service_request_registration", 3.0),
    "auth_failure": ("from_service_answer_forbidden", 1.0),
    "route_misconfig": ("from_service_answer_not_found", 2.0),
    "mass_disconnect": ("to_service_new_transactions", -8.0),
    "flood": ("to_service_request_session_start", 60.0),
    "scan": ("from_service_answer_not_found", 10.0),
    "malformed": ("from_service_answer_bad_request", 10.0),
}
"""A feature of the subscribers' side, and by how much it moves at least."""


def test_every_family_that_diameter_has_is_shown_here() -> None:
    assert set(SHOWS) == set(FAMILIES) - set(DIAMETER.meaningless)


@pytest.mark.parametrize("family", sorted(SHOWS))
def test_a_fault_shows_where_it_must_and_goes_away(family: str) -> None:
    name, move = SHOWS[family]
    has_way = any(one.name == "way" for one in FAMILIES[family].parameters)
    broken = fault(family, **({"way": "both"} if has_way else {}))
    network = replace(CORE, reconnect_s=5.0)
    one = episode(network, broken, length_s=125, onset_s=25, end_s=65)
    before, during = values(one, name, 0, 24), values(one, name, 35, 64)
    moved = during - before
    assert moved > move if move > 0 else moved < move
    assert abs(values(one, name, 110, 125) - before) < 0.6 * abs(moved)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again = (b"".join(episode(CORE, length_s=15).pieces()) for _ in range(2))
    assert first == again


def test_networks_are_drawn_as_diameter_needs_them() -> None:
    for seed in range(20):
        network = draw_network(np.random.default_rng(seed), protocol="diameter")
        assert (network.protocol, network.transport, network.nat) == ("diameter", "tcp", False)
        assert 4 <= network.n_addresses <= 30
        assert 6 <= network.watchdog_s <= 30
    datagrams = NetworkRanges(fixed={"transport": "udp"})
    with pytest.raises(ValueError, match="found transport 'udp', expected tcp or sctp: diameter"):
        draw_network(np.random.default_rng(1), datagrams, protocol="diameter")


def test_an_episode_needs_a_transport_of_its_protocol() -> None:
    with pytest.raises(ValueError, match="found transport 'udp', expected tcp or sctp: diameter"):
        episode(replace(CORE, transport="udp"))
    with pytest.raises(ValueError, match="found protocol 'x25', expected sip or diameter"):
        episode(replace(CORE, protocol="x25"))


def test_faults_that_mean_nothing_are_refused_and_never_drawn() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(ValueError, match=r"'mass_call' means nothing in diameter: credit control"):
        draw_fault(rng, "mass_call", network=CORE)
    drawn: list[FaultModel] = [draw_fault(rng, network=CORE) for _ in range(200)]
    parts = {part for one in drawn for part in one.name.split("+")}
    assert parts == set(names_in(DIAMETER))


def test_every_answer_of_the_families_is_listed() -> None:
    """What `simulate --list` tells of an answer is what is written for calls."""
    for status, code in DIAMETER.answers.items():
        if status not in ("401", "403"):
            assert str(CREDIT_RESULTS[int(status)]) == code


@pytest.mark.slow
def test_every_fault_runs_on_either_side() -> None:
    rng = np.random.default_rng(7)
    for i, name in enumerate((*names_in(DIAMETER), "packet_loss+flood")):
        network = replace(CORE, vantage=("core", "subscribers")[i % 2], n_cores=1 + i % 3)
        drawn = draw_fault(rng, name, network=network)
        log = episode(network, drawn, length_s=14, onset_s=4, end_s=12).log
        assert log.n_packets > 100
        assert not log.warnings


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_protocol_writes_every_request_and_its_answer(protocol: SignallingProtocol) -> None:
    network = replace(PLAIN, protocol=protocol.name, transport="tcp", n_subscribers=3)
    site = protocol.site(World(network, Random(1), start_s=0.0), protocol)
    for what in REQUESTS:
        kind = "session" if what.startswith("session") else what
        assert kind in BEGINNINGS
        dialogue = protocol.dialogue(site, site.subscribers[0], kind, 5, UP)
        first, again = dialogue.request(what), dialogue.request(what)
        assert first != again
        for status in (200, 403, 500, 503):
            assert dialogue.answer(first, status) != first
