"""Simulated SCTP: what RFC 9260 says, read from the bytes by hand."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.simulate.signalling import sctp_packets as s
from tests.simulate.signalling.sctp_packets import CORE, Chunk, chunks, data_of
from tests.simulate.signalling.simulated import episode, fault, packets, values
from traffic_siamese.simulate.signalling.network_model import NetworkRanges, draw_network

HASTY = replace(CORE, watchdog_s=1000.0, rto_max_s=4.0, association_retries=4, reconnect_s=5.0)
"""Nobody watches but SCTP itself."""


@cache
def sound() -> tuple[Chunk, ...]:
    """Return a minute without faults."""
    return tuple(chunks(episode(CORE)))


def slow_crc32c(data: bytes) -> int:
    """Divide bit by bit: RFC 9260 appendix A."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def test_every_packet_has_its_checksum() -> None:
    """CRC32c over the packet with 0 in its place, lowest byte first (section 6.8)."""
    for one in packets(episode(CORE, length_s=3)):
        packet = s.sctp_of(one.frame)
        zeroed = packet[:8] + bytes(4) + packet[12:]
        assert struct.unpack_from("<I", packet, 8)[0] == slow_crc32c(zeroed)


def test_numbers_count_on_and_each_message_comes_once() -> None:
    """TSN by association and way, SSN by stream (sections 6.5 and 6.6); PPID 46 (RFC 6733)."""
    by_way: dict[tuple[bytes, bytes], list[tuple[int, ...]]] = defaultdict(list)
    for chunk in data_of(list(sound())):
        by_way[chunk.ends].append(chunk.numbers)
        assert chunk.flags == 3
        assert chunk.numbers[2] == 46
    assert len(by_way) == 12
    for numbers in by_way.values():
        tsns = np.array([one[0] for one in numbers], np.uint32)
        assert (np.diff(tsns) == 1).all()
        streams: dict[int, list[int]] = defaultdict(list)
        for _, order, *_ in numbers:
            streams[order >> 16].append(order & 0xFFFF)
        assert len(streams) >= 9
        assert all(ssns == list(range(ssns[0], ssns[0] + len(ssns))) for ssns in streams.values())


def test_all_that_arrives_is_acknowledged_within_a_fifth_of_a_second() -> None:
    """Section 6.2: every second packet at once, and none later than 200 ms; seen at the core."""
    found = chunks(episode(replace(CORE, vantage="core"), length_s=30))
    reports: dict[tuple[bytes, bytes], list[Chunk]] = defaultdict(list)
    for chunk in found:
        if chunk.kind == s.SACK:
            reports[chunk.ends].append(chunk)
    asked = [chunk for chunk in data_of(found) if chunk.to_core and chunk.time_s < 28]
    assert len(asked) > 300
    for chunk in asked:
        later = (one for one in reports[chunk.ends[::-1]] if one.time_s >= chunk.time_s)
        wait_s = next(
            one.time_s - chunk.time_s for one in later
            if (one.numbers[0] - chunk.numbers[0]) % 2**32 < 2**31
        )  # fmt: skip
        assert wait_s <= 0.2 + 2 * CORE.core_s + 1e-3
    n_packets = len({chunk.packet for chunk in asked})
    assert 0.4 * n_packets < sum(len(some) for some in reports.values()) / 2 < 1.2 * n_packets


def test_an_association_is_set_up_in_four_steps_with_the_first_message_in_the_third() -> None:
    """Section 5.1: tags, the cookie that comes back, capabilities on stream 0."""
    away = fault("service_down", answer="refusal")
    found = chunks(episode(replace(CORE, reconnect_s=4.0), away, onset_s=10, end_s=20))
    late = [chunk for chunk in found if chunk.time_s > 20.5]
    by_pair: dict[frozenset[bytes], list[Chunk]] = defaultdict(list)
    for chunk in late:
        by_pair[chunk.pair].append(chunk)
    assert len(by_pair) >= 6
    for mine in by_pair.values():
        ask, grant, echo, first, done = mine[:5]
        kinds = [chunk.kind for chunk in mine[:5]]
        assert kinds == [s.INIT, s.INIT_ACK, s.COOKIE_ECHO, s.DATA, s.COOKIE_ACK]
        assert ask.tag == 0
        assert grant.tag == done.tag == ask.numbers[0]
        assert echo.tag == grant.numbers[0]
        assert echo.body == grant.body[20:]  # behind the fixed part and the parameter's header
        assert echo.packet == first.packet
        assert first.numbers[0] == ask.numbers[3]
        assert first.numbers[1] == 0
        assert first.body[12 + 5 : 12 + 8] == (257).to_bytes(3, "big")


def test_a_block_is_met_with_backing_off_then_abort_then_a_new_attempt() -> None:
    """T3-rtx doubles up to RTO.Max (section 6.3.3); repetitions are bundled (6.1).

    One error more than Association.Max.Retrans ends it (section 8.1).
    """
    one = episode(HASTY, fault("blocked", way="both"), length_s=70, onset_s=15, end_s=68)
    found = chunks(one)
    gone = [c for c in found if c.kind == s.ABORT and c.to_core]
    assert len(gone) == 6
    for abort in gone:
        mine = [c for c in data_of(found) if c.ends == abort.ends]
        oldest = Counter(c.numbers[0] for c in mine).most_common(1)[0][0]
        times = [c.time_s for c in mine if c.numbers[0] == oldest] + [abort.time_s]
        repeated = np.diff([time for time in times if time > times[0] + 1e-6])
        assert repeated.tolist() == pytest.approx([2.0, 4.0, 4.0, 4.0], abs=1e-2)
        again = Counter(c.packet for c in mine if c.time_s > times[0] + 0.9)
        assert max(again.values()) > 1
        opened = [c for c in found if c.kind == s.INIT and c.ends[0][:4] == abort.ends[0][:4]]
        assert opened[0].time_s - abort.time_s == pytest.approx(5.0, rel=0.11)
        gaps = np.diff([c.time_s for c in opened if c.numbers[0] == opened[0].numbers[0]])
        assert gaps[:3].tolist() == pytest.approx([1.0, 2.0, 4.0], abs=1e-3)
    assert max(len(packet.frame) for packet in packets(one)) <= 1514


def test_a_lost_message_on_a_busy_association_is_repeated_before_the_timer() -> None:
    """Section 7.2.4: the third report that misses it; RTO.Min is a second here."""
    busy = replace(CORE, n_addresses=1, calls_per_s=60.0, service_s=0.0005)
    lossy = fault("packet_loss", share=0.03, burst_packets=1.0, way="up")
    found = chunks(episode(busy, lossy, length_s=22, onset_s=2, end_s=21))
    times: dict[int, list[float]] = defaultdict(list)
    for chunk in data_of(found):
        if chunk.to_core:
            times[chunk.numbers[0]].append(chunk.time_s)
    waits = [some[1] - some[0] for some in times.values() if len(some) > 1]
    assert len(waits) > 30
    assert np.quantile(waits, 0.9) < 0.5
    n_reported = 0
    again = [pair for pair in times.items() if len(pair[1]) > 1][:50]
    for tsn, some in again:
        missed = [
            chunk for chunk in found
            if chunk.kind == s.SACK and not chunk.to_core and some[0] < chunk.time_s < some[1]
            and (tsn - chunk.numbers[0]) % 2**32 < 2**31 and chunk.numbers[2] >> 16
        ]  # fmt: skip
        n_reported += len(missed) >= 3
    assert n_reported > 0.9 * len(again)  # the timer repeats all that is under way


def test_an_idle_path_is_asked_now_and_then_and_a_busy_one_is_not() -> None:
    """HB.interval of 10 s and RTO of 1 s, give or take a half (section 8.3).

    The answer brings back the question.
    """
    quiet = replace(
        CORE, calls_per_s=0.001, registrations_per_s=0.001, messages_per_s=0.001,
        heartbeat_s=10.0, watchdog_s=1000.0,
    )  # fmt: skip
    found = chunks(episode(quiet, length_s=100))
    asked = [chunk for chunk in found if chunk.kind == s.HEARTBEAT]
    answered = {chunk.body for chunk in found if chunk.kind == s.HEARTBEAT_ACK}
    assert {chunk.body for chunk in asked if chunk.time_s < 99} <= answered
    used = {chunk.pair for chunk in data_of(found)}
    by_way: dict[tuple[bytes, bytes], list[float]] = defaultdict(list)
    for chunk in asked:
        if chunk.pair not in used:
            by_way[chunk.ends].append(chunk.time_s)
    assert len(by_way) >= 6
    gaps = np.concatenate([np.diff(some) for some in by_way.values()])
    assert 10.45 < gaps.min() < gaps.max() < 11.55
    assert not [chunk for chunk in sound() if chunk.kind == s.HEARTBEAT]


def test_a_process_that_is_killed_shuts_down_and_then_refuses() -> None:
    """Section 9.2 for what was open; ABORT for who asks again, with the tag that was offered."""
    away = fault("service_down", answer="refusal")
    found = chunks(episode(replace(CORE, reconnect_s=4.0), away, length_s=40, onset_s=10, end_s=30))
    for kind, to_core in (
        (s.SHUTDOWN, False),
        (s.SHUTDOWN_ACK, True),
        (s.SHUTDOWN_COMPLETE, False),
    ):
        pairs = {c.pair for c in found if c.kind == kind and c.to_core == to_core}
        assert len(pairs) == 6
    asked = {c.pair: c.numbers[0] for c in found if c.kind == s.INIT and 14 < c.time_s < 29}
    refused = {c.pair: c.tag for c in found if c.kind == s.ABORT and 14 < c.time_s < 29.5}
    assert len(asked) > 12
    assert refused == asked
    assert all(c.flags == 0 for c in found if c.kind == s.ABORT and c.time_s < 29.5)


def test_a_machine_that_was_gone_knows_nothing_of_what_was_open() -> None:
    """Section 8.4: ABORT with flag T and the tag that it was asked with."""
    away = fault("service_down", answer="silence")
    patient = replace(HASTY, association_retries=10, request_timeout_s=1000.0)
    found = chunks(episode(patient, away, length_s=60, onset_s=10, end_s=25))
    said = [c for c in found if 10.1 < c.time_s < 24.9 and not c.to_core]
    assert not said
    stale = [c for c in found if c.kind == s.ABORT and not c.to_core]
    assert len({c.pair for c in stale}) == 6
    for abort in stale:
        assert abort.flags == 1
        asked = [c for c in data_of(found) if c.ends == abort.ends[::-1]]
        assert asked[-1].tag == abort.tag


def test_a_core_that_is_not_heard_goes_on_while_clients_have_given_up() -> None:
    """Blocked towards the core: what it repeats is answered with ABORT, which it never sees."""
    one_way = fault("blocked", way="up")
    network = replace(HASTY, association_retries=10, watchdog_s=6.0, rto_max_s=10.0)
    found = chunks(episode(network, one_way, length_s=90, onset_s=15, end_s=85))
    stale = [c for c in found if c.kind == s.ABORT and c.to_core and c.flags == 1]
    repeated = [c for c in data_of(found) if not c.to_core and 30 < c.time_s < 80]
    assert len({c.pair for c in stale}) >= 4
    assert len(repeated) > 10
    assert {c.pair for c in stale} <= {c.pair for c in found if c.kind == s.ABORT}


@pytest.mark.parametrize(
    ("family", "name", "move"),
    [
        ("blocked", "to_service_new_transactions", -10.0),
        ("capacity", "to_service_first_answer_delay_p95_s", 0.3),
        ("packet_loss", "to_service_tcp_retransmissions", 1.0),
        ("latency", "to_service_first_answer_delay_median_s", 0.5),
        ("service_down", "from_service_answer_success", -10.0),
        ("registrar_restart", "to_service_request_registration", 3.0),
    ],
)
def test_a_fault_shows_as_it_does_over_tcp_and_goes_away(
    family: str, name: str, move: float
) -> None:
    way = {"way": "both"} if family in ("blocked", "capacity", "packet_loss", "latency") else {}
    network = replace(CORE, reconnect_s=5.0, rto_max_s=8.0)
    one = episode(network, fault(family, **way), length_s=125, onset_s=25, end_s=65)
    before, during = values(one, name, 0, 24), values(one, name, 35, 64)
    moved = during - before
    assert moved > move if move > 0 else moved < move
    assert abs(values(one, name, 110, 125) - before) < 0.6 * abs(moved)


def test_the_same_seed_gives_the_same_bytes() -> None:
    lossy = fault("packet_loss", way="both")
    first, again = (
        b"".join(episode(CORE, lossy, length_s=15, onset_s=3, end_s=12).pieces()) for _ in range(2)
    )
    assert first == again


def test_networks_over_sctp_are_drawn_as_those_over_tcp() -> None:
    """And its own timers besides, within what RFC 9260 section 16 recommends."""
    drawn = [
        draw_network(
            np.random.default_rng(5), NetworkRanges(fixed={"transport": name}), protocol="diameter"
        )
        for name in ("tcp", "sctp")
    ]
    assert [one.transport for one in drawn] == ["tcp", "sctp"]
    tcp, sctp = drawn
    assert replace(
        sctp, transport="tcp", rto_min_s=1.0, rto_max_s=60.0, heartbeat_s=30.0,
        association_retries=10,
    ) == tcp  # fmt: skip
    assert 0.2 <= sctp.rto_min_s <= 1.0
    assert 2.0 <= sctp.rto_max_s <= 60.0
    assert isinstance(sctp.association_retries, int)
