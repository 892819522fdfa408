"""Faults drawn at random: a mechanism, what it hits, how hard, and how it goes over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import FEATURES
from traffic_siamese.features.slots import ANSWER_CLASSES, REQUEST_KINDS
from traffic_siamese.simulate import mechanisms as act
from traffic_siamese.simulate.counts import TrafficWindows
from traffic_siamese.simulate.profiles import draw_profile, log_uniform

_FAMILIES = {
    "lost_beyond": 1,
    "lost_before": 1,
    "lost_both": 1,
    "loss": 1,
    "capacity": 1,
    "delay": 1,
    "failing": 2,
    "surge": 1,
    "refused": 1,
    "scatter": 2,
}
_PROFILES = {"steady": 3, "on_off": 2, "ramp": 1, "burst": 1}
_KINDS = dict(zip(REQUEST_KINDS[:6], (0.40, 0.08, 0.05, 0.30, 0.09, 0.08), strict=True))
_FAILURES = ANSWER_CLASSES[2:]
_MAX_CONTRAST = 3.0  # delays differ more from case to case of one fault than shares do


@dataclass(frozen=True, slots=True)
class VirtualFault:
    """One fault that a network could go through.

    Attributes
    ----------
    family, profile : str
        What it does, and how it goes over time.
    direction : int
        Of the requests it concerns.
    share : float, in [0, 1]
        How much of the traffic it hits.
    loss_share : float, in [0, 1]
        The same for random loss.
    added_s : float
        Delay that it adds.
    factor : float
        Of a surge.
    kind, answer : str
        Requests that it concerns, and the failure they meet.
    habits : Habits
        How hosts react; each window's network varies them.
    wave : Surge
    tail, jitter : float
        Of an added delay: 95th percentile over median, deviation over median.
    features, shifts : list
        Of a scattered fault.
    """

    family: str
    profile: str
    direction: int
    share: float
    loss_share: float
    added_s: float
    factor: float
    kind: str
    answer: str
    habits: act.Habits
    wave: act.Surge
    tail: float
    jitter: float
    features: list[int]
    shifts: list[float]


def _weighted(rng: np.random.Generator, weights: dict[str, float] | dict[str, int]) -> str:
    chances = np.array(list(weights.values()), np.float64)
    return str(rng.choice(list(weights), p=chances / chances.sum()))


def draw_fault(rng: np.random.Generator) -> VirtualFault:
    """Draw a fault."""
    family = _weighted(rng, _FAMILIES)
    kind = _weighted(rng, _KINDS)
    total = family in ("lost_beyond", "lost_before") and rng.random() < 0.5
    n_features = int(rng.integers(2, 10))
    return VirtualFault(
        family=family,
        profile=_weighted(rng, _PROFILES),
        direction=int(rng.random() < 0.35),
        share=1.0 if total else rng.uniform(0.25, 1),
        loss_share=log_uniform(rng, 0.05, 0.35),
        added_s=log_uniform(rng, 0.04, 2.0),
        factor=log_uniform(rng, 1, 40),
        kind=kind,
        answer=str(rng.choice(_FAILURES)),
        habits=act.Habits(
            over_tcp=False,
            connects_first=False,
            repeats=log_uniform(rng, 0.5, 5),
            persistence=rng.uniform(0.3, 1),
            dependence=rng.uniform(0.3, 1),
            retries=rng.uniform(0.3, 3) if rng.random() < 1 / 3 else 0.0,
        ),
        wave=act.Surge(
            kind=kind,
            success_share=rng.uniform(0.2, 0.9),
            spread=rng.uniform(0, 1),
            concentration=rng.uniform(-0.3, 1) if rng.random() < 1 / 3 else 0.0,
        ),
        tail=rng.uniform(1, 2.5),
        jitter=log_uniform(rng, 0.03, 1),
        features=rng.choice(len(FEATURES), n_features, replace=False).tolist(),
        shifts=(rng.choice([-1, 1, 1], n_features) * rng.uniform(0.6, 2.5, n_features)).tolist(),
    )


def apply_fault(
    fault: VirtualFault, values: NDArray[np.floating], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Let normal windows go through a fault.

    The windows become cases of one label: severity varies between them, and so do the habits of
    their networks; some run over TCP, the others over UDP.

    Parameters
    ----------
    fault : VirtualFault
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Normal windows, features as read; not changed.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of the same shape, float64
    """
    n_windows, n_timesteps, _ = values.shape
    profile = draw_profile(rng, fault.profile, n_windows, n_timesteps)
    severity = rng.uniform(0.6, 1.15, (n_windows, 1))
    over_tcp = rng.permutation(n_windows) < rng.integers(0, n_windows + 1)
    out = np.empty(values.shape)
    for is_tcp in (False, True):
        mine = over_tcp == is_tcp
        if not mine.any():
            continue
        windows = TrafficWindows(values[mine], rng)
        habits = _of_this_network(fault.habits, is_tcp, rng)
        _act(windows, replace(fault, habits=habits), severity[mine], profile[mine])
        if fault.family != "scatter":
            windows.settle(np.asarray(values[mine], np.float64))
        out[mine] = windows.values
    return out


def _of_this_network(habits: act.Habits, is_tcp: bool, rng: np.random.Generator) -> act.Habits:
    return replace(
        habits,
        over_tcp=is_tcp,
        connects_first=bool(rng.random() < 0.5),
        repeats=habits.repeats * float(np.exp(rng.normal(0, 0.5))),
        persistence=min(1.0, habits.persistence * rng.uniform(0.7, 1.3)),
    )


def _act(w: TrafficWindows, fault: VirtualFault, severity: act.Share, profile: act.Share) -> None:
    way, habits = fault.direction, fault.habits
    # What is cut altogether is cut altogether in every case.
    severity_of_share = np.maximum(severity, 0.97) if fault.share >= 1 else severity
    share = np.clip(fault.share * severity_of_share, 0, 1) * profile
    loss = fault.loss_share * severity * profile
    added_s = fault.added_s * profile
    match fault.family:
        case "lost_beyond":
            act.lose_beyond(w, way, share, habits)
        case "lost_before":
            act.lose_before(w, way, share, habits)
        case "lost_both":
            act.lose_before(w, 0, share, habits)
            act.lose_before(w, 1, share, habits)
        case "loss":
            act.lose_beyond(w, 0, loss, habits)
            act.lose_beyond(w, 1, loss, habits)
            act.lose_before(w, way, loss, habits)
        case "capacity":
            act.lose_beyond(w, way, 2 * loss, habits)
            act.lose_before(w, 1 - way, loss, habits)
            for both in (0, 1):
                act.slow_down(w, both, added_s, habits, tail=fault.tail, jitter=fault.jitter)
        case "delay":
            added_s = added_s * severity**_MAX_CONTRAST
            act.slow_down(w, way, added_s, habits, tail=fault.tail, jitter=fault.jitter)
        case "failing":
            act.fail_requests(w, way, share, habits, kind=fault.kind, answer=fault.answer)
        case "surge":
            act.surge(w, way, fault.factor * severity * profile, fault.wave)
        case "refused":
            act.refuse(w, way, np.clip(1.5 * share, 0, 1), habits)
        case "scatter":
            act.scatter(w, severity * profile, fault.features, fault.shifts)
