"""Other networks than those captured: less traffic of the same mix, or another transport."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.features.schema import COUNTERS, FEATURES
from traffic_siamese.features.slots import DIRECTIONS
from traffic_siamese.simulate.counts import (
    BARE_SEGMENT_BYTES,
    COUNTER_NAMES,
    INDEX,
    MESSAGES,
    TrafficWindows,
)
from traffic_siamese.simulate.profiles import log_uniform
from traffic_siamese.types import FloatArray

_REQUESTS = tuple(name for name in MESSAGES if name.startswith("request_"))
_PLAIN_ANSWERS = tuple(name for name in MESSAGES if name.startswith("answer_"))
_SOME_TCP = 0.1  # connections per bin
_LEAST_KEPT = 0.35
_SIZE_FLOOR_BYTES = FEATURES[INDEX["to_service_mean_size_bytes"]].floor
_COUNTS = tuple(counter.name for counter in COUNTERS if counter.name != "bytes")
_COUNTER_COLUMNS = [INDEX[f"{way}_{name}"] for way in DIRECTIONS for name in COUNTER_NAMES]


def another_network(
    values: NDArray[np.floating], baseline: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return windows as some other network would show them: smaller, half of the time over TCP.

    Parameters and results are those of `thin_network`, which see; the share kept is drawn between
    0.35 and 1.
    """
    if rng.random() < 0.5:
        values, baseline = carry_over_tcp(values, baseline, rng)
    return thin_network(values, baseline, log_uniform(rng, _LEAST_KEPT, 1), rng)


def thin_network(
    values: NDArray[np.floating], baseline: FloatArray, keep: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return windows as a smaller network would show them, and that network's baseline.

    Each event is kept with probability ``keep``, which leaves the mix and adds the noise of small
    numbers; delays stay.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Features as read.
    baseline : ndarray of shape (2, n_features), float32
        Of the network that they come from.
    keep : float, in (0, 1]
    rng : numpy.random.Generator

    Returns
    -------
    values : ndarray of the same shape, float32
    baseline : ndarray of shape (2, n_features), float32
    """
    windows = TrafficWindows(values, rng)
    old = windows.values.copy()
    for way, direction in enumerate(DIRECTIONS):
        windows.keep(way, _COUNTS, keep)
        packets, packets_before = (
            windows.get(way, "packets"),
            old[..., INDEX[f"{direction}_packets"]],
        )
        fewer = packets_before - packets
        windows.get(way, "bytes")[:] *= packets / np.maximum(packets_before, 1)
        idle = windows.get(way, "idle_share")
        idle[:] = np.where(packets == 0, 1, np.clip(idle * np.power(0.9, -fewer), 0, 1))
    moved = baseline.copy()
    usual = np.expm1(baseline[0, _COUNTER_COLUMNS])
    moved[0, _COUNTER_COLUMNS] = np.log1p(keep * usual)
    return windows.values.astype(np.float32), moved


def carry_over_tcp(
    values: NDArray[np.floating], baseline: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return windows of a UDP network as they would be with TCP under the same messages.

    What was repeated as a message is repeated as a segment, what was refused by ICMP is refused by
    a reset, segments are acknowledged, and, where each request opens a connection of its own, one
    that never was answered was never sent either. A network with TCP already is left as it is.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Features as read.
    baseline : ndarray of shape (2, n_features), float32
        Of the network that they come from.
    rng : numpy.random.Generator

    Returns
    -------
    values : ndarray of the same shape, float32
    baseline : ndarray of shape (2, n_features), float32
    """
    windows = TrafficWindows(values, rng)
    moved = baseline.copy()
    if any(_usual(baseline, way, "tcp_syn") > _SOME_TCP for way in (0, 1)):
        return windows.values.astype(np.float32), moved
    connects_first = rng.random() < 0.5
    acknowledgements = rng.uniform(0.5, 1.5)
    before = windows.values.copy()
    for way in (0, 1):
        _repeat_as_segments(windows, way)
        if connects_first:
            _connect_first(windows, way, moved)
    windows.settle(before)
    for way in (0, 1):
        _acknowledge(windows, way, acknowledgements, moved)
    return windows.values.astype(np.float32), moved


def _acknowledge(windows: TrafficWindows, way: int, per_message: float, moved: FloatArray) -> None:
    """Add segments that only acknowledge, to windows and to normal."""
    more = windows.rng.poisson(per_message * windows.total(way, MESSAGES))
    windows.get(way, "packets")[:] += more
    windows.get(way, "bytes")[:] += more * BARE_SEGMENT_BYTES
    held = windows.get(way, "packets") == 0
    windows.settle_size(way)
    before = _usual(moved, way, "mean_size_bytes")
    messages = [INDEX[f"{DIRECTIONS[way]}_{name}"] for name in MESSAGES]
    usual = per_message * float(np.expm1(moved[0, messages]).sum())
    packets = _usual(moved, way, "packets") + usual
    size = _usual(moved, way, "bytes") + usual * BARE_SEGMENT_BYTES
    for name, value in (
        ("packets", packets),
        ("bytes", size),
        ("mean_size_bytes", size / max(packets, 1e-9) / _SIZE_FLOOR_BYTES),
    ):
        moved[0, INDEX[f"{DIRECTIONS[way]}_{name}"]] = np.log1p(value)
    smaller = _usual(moved, way, "mean_size_bytes") / max(before, 1e-9)
    windows.get(way, "mean_size_bytes")[held] *= smaller  # what a silent bin holds is normal


def _usual(baseline: FloatArray, way: int, name: str) -> float:
    """Return a counter's normal mean per bin."""
    return float(np.expm1(baseline[0, INDEX[f"{DIRECTIONS[way]}_{name}"]]))


def _repeat_as_segments(windows: TrafficWindows, way: int) -> None:
    again = windows.get(way, "retransmitted_requests")
    sent = windows.total(way, _REQUESTS)
    windows.keep(way, _REQUESTS, 1 - again / np.maximum(sent, 1))
    answers_again = windows.get(way, "retransmitted_answers")
    answered = windows.total(way, _PLAIN_ANSWERS)
    windows.keep(way, _PLAIN_ANSWERS, 1 - answers_again / np.maximum(answered, 1))
    windows.get(way, "tcp_retransmissions")[:] += again + answers_again
    again[:] = answers_again[:] = 0
    windows.get(way, "tcp_rst")[:] += windows.get(way, "icmp_unreachable")
    windows.get(way, "icmp_unreachable")[:] = 0


def _connect_first(windows: TrafficWindows, way: int, moved: FloatArray) -> None:
    asked = windows.get(way, "new_transactions")
    repeated = windows.get(way, "tcp_retransmissions")
    windows.add(way, "tcp_syn", asked)
    column = INDEX[f"{DIRECTIONS[way]}_tcp_syn"]
    moved[0, column] = np.log1p(_usual(moved, way, "new_transactions"))
    unanswered = np.minimum(windows.get(way, "unanswered_4s"), asked)
    share = unanswered / np.maximum(asked, 1)
    windows.get(way, "tcp_syn")[:] += np.rint(repeated * share)  # a repeated SYN is both
    windows.keep(way, (*_REQUESTS, "new_transactions"), 1 - share)
    for name in ("unanswered_t1", "unanswered_4s"):
        windows.keep(way, (name,), 1 - share)
