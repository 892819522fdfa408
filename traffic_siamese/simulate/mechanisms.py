"""What a fault does to signalling traffic, as seen at the capture point.

Each mechanism changes windows in place. ``share`` is how much of the traffic it hits, of shape
(n_windows, n_timesteps). ``direction`` is that of the requests concerned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import FEATURES
from traffic_siamese.features.slots import REQUEST_KINDS
from traffic_siamese.simulate.counts import ANSWERS, COUNTER_NAMES, TrafficWindows

_REQUESTS = (*(f"request_{kind}" for kind in REQUEST_KINDS), "new_transactions")
_DEPENDENT = ("request_session_end", "request_acknowledgement", "request_cancel")
_COMMON_REQUESTS = tuple(f"request_{kind}" for kind in REQUEST_KINDS[:6])
Share = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Habits:
    """How hosts of one network go about trouble.

    Attributes
    ----------
    over_tcp : bool
        TCP repeats segments and is reset; UDP's messages are repeated and refused by ICMP.
    connects_first : bool
        Over TCP, each request opens a connection of its own: where that fails it is never sent.
    repeats : float
        Repetitions per request that goes unanswered.
    persistence : float, in [0, 1]
        Share of the requests unanswered after 0.5 s that still are after 4 s.
    dependence : float, in [0, 1]
        Share of the later requests of a session that fail to come when its start fails.
    retries : float
        New requests made per request that failed.
    """

    over_tcp: bool
    connects_first: bool
    repeats: float
    persistence: float
    dependence: float
    retries: float


def repeat_requests(w: TrafficWindows, direction: int, expected: Share, habits: Habits) -> None:
    """Let requests be sent again: by TCP as segments, over UDP as messages of every kind."""
    w.add(direction, "repeats", expected)
    if habits.over_tcp:
        again = w.rng.poisson(np.maximum(expected, 0))
        w.get(direction, "tcp_retransmissions")[:] += again
        w.get(direction, "packets")[:] += again
        return
    w.add(direction, "retransmitted_requests", expected)
    sent = np.stack([w.get(direction, f"request_{kind}") for kind in REQUEST_KINDS])
    mix = sent.sum(axis=2, keepdims=True) + 0.01
    for kind, part in zip(REQUEST_KINDS, mix / mix.sum(axis=0), strict=True):
        w.add(direction, f"request_{kind}", expected * part)


def _answer_late(w: TrafficWindows, direction: int, share: Share) -> None:
    """Where some messages are lost, others are answered only after a repetition."""
    partly = (share > 0.04) & (share < 0.95)
    wait_s = partly * w.rng.uniform(0.3, 1.2, (len(w.values), 1))
    shape = w.values.shape[:2]
    for name in ("first_answer_delay_p95_s", "final_answer_delay_p95_s"):
        delay = w.get(direction, name)
        delay[:] = np.maximum(delay, wait_s * w.rng.uniform(0.7, 1.3, shape))
    spread = wait_s * np.sqrt(np.clip(share * (1 - share), 0, 1)) * w.rng.uniform(0.5, 1.3, shape)
    deviation = w.get(direction, "first_answer_delay_std_s")
    deviation[:] = np.maximum(deviation, spread)


def _go_unanswered(w: TrafficWindows, direction: int, expected: Share, habits: Habits) -> None:
    w.add(direction, "unanswered_t1", expected)
    w.add(direction, "unanswered_4s", expected * habits.persistence)
    repeat_requests(w, direction, expected * habits.repeats, habits)


def _fail_to_connect(
    w: TrafficWindows, direction: int, share: Share, asked: Share, habits: Habits
) -> None:
    """Try to connect again and again; the requests themselves are never sent."""
    w.keep(direction, _REQUESTS, 1 - share)
    again = w.rng.poisson(np.maximum(asked * share * habits.repeats, 0))
    for name in ("tcp_syn", "repeats", "tcp_retransmissions", "packets"):
        w.get(direction, name)[:] += again


def lose_beyond(w: TrafficWindows, direction: int, share: Share, habits: Habits) -> None:
    """Lose requests beyond the capture point, or their answers: asked, seen, not answered."""
    asked = w.get(direction, "new_transactions").copy()
    _answer_late(w, direction, share)
    w.keep(1 - direction, ANSWERS, 1 - share)
    if habits.over_tcp and habits.connects_first:
        _fail_to_connect(w, direction, share, asked, habits)
    else:
        _go_unanswered(w, direction, asked * share, habits)
    w.keep(direction, _DEPENDENT, 1 - share * habits.dependence)


def lose_before(w: TrafficWindows, direction: int, share: Share, habits: Habits) -> None:
    """Lose a direction's packets before the capture point: neither they nor their answers show."""
    w.keep(direction, COUNTER_NAMES, 1 - share)
    w.keep(1 - direction, ANSWERS, 1 - share)
    asked = w.get(1 - direction, "new_transactions").copy()
    _answer_late(w, 1 - direction, share)
    _go_unanswered(w, 1 - direction, asked * share, habits)


def slow_down(
    w: TrafficWindows, direction: int, added_s: Share, habits: Habits, *, tail: float, jitter: float
) -> None:
    """Answer later by ``added_s``; beyond half a second requests are repeated meanwhile."""
    shape = w.values.shape[:2]
    for name in ("first_answer_delay", "final_answer_delay"):
        for statistic, factor in (("median", 1.0), ("p95", tail)):
            delay = w.get(direction, f"{name}_{statistic}_s")
            delay[:] += added_s * factor * w.rng.uniform(0.85, 1.15, shape)
    w.get(direction, "first_answer_delay_std_s")[:] += (
        added_s * jitter * w.rng.uniform(0.7, 1.3, shape)
    )
    impatient = np.clip((added_s - 0.35) / 0.3, 0, 1) * w.get(direction, "new_transactions")
    w.add(direction, "unanswered_t1", impatient)
    repeat_requests(w, direction, impatient * min(2.0, habits.repeats), habits)


def fail_requests(
    w: TrafficWindows, direction: int, share: Share, habits: Habits, *, kind: str, answer: str
) -> None:
    """Answer requests of one kind with a failure, and let what success brings not happen."""
    asked = w.get(direction, f"request_{kind}").copy()
    everything = w.total(direction, _COMMON_REQUESTS) + 0.01
    lost = share * asked / everything
    w.add(1 - direction, f"answer_{answer}", asked * share)
    w.keep(1 - direction, ("answer_success",), 1 - lost)
    if answer != "challenge":
        w.keep(1 - direction, ("answer_challenge",), 1 - lost)
    if kind == "session_start":
        less = 1 - share * habits.dependence
        for way in (0, 1):
            w.keep(way, ("started_sessions",), 1 - share)
            w.keep(way, ("request_session_end",), less)
        w.keep(1 - direction, ("answer_provisional", "request_session_start"), less)
    elif kind == "registration":
        w.keep(1 - direction, ("done_registrations",), 1 - share)
    again = asked * share * habits.retries
    w.add(direction, f"request_{kind}", again)
    w.add(1 - direction, f"answer_{answer}", again)
    w.add(direction, "new_transactions", again)


@dataclass(frozen=True, slots=True)
class Surge:
    """A wave of requests of one kind.

    Attributes
    ----------
    kind : str
        Of the requests.
    success_share : float, in [0, 1]
        How many of them succeed.
    spread : float, in [0, 1]
        How far the number of active hosts follows.
    concentration : float
        How far few hosts are behind it (above 0) or many (below).
    """

    kind: str
    success_share: float
    spread: float
    concentration: float


def surge(w: TrafficWindows, direction: int, factor: Share, wave: Surge) -> None:
    """Add ``factor`` times the usual requests of a kind, with their answers."""
    usual = w.get(direction, f"request_{wave.kind}").mean(axis=1, keepdims=True) + 0.2
    more = usual * factor
    w.add(direction, f"request_{wave.kind}", more)
    w.add(direction, "new_transactions", more)
    done = more * wave.success_share
    w.add(1 - direction, "answer_success", done)
    if wave.kind == "registration":
        w.add(1 - direction, "answer_challenge", more - done)
        w.add(1 - direction, "done_registrations", done)
    elif wave.kind == "session_start":
        w.add(1 - direction, "answer_provisional", more)
        w.add(1 - direction, "started_sessions", done)
    growth = np.log1p(factor) * wave.spread
    w.undirected("active_endpoints")[:] *= np.exp(0.3 * growth)
    w.undirected("targets_per_source")[:] *= np.exp(wave.concentration * growth)
    w.undirected("source_entropy_bits")[:] *= np.exp(-0.3 * wave.concentration * growth)
    busiest = w.undirected("busiest_source_share")
    busiest[:] = np.minimum(1, busiest * np.exp(wave.concentration * growth))


def refuse(w: TrafficWindows, direction: int, share: Share, habits: Habits) -> None:
    """Refuse requests: by a TCP reset before they are sent, or by ICMP after."""
    asked = w.get(direction, "new_transactions").copy() * share
    attempts = asked * habits.repeats
    w.keep(1 - direction, ANSWERS, 1 - share)
    sign = "tcp_rst" if habits.over_tcp else "icmp_unreachable"
    for name in ("refusals", sign, "packets"):
        w.add(1 - direction, name, attempts)
    if habits.over_tcp:
        w.add(direction, "tcp_syn", attempts)
        w.keep(direction, _REQUESTS, 1 - share)
        return
    w.add(direction, "unanswered_t1", asked)
    w.add(direction, "unanswered_4s", asked)
    repeat_requests(w, direction, attempts, habits)


def scatter(w: TrafficWindows, share: Share, features: list[int], shifts: list[float]) -> None:
    """Move a few features' logarithms, whatever they mean: a fault that nobody thought of."""
    for index, shift in zip(features, shifts, strict=True):
        feature, values = FEATURES[index], w.values[..., index]
        moved = np.log1p(values / feature.floor) + shift * share
        moved = np.expm1(np.maximum(moved, 0)) * feature.floor
        is_count = not feature.held and feature.unit not in ("share", "bits")
        values[:] = w.rng.poisson(moved) if is_count else moved
