"""Captures to teach and to ask: simulated networks with the same faults, and recordings."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from traffic_siamese.features.series import read_series
from traffic_siamese.labels import read_labels
from traffic_siamese.simulate.signalling.fault_model import FaultModel, draw_effect
from traffic_siamese.simulate.signalling.network_model import (
    NetworkModel,
    NetworkRanges,
    draw_network,
)
from traffic_siamese.simulation import simulate_episode
from traffic_siamese.types import NORMAL, LabelledInterval, TrafficLog

FAULTS: dict[str, tuple[str, dict[str, str | float]]] = {
    "blocked": ("blocked", {"way": "both"}),
    "one_way_block": ("blocked", {}),
    "capacity": ("capacity", {"way": "both"}),
    "packet_loss": ("packet_loss", {"way": "both"}),
    "latency": ("latency", {"way": "both"}),
    "service_down": ("service_down", {"answer": "refusal"}),
    "server_overload": ("server_overload", {}),
    "server_errors": ("server_errors", {"answer": "500"}),
    "registration_storm": ("registration_storm", {}),
    "auth_failure": ("auth_failure", {"answer": "403"}),
    "route_misconfig": ("route_misconfig", {"answer": "404"}),
    "mass_disconnect": ("mass_disconnect", {}),
}
"""By label: family, and what is not drawn of it."""
GROUPS = {
    "SIP over UDP": ("sip", ("udp",), "SIP over UDP"),
    "SIP over TCP": ("sip", ("tcp_per_call", "tcp"), "SIP over TCP"),
    "Diameter over TCP": ("diameter", ("tcp",), "Diameter"),
    "Diameter over SCTP": ("diameter", ("sctp",), "Diameter"),
}
"""Protocol, transports in turn, and the networks' name, which the seed is made of.

Networks of one name differ in their transport only, and are not asked about what one taught."""
UNSEEN = {"subscribers": "down", "core": "up"}
"""A link blocked this way looks blocked altogether from a side: the other way is one_way_block."""
LENGTH_S, ONSET_S, END_S = 210.0, 60.0, 170.0
BASELINE_S = 600.0
"""Of the capture that a network's normal is learned from; its waves are as slow as that."""

Source = tuple[str, str, TrafficLog, tuple[LabelledInterval, ...]]
"""Group, network, log, what it shows."""


def simulated(group: str, args: argparse.Namespace) -> Iterator[Source]:
    """Simulate networks: one capture of normal traffic more than of each fault."""
    for i in range(args.networks):
        name = f"{GROUPS[group][2]} {i + 1}"
        network, rng = _network(group, name, i, args)
        say(f"{name}: {network.transport}, {network.calls_per_s:.1f} sessions a second")
        for label in (NORMAL, *FAULTS):
            for number in range(args.captures + (label == NORMAL)):
                fault = None if label == NORMAL else _fault(rng, label, args.side)
                times = {} if fault is None else {"onset_s": ONSET_S, "end_s": END_S}
                seed = int(rng.integers(1 << 32))
                long = label == NORMAL and number == 0
                length_s = BASELINE_S if long else LENGTH_S
                one = simulate_episode(network, fault, duration_s=length_s, seed=seed, **times)
                one.name = f"{name}/{label}-{number + 1}"
                yield group, name, one.log, one.intervals


def _network(
    group: str, name: str, i: int, args: argparse.Namespace
) -> tuple[NetworkModel, np.random.Generator]:
    """Draw a network; return it, and what its faults are drawn with: over SCTP as over TCP."""
    protocol, transports, seed_name = GROUPS[group]
    found = []
    transport = transports[i % len(transports)]
    for over in (transport, "tcp" if transport == "sctp" else transport):
        rng = np.random.default_rng([args.seed, i, *seed_name.encode()])
        ranges = NetworkRanges(fixed={"vantage": args.side, "transport": over})
        found.append(draw_network(rng, ranges, name=name, protocol=protocol))
    return found[0], rng  # SCTP draws more for itself: faults are drawn as if it had not


def _fault(rng: np.random.Generator, label: str, side: str) -> FaultModel:
    family, given = FAULTS[label]
    if label == "one_way_block":
        given = {"way": "up" if UNSEEN[side] == "down" else "down"}
    return FaultModel(label, label, (draw_effect(rng, family, dict(given)),))


def recorded(folder: Path, networks: Sequence[str]) -> Iterator[Source]:
    """Read recorded captures."""
    by_capture: dict[str, list[LabelledInterval]] = defaultdict(list)
    for one in read_labels(folder / "labels.csv"):
        if one.network in networks:
            by_capture[one.capture].append(one)
    for capture, intervals in sorted(by_capture.items()):
        network = intervals[0].network
        log = read_series(folder / capture)
        yield f"recorded {network}", network, log, tuple(intervals)


def say(text: str) -> None:
    """Tell progress."""
    print(text, file=sys.stderr, flush=True)
