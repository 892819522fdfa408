"""Real faults as they would look had they hit other requests, or brought other answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import COUNTERS, MEASURES
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS
from traffic_siamese.simulate.counts import INDEX, TrafficWindows
from traffic_siamese.types import FloatArray

KINDS = ("session_start", "registration", "keep_alive", "message", "other")
"""Requests that are made for their own sake; the others belong to a session."""

FAILURES = ANSWER_CLASSES[2:]
"""Answers that a fault may bring instead of one another."""

COUNTED = {"session_start": "started_sessions", "registration": "done_registrations"}
"""Requests whose successes have a counter of their own."""

_UNCOUNTED = tuple(kind for kind in REQUEST_KINDS if kind not in (*COUNTED, "acknowledgement"))
_IN_SESSIONS = tuple(f"request_{kind}" for kind in REQUEST_KINDS if kind not in KINDS)
_SLOTS = {
    "requests": tuple(f"request_{kind}" for kind in REQUEST_KINDS),
    "answers": tuple(f"answer_{name}" for name in ANSWER_CLASSES),
}
_DIRECTED = tuple(feature.name for feature in (*COUNTERS, *MEASURES))
_BEYOND = 2.0  # times the normal rate: load alone does not reach it
_MOSTLY = 0.5
_LEAST_RATE = 1e-6
_HARDLY_ANY = 0.2  # sessions per bin: of so few it cannot be said that they fail


@dataclass(frozen=True, slots=True)
class SlotPermutation:
    """Which slot's traffic shows in which slot.

    Attributes
    ----------
    kinds : tuple of str
        For each of `KINDS`, the kind that such requests become.
    failures : tuple of str
        For each of `FAILURES`, the class that the fault's answers of it become.
    swaps_directions : bool
        Let what goes to the service come from it, and the reverse.
    """

    kinds: tuple[str, ...] = KINDS
    failures: tuple[str, ...] = FAILURES
    swaps_directions: bool = False


def permute_slots(
    values: NDArray[np.floating],
    baseline: FloatArray,
    permutation: SlotPermutation,
    rng: np.random.Generator,
    *,
    normal: NDArray[np.floating] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return a window as the same fault would look in other slots, and the network's normal.

    Requests move with their normal: the network gets another mix, and whatever deviates from
    normal deviates by as much elsewhere. Of the failures only what the fault brought moves, so
    that answers rare on the network stay rare without it. Successes go with the requests that
    they answer; where those are not counted by themselves, so large a share of the uncounted ones
    as of the requests. The numbers of requests and of answers in a bin stay.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_features)
        Features of captures, as read; not changed.
    baseline : ndarray of shape (2, n_features), float32
        Of the network that the window comes from.
    permutation : SlotPermutation
    rng : numpy.random.Generator
    normal : ndarray of shape (n_timesteps, n_features), optional
        A normal window of the network. Where other requests become session starts, what happens
        inside sessions is taken from it, less by the sessions that now fail: the one case in which
        the numbers of requests and answers change.

    Returns
    -------
    values : ndarray of shape (n_timesteps, n_features), float32
    baseline : ndarray of shape (2, n_features), float32
    """
    windows = TrafficWindows(np.asarray(values)[None], rng)
    moved = baseline.astype(np.float64)
    for direction in (0, 1):
        _move_failures(windows, direction, baseline, permutation)
    if permutation.kinds != KINDS:
        before = windows.values.copy()
        for direction in (0, 1):
            _move_successes(windows, direction, moved, permutation)
        for direction in (0, 1):
            _move_requests(windows.values, direction, permutation)
            _move_requests(moved, direction, permutation)
        if normal is not None and permutation.kinds[0] != KINDS[0]:
            _follow_sessions(windows, moved, np.asarray(normal, np.float64)[None])
            windows.settle(before)
    if permutation.swaps_directions:
        _swap_directions(windows.values)
        _swap_directions(moved)
    return windows.values[0].astype(np.float32), moved.astype(np.float32)


def brought_share(
    values: NDArray[np.floating], baseline: FloatArray, direction: int
) -> NDArray[np.float64]:
    """Say which share of each failure a fault brought, and which is normal on the network.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
    baseline : ndarray of shape (2, n_features), float32
    direction : int
        Of the answers.

    Returns
    -------
    ndarray of shape (n_windows, n_failures), float64, in [0, 1]
        0 up to twice the normal rate, and where most messages are sent again: there the same
        answers only come more often.
    """
    columns = columns_of(direction, (f"answer_{name}" for name in FAILURES))
    rates = values[..., columns].mean(axis=1, dtype=np.float64)
    usual = usual_rates(baseline, columns)
    first = np.minimum(
        first_share(values, direction, "answers"), first_share(values, 1 - direction, "requests")
    )
    share = 1 - usual / np.maximum(rates, _LEAST_RATE)
    return np.where((rates > _BEYOND * usual) & (first >= _MOSTLY), share, 0.0)


def first_share(values: NDArray[np.floating], direction: int, sort: str) -> NDArray[np.float64]:
    """Return the share of requests or answers not sent again, shape (n_windows, 1)."""
    again = values[..., columns_of(direction, [f"retransmitted_{sort}"])]
    messages = values[..., columns_of(direction, _SLOTS[sort])]
    repeated, all_of_them = (x.sum(axis=(1, 2), dtype=np.float64) for x in (again, messages))
    share = 1 - repeated / np.maximum(all_of_them, 1)
    return np.asarray(np.clip(share, 0, 1)[:, None], np.float64)


def usual_rates(baseline: NDArray[np.floating], columns: list[int]) -> NDArray[np.float64]:
    """Return a network's normal events per bin: the logarithm's mean lies below the mean's."""
    center, spread = baseline[:, columns].astype(np.float64)
    return np.asarray(np.expm1(center + spread**2 / 2), np.float64)


def columns_of(direction: int, names: Iterable[str]) -> list[int]:
    """Return the columns of directed features."""
    return [INDEX[f"{DIRECTIONS[direction]}_{name}"] for name in names]


def _move_failures(
    windows: TrafficWindows, direction: int, baseline: FloatArray, permutation: SlotPermutation
) -> None:
    share = brought_share(windows.values, baseline, direction)[:, None]
    columns = columns_of(direction, (f"answer_{name}" for name in FAILURES))
    targets = columns_of(direction, (f"answer_{name}" for name in permutation.failures))
    answers = np.rint(windows.values[..., columns]).astype(np.int64)
    brought = windows.rng.binomial(answers, share)
    windows.values[..., columns] -= brought
    windows.values[..., targets] += brought


def _move_requests(
    values: NDArray[np.float64], direction: int, permutation: SlotPermutation
) -> None:
    columns = columns_of(direction, (f"request_{kind}" for kind in KINDS))
    targets = columns_of(direction, (f"request_{kind}" for kind in permutation.kinds))
    values[..., targets] = values[..., columns]


def _move_successes(
    windows: TrafficWindows,
    direction: int,
    moved: NDArray[np.float64],
    permutation: SlotPermutation,
) -> None:
    """Let the counted successes be those of the requests that become the counted kinds."""
    sources = [KINDS[permutation.kinds.index(kind)] for kind in COUNTED]
    counted = columns_of(direction, COUNTED.values())
    success = columns_of(direction, ["answer_success"])
    requests = columns_of(1 - direction, (f"request_{kind}" for kind in _UNCOUNTED))
    old, usual_old = windows.values[..., counted].copy(), moved[:, counted].copy()
    shares = _shares(windows.values[0][:, requests].mean(axis=0), sources)
    left = np.maximum(windows.values[..., success].sum(axis=-1) - old.sum(axis=-1), 0)
    drawn = windows.rng.multinomial(np.rint(left).astype(np.int64), shares)
    usual = usual_rates(moved, success)[0] - usual_rates(moved, counted).sum()
    usual_drawn = max(0.0, float(usual)) * _shares(usual_rates(moved, requests), sources)
    for number, (place, source) in enumerate(zip(counted, sources, strict=True)):
        if source in COUNTED:
            at = list(COUNTED).index(source)
            windows.values[..., place], moved[:, place] = old[..., at], usual_old[:, at]
        else:
            windows.values[..., place] = drawn[..., number]
            moved[:, place] = _normal_of_counts(float(usual_drawn[number]))


def _shares(rates: NDArray[np.float64], kinds: list[str]) -> NDArray[np.float64]:
    """Return these kinds' shares of the requests that are not counted, and what is left to 1."""
    known = dict(zip(_UNCOUNTED, rates / max(rates.sum(), _LEAST_RATE), strict=True))
    shares = [max(0.0, float(known.get(kind, 0.0))) for kind in kinds]
    return np.array([*shares, max(0.0, 1 - sum(shares))])


def _normal_of_counts(rate: float) -> tuple[float, float]:
    """Return centre and spread of the logarithm of independent events."""
    spread = np.sqrt(rate) / (1 + rate)
    return float(np.log1p(rate) - spread**2 / 2), float(spread)


def _follow_sessions(
    windows: TrafficWindows, moved: NDArray[np.float64], normal: NDArray[np.float64]
) -> None:
    """Let what happens inside sessions be normal, less by the sessions that fail to start."""
    started = [column for way in (0, 1) for column in columns_of(way, [COUNTED["session_start"]])]
    usual = usual_rates(moved, started).sum() + _HARDLY_ANY
    share = (windows.values[..., started].mean(axis=1).sum() + _HARDLY_ANY) / usual
    calm = TrafficWindows(normal, windows.rng)
    for way in (0, 1):
        names = (*_IN_SESSIONS, "answer_provisional")
        calm.keep(way, names, np.full(normal.shape[:2], min(1.0, share)))
        requests, columns = columns_of(way, _IN_SESSIONS), columns_of(way, names)
        more = (calm.values[..., requests] - windows.values[..., requests]).sum(axis=-1)
        opened = windows.get(way, "new_transactions")
        opened[:] = np.maximum(opened + more, 0)
        windows.values[..., columns] = calm.values[..., columns]


def _swap_directions(values: NDArray[np.float64]) -> None:
    columns, others = columns_of(0, _DIRECTED), columns_of(1, _DIRECTED)
    values[..., columns + others] = values[..., others + columns]
