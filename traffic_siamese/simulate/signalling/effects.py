"""What each family of faults does to a network at work.

An effect changes the state of links, queue, core or subscribers; what is seen of it, repetitions,
late answers, storms, follows from how these behave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from traffic_siamese.simulate.signalling.world import DOWN, UP, World

Value = float | str
Act = Callable[[World, Mapping[str, Value], "Phase"], None]

_MIN_OFFERED_BPS = 1000.0
_MEAN_MESSAGE_BYTES = 600.0


@dataclass(frozen=True, slots=True)
class Phase:
    """Where in a fault we are.

    Attributes
    ----------
    level : float, in [0, 1]
        How much of the fault holds now.
    progress : float, in [0, 1]
        How much of its time is over.
    offered_bps : tuple of float
        By direction, what the link was offered before the fault.
    """

    level: float
    progress: float
    offered_bps: tuple[float, float]


def _ways(way: Value) -> tuple[int, ...]:
    return {"both": (UP, DOWN), "up": (UP,), "down": (DOWN,)}[str(way)]


def _number(values: Mapping[str, Value], name: str) -> float:
    return float(values[name])


def blocked(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Drop everything."""
    for way in _ways(values["way"]):
        world.links[way].blocked = phase.level >= 0.5


def capacity(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Let the link carry less than it was offered before."""
    share = _number(values, "share_of_offered")
    for way in _ways(values["way"]):
        if phase.level > 0:
            offered_bps = max(phase.offered_bps[way], _MIN_OFFERED_BPS)
            world.links[way].capacity_bps = offered_bps * share / phase.level
            world.links[way].buffer_s = _number(values, "buffer_s")


def loss(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Lose packets."""
    for way in _ways(values["way"]):
        link = world.links[way]
        link.loss = max(link.loss, _number(values, "share") * phase.level)
        link.burst_packets = _number(values, "burst_packets")


def delay(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Delay packets."""
    for way in _ways(values["way"]):
        world.links[way].added_s = _number(values, "added_s") * phase.level
        world.links[way].added_jitter_s = _number(values, "jitter_s") * phase.level


def jitter(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Delay packets by times that differ."""
    for way in _ways(values["way"]):
        world.links[way].added_jitter_s = _number(values, "jitter_s") * phase.level
        world.links[way].added_s = _number(values, "jitter_s") * phase.level


def down(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Stop the core's process."""
    conditions = world.conditions
    conditions.down = phase.level >= 0.5
    conditions.silent = values["answer"] == "silence"
    if conditions.down:
        world.server.clear()
    if conditions.down and not conditions.silent:
        for close in tuple(world.closers.values()):
            close()


def overload(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Refuse calls, and be slow."""
    world.conditions.refused_calls = _number(values, "share") * phase.level
    world.conditions.slow_s = _number(values, "slow_s") * phase.level


def slow(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Let the queue be loaded: its service time times the rate of messages is the load."""
    n_bits = world.links[UP].n_bits
    if phase.level > 0 and n_bits:
        per_s = phase.offered_bps[UP] / (8 * _MEAN_MESSAGE_BYTES)
        wanted_s = _number(values, "load") / max(per_s, 0.1)
        full = max(wanted_s / world.network.service_s, 1.0)
        world.server.slowdown = 1 + (full - 1) * phase.level


def errors(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Fail requests of every kind."""
    world.conditions.failed = _number(values, "share") * phase.level
    world.conditions.failed_status = int(values["answer"])


def storm(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Let more subscribers register."""
    left = 1 - (1 - _number(values, "decays_to")) * phase.progress
    extra = (_number(values, "factor") - 1) * left * phase.level
    world.conditions.rates["registrations"] = 1 + extra


def registrar_restart(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Keep the core away; when it is back every subscriber registers, sooner or later."""
    if phase.progress < _number(values, "away_share"):
        down(world, values, phase)
        return
    spread = (phase.progress - _number(values, "away_share")) / _number(values, "spread_share")
    base = max(world.network.registrations_per_s, 0.01)
    storm_per_s = world.network.n_subscribers / _number(values, "settles_s")
    world.conditions.rates["registrations"] = 1 + storm_per_s / base * math.exp(-3 * spread)


def auth(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Refuse registrations."""
    world.conditions.denied = _number(values, "share") * phase.level
    world.conditions.denied_status = int(values["answer"])


def route(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Lead calls to nowhere."""
    world.conditions.misrouted = _number(values, "share") * phase.level
    answer = str(values["answer"])
    world.conditions.misrouted_status = 0 if answer == "silence" else int(answer)


def disconnect(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Cut subscribers off."""
    world.conditions.gone = _number(values, "share") * phase.level


def mass_call(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Let everybody call one number."""
    factor = 1 + (_number(values, "factor") - 1) * phase.level
    world.conditions.rates["calls"] = factor
    world.conditions.one_callee = 1 - 1 / factor


def vanish(world: World, values: Mapping[str, Value], phase: Phase) -> None:
    """Let callers go silent."""
    world.conditions.vanishing = _number(values, "share") * phase.level


def probe(kind: str) -> Act:
    """Return what lets attackers send requests of a kind."""

    def act(world: World, values: Mapping[str, Value], phase: Phase) -> None:
        conditions = world.conditions
        conditions.extra[kind] = _number(values, "per_s") * phase.level
        conditions.n_attackers = round(_number(values, "sources"))
        conditions.flood_method = str(values.get("method", "INVITE"))

    return act
