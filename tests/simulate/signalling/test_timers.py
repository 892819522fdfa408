"""Repetitions of messages against the sequences that RFC 3261 states."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.simulate.signalling.simulated import PLAIN, Seen, episode, fault, packets

TIMER_A = [0.5, 1, 2, 4, 8, 16]
TIMER_E = [0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4]
"""Between the copies of a request that nobody answers, until 32 s (sections 17.1.1.2, 17.1.2.2)."""


def _copies(seen: list[Seen], start: bytes) -> dict[bytes, list[float]]:
    """Collect when each message's copies came, of messages that begin with some text."""
    times: dict[bytes, list[float]] = defaultdict(list)
    for packet in seen:
        if packet.payload.startswith(start):
            times[packet.payload].append(packet.time_s)
    return times


@pytest.fixture(scope="module")
def blocked() -> list[Seen]:
    """See, from the subscribers' side, a link that forwards nothing for 60 s."""
    network = replace(PLAIN, keep_alives_per_s=3.0)
    broken = fault("blocked", way="both")
    return packets(episode(network, broken, length_s=80, onset_s=15, end_s=75))


@pytest.mark.parametrize(
    ("method", "intervals"),
    [(b"INVITE ", TIMER_A), (b"OPTIONS ", TIMER_E), (b"REGISTER ", TIMER_E)],
)
def test_unanswered_requests_are_repeated_by_the_timers(
    blocked: list[Seen], method: bytes, intervals: list[float]
) -> None:
    """Those sent between 3 and 20 s after the onset time out before its end."""
    begin_s = blocked[0].time_s
    sequences = [
        times for times in _copies(blocked, method).values() if 18 < times[0] - begin_s < 35
    ]
    assert len(sequences) > 10
    for times in sequences:
        assert np.diff(times) == pytest.approx(intervals, abs=1e-3)


def test_answers_to_invite_are_repeated_until_an_ack_comes() -> None:
    """Callers go silent: 2xx goes out again after 0.5, 1, 2, 4, 4, … s (section 13.3.1.4)."""
    broken = fault("silent_callers", share=1.0)
    seen = packets(episode(PLAIN, broken, length_s=80, onset_s=10, end_s=75))
    begin_s = seen[0].time_s
    answers = {
        text: times for text, times in _copies(seen, b"SIP/2.0 200").items() if b" INVITE" in text
    }
    sequences = [times for times in answers.values() if 15 < times[0] - begin_s < 35]
    assert len(sequences) > 20
    for times in sequences:
        assert np.diff(times) == pytest.approx(TIMER_E, abs=1e-2)


def test_refusals_of_invite_are_repeated_as_timer_g_says() -> None:
    """Answers reach nobody, so no ACK comes for 486 and 480: doubling up to 4 s."""
    network = replace(PLAIN, busy=0.6, answered=0.0, unavailable=0.4, vantage="core")
    broken = fault("blocked", way="down")
    seen = packets(episode(network, broken, length_s=80, onset_s=10, end_s=78))
    begin_s = seen[0].time_s
    checked = 0
    for times in _copies(seen, b"SIP/2.0 486").values():
        if 11 < times[0] - begin_s < 20 and len(times) > 6:
            # repeated requests are answered again in between; timer G's own copies are among them
            due_s = times[0] + np.cumsum(TIMER_E)
            assert all(np.abs(np.array(times) - due).min() < 0.01 for due in due_s)
            checked += 1
    assert checked > 3


def test_over_tcp_sip_repeats_no_request() -> None:
    """Timers A and E are for unreliable transports only; TCP repeats segments instead."""
    network = replace(PLAIN, transport="tcp")
    one = episode(network, fault("packet_loss", share=0.2, burst_packets=1.0, way="both"))
    texts = [
        packet.frame[66:] for packet in packets(one) if packet.frame[66:].startswith(b"REGISTER")
    ]
    series = one.log.series[0]
    names = series.feature_names
    assert series.values[:, names.index("to_service_tcp_retransmissions")].sum() > 20
    assert series.values[:, names.index("to_service_retransmitted_requests")].sum() < len(texts)


def test_tcp_opens_a_connection_again_after_one_three_and_seven_seconds() -> None:
    """A SYN that nobody answers (RFC 6298: 1 s at first, then doubled)."""
    network = replace(PLAIN, transport="tcp_per_call")
    broken = fault("service_down", answer="silence")
    seen = packets(episode(network, broken, length_s=40, onset_s=5, end_s=39))
    attempts: dict[bytes, list[float]] = defaultdict(list)
    for packet in seen:
        if packet.frame[47] == 2:  # SYN alone
            attempts[packet.frame[26:38]].append(packet.time_s)
    begin_s = seen[0].time_s
    waits = [np.diff(times) for times in attempts.values() if 8 < times[0] - begin_s < 15]
    assert len(waits) > 10
    for wait in waits:
        assert wait[:4] == pytest.approx([1, 2, 4, 8], abs=1e-3)


def test_nothing_is_repeated_on_a_sound_network() -> None:
    seen = packets(episode(length_s=40))
    assert all(a.time_s <= b.time_s for a, b in pairwise(seen))
    texts = [packet.payload for packet in seen]
    assert len(set(texts)) == len(texts)
