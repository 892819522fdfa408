"""Faults: what happens to a network, how it begins, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from traffic_siamese.simulate.signalling.effects import Value
from traffic_siamese.simulate.signalling.families import FAMILIES, Parameter
from traffic_siamese.simulate.signalling.network_model import NetworkModel, draw_between
from traffic_siamese.simulate.signalling.protocol import SignallingProtocol
from traffic_siamese.simulate.signalling.protocols import PROTOCOLS
from traffic_siamese.spelling import did_you_mean

SHAPES = ("step", "ramp", "flap")
TICK_S = 1.0
_FLAP_SPREAD = (0.4, 1.6)


@dataclass(frozen=True, slots=True)
class Onset:
    """How a fault goes over time.

    Attributes
    ----------
    shape : str
        ``step`` holds at once, ``ramp`` grows to full strength, ``flap`` comes and goes.
    ramp_s : float
        How long a ramp grows.
    up_s, down_s : float
        Mean times without and with the fault, where it flaps.
    """

    shape: str = "step"
    ramp_s: float = 0.0
    up_s: float = 4.0
    down_s: float = 4.0

    def levels(self, length_s: float, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        """Yield times since the onset, and how much of the fault holds from each on."""
        time_s = 0.0
        if self.shape == "flap":
            while time_s < length_s:
                yield time_s, 1.0
                time_s += self.down_s * rng.uniform(*_FLAP_SPREAD)
                yield min(time_s, length_s), 0.0
                time_s += self.up_s * rng.uniform(*_FLAP_SPREAD)
            return
        while time_s < length_s:
            grown = min(time_s / self.ramp_s, 1.0) if self.shape == "ramp" else 1.0
            yield time_s, grown
            time_s += TICK_S


@dataclass(frozen=True, slots=True)
class Effect:
    """A family of faults with its parameters."""

    family: str
    values: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class FaultModel:
    """One case of a fault.

    Attributes
    ----------
    name : str
        What it was drawn from; names files.
    label : str
        What it is called in labels.
    effects : tuple of Effect
        What happens, together.
    onset : Onset
    """

    name: str
    label: str
    effects: tuple[Effect, ...]
    onset: Onset = Onset()


def draw_value(rng: np.random.Generator, parameter: Parameter) -> Value:
    """Draw a parameter: one of its words, or from its usual range."""
    if parameter.choices:
        return str(rng.choice(parameter.choices, p=parameter.weights))
    return draw_between(rng, parameter.low, parameter.high)


def draw_effect(
    rng: np.random.Generator, family: str, given: dict[str, Value] | None = None
) -> Effect:
    """Draw what is not given of a family's parameters."""
    given = given or {}
    values = tuple(
        (one.name, given[one.name] if one.name in given else draw_value(rng, one))
        for one in FAMILIES[family].parameters
    )
    return Effect(family, values)


def draw_fault(
    rng: np.random.Generator, family: str | None = None, *, network: NetworkModel | None = None
) -> FaultModel:
    """Draw a fault.

    Parameters
    ----------
    rng : numpy.random.Generator
    family : str, optional
        One of FAMILIES, ``flapping_link``, or several with ``+`` between them; without it one is
        drawn, and now and then a combination of two.
    network : NetworkModel, optional
        Where it will happen: two faults that look the same from its capture point get one label.

    Raises
    ------
    ValueError
        If there is no such family, or the network's protocol cannot show it.
    """
    protocol = PROTOCOLS[network.protocol if network else "sip"]
    names = names_in(protocol)
    name = family or _draw_name(rng, names)
    for part in name.split("+"):
        check_family(part, protocol)
    parts = ["blocked" if part == "flapping_link" else part for part in name.split("+")]
    effects = tuple(draw_effect(rng, part) for part in parts)
    onset = _draw_onset(rng, flaps="flapping_link" in name.split("+"))
    label = visible_label(name, effects[0], network) if len(effects) == 1 else name
    return FaultModel(name, label.replace("+", "_and_"), effects, onset)


_LOOKS = {
    ("route_misconfig", "480"): "route_unavailable",
    ("route_misconfig", "408"): "route_timeout",
    ("route_misconfig", "silence"): "route_silent",
    ("flood", "INVITE"): "flood_invite",
    ("flood", "OPTIONS"): "flood_options",
    ("flood", "REGISTER"): "flood_register",
}
"""Cases of one family that nobody would take for the same, by their answer or method."""


def visible_label(name: str, effect: Effect, network: NetworkModel | None) -> str:
    """Call a fault what it can be told to be at the capture point.

    A link that is blocked one way looks blocked altogether to who stands where nothing arrives:
    on the subscribers' side when answers are lost, on the core's side when requests are. So does a
    machine that is gone without a word, seen from the subscribers' side.
    """
    values = dict(effect.values)
    way = values.get("way")
    look = _LOOKS.get((name, str(values.get("answer", values.get("method")))))
    if look:
        return look
    if name == "service_down" and values.get("answer") == "silence" and network is not None:
        return "blocked" if network.vantage == "subscribers" else "service_silent"
    if name != "blocked" or way == "both" or network is None:
        return name
    unseen = "down" if network.vantage == "subscribers" else "up"
    return "blocked" if way == unseen else "one_way_block"


NAMES = (*FAMILIES, "flapping_link")
"""What `draw_fault` draws from."""


def names_in(protocol: SignallingProtocol) -> tuple[str, ...]:
    """Return those of NAMES that a protocol can show."""
    return tuple(name for name in NAMES if name not in protocol.meaningless)


def check_family(name: str, protocol: SignallingProtocol) -> None:
    """Refuse what is no family of faults, or none that a protocol can show.

    Raises
    ------
    ValueError
        In one line.
    """
    names = ", ".join(names_in(protocol))
    if name not in NAMES:
        hint = did_you_mean(name, NAMES).rstrip("?").replace(" Did you mean", "; perhaps")
        raise ValueError(f"found no family {name!r}, expected one of {names}{hint}")
    if name in protocol.meaningless:
        raise ValueError(
            f"family {name!r} means nothing in {protocol.name}: {protocol.meaningless[name]}; "
            f"expected one of {names}"
        )


_COMBINATION_SHARE = 0.1
_RAMPS = 0.25


def _draw_name(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    if rng.random() >= _COMBINATION_SHARE:
        return str(rng.choice(names))
    first, second = rng.choice([name for name in names if name != "flapping_link"], 2, False)
    return f"{first}+{second}"


def _draw_onset(rng: np.random.Generator, *, flaps: bool) -> Onset:
    if flaps:
        return Onset("flap", 0.0, float(rng.uniform(1, 8)), float(rng.uniform(1, 8)))
    if rng.random() < _RAMPS:
        return Onset("ramp", ramp_s=float(rng.uniform(3, 20)))
    return Onset()
