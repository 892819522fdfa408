"""Simulated captures for the tests, and what a plain reading of their bytes finds."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from traffic_siamese.simulate.signalling.effects import Value
from traffic_siamese.simulate.signalling.episode import Episode, simulate_episode
from traffic_siamese.simulate.signalling.families import FAMILIES
from traffic_siamese.simulate.signalling.fault_model import Effect, FaultModel, Onset
from traffic_siamese.simulate.signalling.network_model import NetworkModel

PLAIN = NetworkModel(
    name="lab", n_subscribers=200, n_addresses=20, jitter_s=0.0, swing=0.0, diurnal=0.0
)
"""Nothing changes over time here."""


@dataclass(frozen=True)
class Seen:
    """A packet: seconds since the epoch, frame, and the SIP text or other payload of UDP."""

    time_s: float
    frame: bytes
    payload: bytes


def fault(family: str, onset: Onset | None = None, **given: Value) -> FaultModel:
    """Make a fault of a family; what is not given is at the middle of its usual range."""
    values = {
        one.name: one.choices[0] if one.choices else (one.low + one.high) / 2
        for one in FAMILIES[family].parameters
    }
    effect = Effect(family, tuple({**values, **given}.items()))
    return FaultModel(family, family, (effect,), onset or Onset())


def episode(
    network: NetworkModel = PLAIN, broken: FaultModel | None = None, *, length_s: float = 60.0,
    onset_s: float = 20.0, end_s: float = 50.0, seed: int = 1,
) -> Episode:  # fmt: skip
    """Set up an episode."""
    times = {"onset_s": onset_s, "end_s": end_s} if broken else {}
    return simulate_episode(network, broken, duration_s=length_s, seed=seed, **times)


def packets(one: Episode) -> list[Seen]:
    """Read the pcap with a loop; the payload is what follows a UDP header over IPv4."""
    data = b"".join(one.pieces())
    at, found = 24, []
    while at < len(data):
        second, nanosecond, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        found.append(Seen(second + nanosecond / 1e9, frame, frame[42:]))
        at += 16 + length
    return found


def values(one: Episode, name: str, start_s: float, end_s: float) -> float:
    """Mean of a feature over some seconds of an episode."""
    series = one.log.series[0]
    offset = (series.start_ns - one.start_ns) // 10**9
    column = series.values[:, series.feature_names.index(name)]
    return float(column[int(start_s) - offset : int(end_s) - offset].mean())
