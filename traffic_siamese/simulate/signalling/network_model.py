"""What a simulated network is like, and networks drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from traffic_siamese.simulate.signalling.transports import (
    TRANSPORTS,
    TRANSPORTS_OF,
    check_transport,
)

SIDES = ("subscribers", "core")


@dataclass(frozen=True, slots=True)
class NetworkModel:
    """A network of subscribers, a link, and a core that serves them.

    Attributes
    ----------
    name : str
    protocol : str
        Name of the signalling protocol.
    n_subscribers, n_addresses : int
        Subscribers, and IP addresses that they share: in Diameter, clients that serve them.
    calls_per_s, registrations_per_s, keep_alives_per_s, messages_per_s : float
        Rates of a busy hour's mean; registrations are refreshes.
    terminating_share : float
        Share of the calls that come from the core.
    answered, busy, unavailable, not_found, no_answer : float
        How calls end, as weights.
    stray_errors : float
        Share of the requests that meet an error for reasons of their own.
    ring_s, hold_s : float
        Median time to the answer, and of an answered call.
    core_ends_share : float
        Share of the calls that are ended from the core's side.
    long_offer_share : float
        Share of the calls whose offer lists many codecs.
    challenge_share : float
        Share of registrations that are asked for credentials first.
    retry_s, retry_share : float
        How long a subscriber whose request failed waits, and how many try again.
    link_s, jitter_s, access_s, core_s : float
        One-way delay and jitter of the link; delays from subscribers to the link, and from the
        link to the core.
    loss : float
        Share of packets that the sound link loses.
    service_s, server_room, backend_s : float, int, float
        Mean service time of a message in the core, messages that fit into its queue, and the
        median of what other machines add.
    full_answers : bool
        A full queue answers 503; otherwise it drops.
    device_s : float
        Median time a subscriber's device takes to react.
    transport : str
        One of those of the protocol in TRANSPORTS_OF.
    ipv6, nat : bool
        Addresses; whether subscribers stand behind address translation.
    n_cores : int
        Addresses of the core.
    vantage : str
        On which of SIDES of the link the capture point is.
    diurnal, peak_hour : float
        Swing of the rates over the day (0 to 1), and the hour, UTC, of its peak.
    swing : float
        Swing of slow waves, each kind of traffic its own.
    update_s, request_timeout_s, watchdog_s, reconnect_s : float
        Of Diameter: median time between updates of a session, and its timers Tx, Tw and Tc.
    rto_min_s, rto_max_s, heartbeat_s : float
        Of SCTP: RTO.Min, RTO.Max and HB.interval.
    association_retries : int
        Of SCTP: Association.Max.Retrans.
    """

    name: str = "network"
    protocol: str = "sip"
    n_subscribers: int = 1000
    n_addresses: int = 40
    calls_per_s: float = 6.0
    registrations_per_s: float = 2.5
    keep_alives_per_s: float = 1.5
    messages_per_s: float = 1.0
    terminating_share: float = 0.0
    answered: float = 0.92
    busy: float = 0.03
    unavailable: float = 0.02
    not_found: float = 0.01
    no_answer: float = 0.02
    stray_errors: float = 0.001
    ring_s: float = 0.3
    hold_s: float = 6.0
    core_ends_share: float = 0.3
    long_offer_share: float = 0.5
    challenge_share: float = 1.0
    retry_s: float = 10.0
    retry_share: float = 0.4
    link_s: float = 0.01
    jitter_s: float = 0.001
    access_s: float = 0.004
    core_s: float = 0.0005
    loss: float = 0.0
    service_s: float = 0.001
    server_room: int = 400
    backend_s: float = 0.012
    full_answers: bool = True
    device_s: float = 0.012
    transport: str = "udp"
    ipv6: bool = False
    nat: bool = False
    n_cores: int = 1
    vantage: str = "subscribers"
    diurnal: float = 0.5
    peak_hour: float = 18.0
    swing: float = 0.15
    update_s: float = 15.0
    request_timeout_s: float = 8.0
    watchdog_s: float = 20.0
    reconnect_s: float = 15.0
    rto_min_s: float = 1.0
    rto_max_s: float = 60.0
    heartbeat_s: float = 30.0
    association_retries: int = 10


NETWORK_RANGES: dict[str, tuple[float, float]] = {
    "n_subscribers": (150, 4000),
    "n_addresses": (12, 80),
    "calls_per_s": (1.5, 12),
    "registrations_per_s": (0.6, 6),
    "keep_alives_per_s": (0.1, 6),
    "messages_per_s": (0.05, 4),
    "terminating_share": (0, 0.5),
    "busy": (0.01, 0.06),
    "unavailable": (0.005, 0.05),
    "not_found": (0.002, 0.03),
    "no_answer": (0.005, 0.06),
    "stray_errors": (0.0001, 0.003),
    "ring_s": (0.05, 4),
    "hold_s": (3, 60),
    "core_ends_share": (0.1, 0.6),
    "long_offer_share": (0, 0.8),
    "challenge_share": (0.3, 1),
    "retry_s": (3, 40),
    "retry_share": (0.05, 0.8),
    "link_s": (0.001, 0.08),
    "jitter_s": (0.0001, 0.008),
    "access_s": (0.0005, 0.02),
    "core_s": (0.0001, 0.003),
    "service_s": (0.0002, 0.003),
    "server_room": (50, 1000),
    "backend_s": (0.003, 0.05),
    "device_s": (0.002, 0.06),
    "n_cores": (1, 3),
    "diurnal": (0.1, 0.9),
    "peak_hour": (8, 22),
    "swing": (0.03, 0.3),
}
"""From where `draw_network` draws; spans of more than tenfold by their logarithm."""

DIAMETER_RANGES: dict[str, tuple[float, float]] = {
    "n_addresses": (4, 30),
    "update_s": (5, 60),
    "request_timeout_s": (3, 10),
    "watchdog_s": (6, 30),
    "reconnect_s": (5, 30),
}
"""What differs in Diameter: some clients with connections that stay."""
SCTP_RANGES: dict[str, tuple[float, float]] = {
    "rto_min_s": (0.2, 1.0),
    "rto_max_s": (2.0, 60.0),
    "heartbeat_s": (5, 30),
    "association_retries": (4, 10),
}
"""Up to what RFC 9260 section 16 recommends; who is in a hurry sets less."""
DIAMETER_FIXED: dict[str, str | float | bool] = {
    "protocol": "diameter",
    "nat": False,
    "terminating_share": 0.0,
    "no_answer": 0.0,
    "keep_alives_per_s": 0.0,
}
"""Watchdogs come by themselves."""

WHOLE = frozenset({"n_subscribers", "n_addresses", "server_room", "n_cores", "association_retries"})
CHOICES: dict[str, tuple[str, ...]] = {"transport": (*TRANSPORTS, "sctp"), "vantage": SIDES}
FLAGS = ("ipv6", "nat", "full_answers")


@dataclass(frozen=True, slots=True)
class NetworkRanges:
    """What networks may be drawn: a range by name where it is not the usual one.

    Attributes
    ----------
    ranges : dict of str to (low, high)
    fixed : dict of str to value
        Of ``transport``, ``vantage``, ``ipv6``, ``nat`` and ``full_answers``.
    """

    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    fixed: dict[str, str | bool] = field(default_factory=dict)


def draw_between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a range: by the logarithm where it spans more than tenfold."""
    if low > 0 and high > 10 * low:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def draw_network(
    rng: np.random.Generator,
    ranges: NetworkRanges | None = None,
    *,
    name: str = "network",
    protocol: str = "sip",
) -> NetworkModel:
    """Draw a network.

    Parameters
    ----------
    rng : numpy.random.Generator
    ranges : NetworkRanges, optional
        Where not all networks are meant.
    name, protocol : str

    Returns
    -------
    NetworkModel
        Its queue is not loaded beyond 40 % in normal traffic, unless ``service_s`` is given.

    Raises
    ------
    ValueError
        If the protocol does not run over the transport that is asked for.
    """
    ranges = ranges or NetworkRanges()
    check_transport(protocol, str(ranges.fixed.get("transport", TRANSPORTS_OF[protocol][0])))
    drawn: dict[str, float | int | str | bool] = {}
    for key, usual in NETWORK_RANGES.items():
        value = draw_between(rng, *ranges.ranges.get(key, usual))
        drawn[key] = round(value) if key in WHOLE else value
    if rng.random() < 0.6 and "terminating_share" not in ranges.ranges:
        drawn["terminating_share"] = 0.0
    lossy = rng.random() < 0.25
    drawn["loss"] = draw_between(rng, 1e-5, 1e-3) if lossy else 0.0
    drawn["transport"] = str(rng.choice(TRANSPORTS, p=(0.5, 0.2, 0.3)))
    drawn["vantage"] = str(rng.choice(SIDES, p=(0.6, 0.4)))
    for flag, chance in zip(FLAGS, (0.2, 0.35, 0.6), strict=True):
        drawn[flag] = bool(rng.random() < chance)
    drawn.update(ranges.fixed)
    drawn.update(
        {
            key: draw_between(rng, *between)
            for key, between in ranges.ranges.items()
            if key not in NETWORK_RANGES
        }
    )
    if protocol == "diameter":
        _draw_peers(rng, ranges, drawn)
    failures = sum(float(drawn[key]) for key in ("busy", "unavailable", "not_found", "no_answer"))
    drawn.setdefault("answered", max(1.0 - failures, 0.0))
    model = replace(NetworkModel(name), **drawn)  # type: ignore[arg-type]  # one type a field
    if "service_s" in ranges.ranges:
        return model
    return replace(model, service_s=min(model.service_s, 0.4 / _messages_per_s(model)))


def _draw_peers(
    rng: np.random.Generator, ranges: NetworkRanges, drawn: dict[str, float | int | str | bool]
) -> None:
    """Draw what differs in Diameter."""
    drawn["transport"] = ranges.fixed.get("transport", TRANSPORTS_OF["diameter"][0])
    special = DIAMETER_RANGES | (SCTP_RANGES if drawn["transport"] == "sctp" else {})
    for key, usual in special.items():
        value = draw_between(rng, *ranges.ranges.get(key, usual))
        drawn[key] = round(value) if key in WHOLE else value
    drawn.update({key: value for key, value in DIAMETER_FIXED.items() if key not in ranges.ranges})


def _messages_per_s(model: NetworkModel) -> float:
    """About how many messages the core works on per second, at the day's peak."""
    calls = model.calls_per_s * 4
    others = 2 * model.registrations_per_s + model.keep_alives_per_s + model.messages_per_s
    return (calls + others) * (1 + model.swing)


NUMBERS = frozenset(
    one.name for one in fields(NetworkModel) if one.name not in {"name", *CHOICES, *FLAGS}
)
"""Parameters of a network that are numbers."""
