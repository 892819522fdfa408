"""What each family of faults makes visible, by physics rather than by decree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.simulate.signalling.simulated import PLAIN, episode, fault, values
from traffic_siamese.simulate.signalling.families import FAMILIES
from traffic_siamese.simulate.signalling.fault_model import NAMES, draw_fault, visible_label
from traffic_siamese.simulate.signalling.network_model import (
    NetworkRanges,
    draw_network,
)
from traffic_siamese.simulate.signalling.transports import TRANSPORTS

SHOWS = {
    "blocked": ("to_service_unanswered_4s", 1.0),
    "capacity": ("to_service_first_answer_delay_p95_s", 0.3),
    "packet_loss": ("to_service_retransmitted_requests", 0.5),
    "latency": ("to_service_first_answer_delay_median_s", 0.5),
    "jitter": ("to_service_first_answer_delay_std_s", 0.05),
    "service_down": ("from_service_icmp_unreachable", 5.0),
    "server_overload": ("from_service_answer_overload", 1.0),
    "slow_server": ("to_service_first_answer_delay_p95_s", 0.2),
    "server_errors": ("from_service_answer_other_server_error", 3.0),
    "registration_storm": ("to_service_request_registration", 40.0),
    "registrar_restart": ("to_service_request_registration", 3.0),
    "auth_failure": ("from_service_answer_forbidden", 1.0),
    "route_misconfig": ("from_service_answer_not_found", 3.0),
    "mass_disconnect": ("active_endpoints", -3.0),
    "mass_call": ("from_service_answer_user_unavailable", 10.0),
    "silent_callers": ("from_service_retransmitted_answers", 3.0),
    "flood": ("to_service_request_session_start", 60.0),
    "scan": ("from_service_answer_not_found", 10.0),
    "malformed": ("from_service_answer_bad_request", 10.0),
}
"""A feature of the subscribers' side over UDP, and by how much it moves at least."""


def test_every_family_is_shown_here() -> None:
    assert set(SHOWS) == set(FAMILIES)


@pytest.mark.parametrize("family", sorted(SHOWS))
def test_a_fault_shows_where_it_must_and_goes_away(family: str) -> None:
    name, move = SHOWS[family]
    has_way = any(one.name == "way" for one in FAMILIES[family].parameters)
    broken = fault(family, **({"way": "both"} if has_way else {}))
    one = episode(PLAIN, broken, length_s=110, onset_s=25, end_s=65)
    before, during = values(one, name, 0, 24), values(one, name, 35, 64)
    moved = during - before
    assert moved > move if move > 0 else moved < move
    after = values(one, name, 98, 110)
    assert abs(after - before) < 0.6 * abs(moved)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transport", "side"), tuple(zip(TRANSPORTS, ("core", "subscribers", "core"), strict=True))
)
def test_every_fault_runs_on_every_transport(transport: str, side: str) -> None:
    rng = np.random.default_rng(7)
    network = replace(PLAIN, transport=transport, vantage=side, terminating_share=0.3)
    for name in (*NAMES, "packet_loss+flood"):
        drawn = draw_fault(rng, name, network=network)
        log = episode(network, drawn, length_s=14, onset_s=4, end_s=12).log
        assert log.n_packets > 100
        assert not log.warnings


def test_what_looks_alike_has_one_label() -> None:
    """Lost answers are silence to subscribers; lost requests are silence to the core."""
    down, up = (fault("blocked", way=way).effects[0] for way in ("down", "up"))
    near, far = PLAIN, replace(PLAIN, vantage="core")
    assert visible_label("blocked", down, near) == "blocked"
    assert visible_label("blocked", down, far) == "one_way_block"
    assert visible_label("blocked", up, far) == "blocked"
    assert visible_label("blocked", up, near) == "one_way_block"
    gone = fault("service_down", answer="silence").effects[0]
    assert visible_label("service_down", gone, near) == "blocked"


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(ValueError, match="no family 'quake', expected one of blocked"):
        draw_fault(np.random.default_rng(1), "quake")


def test_networks_keep_to_the_ranges_given() -> None:
    ranges = NetworkRanges({"calls_per_s": (3, 4), "loss": (0.01, 0.02)}, {"transport": "tcp"})
    for seed in range(30):
        network = draw_network(np.random.default_rng(seed), ranges)
        assert 3 <= network.calls_per_s <= 4
        assert 0.01 <= network.loss <= 0.02
        assert network.transport == "tcp"


def test_drawn_faults_differ_and_combine() -> None:
    rng = np.random.default_rng(5)
    names = [draw_fault(rng).name for _ in range(300)]
    assert {name for name in names if "+" not in name} == set(NAMES)
    assert 10 < sum("+" in name for name in names) < 60
