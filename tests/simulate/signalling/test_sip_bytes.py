"""A seed means the same packets of SIP for ever: hashes of whole captures."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from tests.simulate.signalling.simulated import PLAIN, episode
from traffic_siamese.simulate.signalling.fault_model import NAMES, draw_fault
from traffic_siamese.simulate.signalling.network_model import draw_network
from traffic_siamese.simulate.signalling.transports import TRANSPORTS

PINNED = {
    "udp": "daefeefb6b87f31f",
    "tcp": "30b367a929e10d15",
    "tcp_per_call": "acb424123da2f8ba",
    "drawn": "279fdff8e7ce74e6",
}
"""By transport, and of drawn networks: the first 16 digits of SHA-256."""


def _digest(pieces: list[bytes]) -> str:
    return sha256(b"".join(pieces)).hexdigest()[:16]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_seed_gives_the_captures_that_it_always_gave(transport: str) -> None:
    """Every family of faults, calls from both sides, both capture points, IPv6 and translation."""
    rng = np.random.default_rng(11)
    pieces = []
    for i, name in enumerate(NAMES):
        side = ("subscribers", "core")[i % 2]
        network = replace(
            PLAIN, transport=transport, terminating_share=0.3, vantage=side, ipv6=i % 3 == 0,
            nat=i % 4 == 0, no_answer=0.1, busy=0.1,
        )  # fmt: skip
        drawn = draw_fault(rng, name, network=network)
        pieces += episode(network, drawn, length_s=16, onset_s=4, end_s=12, seed=i).pieces()
    assert _digest(pieces) == PINNED[transport]


def test_networks_and_faults_are_drawn_as_ever() -> None:
    pieces = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        network = draw_network(rng)
        one = episode(network, draw_fault(rng, network=network), length_s=12, onset_s=3, end_s=9)
        pieces += one.pieces()
        pieces.append(repr(one.intervals).encode())
    assert _digest(pieces) == PINNED["drawn"]
