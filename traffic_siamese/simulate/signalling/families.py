"""The families of faults, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from traffic_siamese.simulate.signalling import effects as act

WAYS = ("both", "up", "down")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a family: a range of numbers, or a choice of words.

    Attributes
    ----------
    name, meaning : str
    low, high : float
        From where it is drawn where nothing else is said.
    limits : (float, float)
        What is accepted.
    choices : tuple of str
        Of a parameter that is a word.
    weights : tuple of float, or None
        How often each is drawn; None is equally often.
    """

    name: str
    meaning: str
    low: float = 0.0
    high: float = 0.0
    limits: tuple[float, float] = (0.0, 1.0)
    choices: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of fault.

    Attributes
    ----------
    name, group, meaning : str
    parameters : tuple of Parameter
    act : callable
        Makes the fault hold in a world, from the state without any fault.
    """

    name: str
    group: str
    meaning: str
    parameters: tuple[Parameter, ...]
    act: act.Act


_WAY = Parameter(
    "way", "direction: up is towards the core", choices=WAYS, weights=(0.5, 0.25, 0.25)
)
_SHARE = (0.0, 1.0)
_TIME_S = (0.0, 600.0)
_PER_S = (0.01, 100_000.0)
_SOURCES = Parameter("sources", "hosts that attack", 1, 1, (1, 1000))
_METHOD = Parameter("method", "what they send", choices=("INVITE", "OPTIONS", "REGISTER"))


def _share(meaning: str, low: float, high: float) -> Parameter:
    return Parameter("share", meaning, low, high, _SHARE)


_ALL = (
    Family("blocked", "link", "the link forwards nothing", (_WAY,), act.blocked),
    Family(
        "capacity", "capacity", "the link carries less than is offered",
        (
            Parameter("share_of_offered", "capacity over offered bit rate", 0.4, 0.75, (0.01, 10)),
            Parameter("buffer_s", "longest wait in the link's queue", 0.15, 0.8, _TIME_S),
            _WAY,
        ),
        act.capacity,
    ),
    Family(
        "packet_loss", "loss", "the link loses packets",
        (
            _share("of the packets", 0.05, 0.3),
            Parameter("burst_packets", "packets lost in a row, mean", 1, 3, (1, 1000)),
            _WAY,
        ),
        act.loss,
    ),
    Family(
        "latency", "delay", "the link takes longer",
        (
            Parameter("added_s", "delay on top", 0.15, 1.5, _TIME_S),
            Parameter("jitter_s", "its standard deviation", 0.005, 0.03, _TIME_S),
            _WAY,
        ),
        act.delay,
    ),
    Family(
        "jitter", "delay", "the link takes now longer, now shorter",
        (Parameter("jitter_s", "standard deviation of the delay", 0.05, 0.4, _TIME_S), _WAY),
        act.jitter,
    ),
    Family(
        "service_down", "server", "the core's process is gone",
        (Parameter("answer", "what its machine says", choices=("refusal", "silence")),),
        act.down,
    ),
    Family(
        "server_overload", "server", "the core refuses calls with 503 and is slow",
        (
            _share("of the calls", 0.25, 0.9),
            Parameter("slow_s", "time on top, median", 0.02, 0.25, _TIME_S),
        ),
        act.overload,
    ),
    Family(
        "slow_server", "server", "the core works slower than messages come",
        (Parameter("load", "messages offered over those it can do", 0.9, 2.0, (0.1, 100)),),
        act.slow,
    ),
    Family(
        "server_errors", "server", "the core fails requests of every kind",
        (
            _share("of the requests", 0.3, 1),
            Parameter("answer", "status", choices=("500", "502", "504")),
        ),
        act.errors,
    ),
    Family(
        "registration_storm", "registrar", "many times the usual registrations",
        (
            Parameter("factor", "times the usual rate", 10, 30, (1, 10_000)),
            Parameter("decays_to", "share of the storm that is left at its end", 0.3, 0.9, _SHARE),
        ),
        act.storm,
    ),
    Family(
        "registrar_restart", "registrar", "the core is away, then all subscribers register",
        (
            Parameter("away_share", "share of the time that it is away", 0.05, 0.2, _SHARE),
            Parameter("spread_share", "share over which the storm falls to a twentieth", 0.6, 1,
                      (0.01, 10)),
            Parameter("settles_s", "subscribers over registrations per second", 15, 60,
                      (0.1, 10_000)),
            Parameter("answer", "what the machine says meanwhile", choices=("refusal", "silence")),
        ),
        act.registrar_restart,
    ),
    Family(
        "auth_failure", "registrar", "registrations are refused",
        (
            _share("of the registrations", 0.6, 1),
            Parameter("answer", "status; 401 asks for credentials again and again",
                      choices=("403", "401")),
        ),
        act.auth,
    ),
    Family(
        "route_misconfig", "routing", "calls lead to nowhere",
        (
            _share("of the calls", 0.4, 1),
            Parameter("answer", "status; 408 comes late, silence never",
                      choices=("404", "480", "408", "silence")),
        ),
        act.route,
    ),
    Family(
        "mass_disconnect", "subscribers", "many subscribers are cut off",
        (_share("of the subscribers", 0.3, 0.95),),
        act.disconnect,
    ),
    Family(
        "mass_call", "subscribers", "everybody calls one number, which is busy",
        (Parameter("factor", "times the usual calls", 3, 15, (1, 10_000)),),
        act.mass_call,
    ),
    Family(
        "silent_callers", "subscribers", "callers go silent when their call is answered",
        (_share("of the callers", 0.3, 1),),
        act.vanish,
    ),
    Family(
        "flood", "attacks", "one kind of request, over and over",
        (Parameter("per_s", "requests per second", 20, 200, _PER_S), _SOURCES, _METHOD),
        act.probe("flood"),
    ),
    Family(
        "scan", "attacks", "somebody tries one number after the other",
        (Parameter("per_s", "requests per second", 4, 60, _PER_S), _SOURCES),
        act.probe("scan"),
    ),
    Family(
        "malformed", "attacks", "requests that break the rules",
        (Parameter("per_s", "requests per second", 4, 60, _PER_S), _SOURCES),
        act.probe("malformed"),
    ),
)  # fmt: skip

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
"""By name."""
