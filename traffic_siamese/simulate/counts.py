"""Windows of traffic that a fault can change: counts stay whole numbers, with their noise."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traffic_siamese.features.schema import COUNTERS, FEATURE_NAMES
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS

INDEX = {name: i for i, name in enumerate(FEATURE_NAMES)}
COUNTER_NAMES = tuple(counter.name for counter in COUNTERS)
ANSWERS = (*(f"answer_{name}" for name in ANSWER_CLASSES), "started_sessions", "done_registrations")
MESSAGES = (
    *(f"request_{kind}" for kind in REQUEST_KINDS),
    *(f"answer_{name}" for name in ANSWER_CLASSES),
)
BARE_SEGMENT_BYTES = 66.0
"""A TCP segment without payload: headers, options and frame."""


@cache
def _columns(direction: int, names: tuple[str, ...]) -> list[int]:
    return [INDEX[f"{DIRECTIONS[direction]}_{name}"] for name in names]


class TrafficWindows:
    """Raw feature windows under change.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features)
        Features as read; copied.
    rng : numpy.random.Generator
        Where chance comes from.

    Attributes
    ----------
    values : ndarray of shape (n_windows, n_timesteps, n_features), float64
    """

    def __init__(self, values: NDArray[np.floating], rng: np.random.Generator) -> None:
        self.values = np.array(values, np.float64)
        self.rng = rng

    def get(self, direction: int, name: str) -> NDArray[np.float64]:
        """Return a directed feature, shape (n_windows, n_timesteps); a view to change."""
        return self.values[..., INDEX[f"{DIRECTIONS[direction]}_{name}"]]

    def total(self, direction: int, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the sum of directed features, shape (n_windows, n_timesteps)."""
        return np.asarray(self.values[..., _columns(direction, names)].sum(axis=-1))

    def undirected(self, name: str) -> NDArray[np.float64]:
        """Return a feature without direction; a view to change."""
        return self.values[..., INDEX[name]]

    def add(self, direction: int, name: str, expected: ArrayLike) -> None:
        """Add events of a known mean number per bin (Poisson)."""
        counts = self.get(direction, name)
        counts += self.rng.poisson(np.broadcast_to(np.maximum(expected, 0), counts.shape))

    def keep(self, direction: int, names: tuple[str, ...], share: ArrayLike) -> None:
        """Keep each event with a probability (binomial), drop the others."""
        columns = _columns(direction, names)
        whole = np.maximum(np.rint(self.values[..., columns]), 0).astype(np.int64)
        chance = np.clip(np.asarray(share, np.float64), 0, 1)[..., None]
        self.values[..., columns] = self.rng.binomial(whole, chance)

    def settle(self, before: NDArray[np.float64]) -> None:
        """Let packets, bytes and idle tenths follow the messages that a fault added or took.

        Parameters
        ----------
        before : ndarray like ``values``
            The windows as they were.
        """
        old = TrafficWindows(before, self.rng)
        for direction in (0, 1):
            messages = self.total(direction, MESSAGES)
            messages_before = old.total(direction, MESSAGES)
            packets, packets_before = (w.get(direction, "packets") for w in (self, old))
            follows = np.rint(packets_before * (messages + 0.5) / (messages_before + 0.5))
            extra = sum(
                self.get(direction, name) - old.get(direction, name)
                for name in ("refusals", "tcp_retransmissions")
            )
            more, less = messages > messages_before, messages < messages_before
            packets[more] = np.maximum(packets, follows)[more]
            packets[less] = np.minimum(packets, follows + extra)[less]
            packets[:] = np.maximum(packets, 0)
            carrying = np.minimum(packets, follows)
            in_messages = old.get(direction, "bytes") * carrying / np.maximum(packets_before, 1)
            bare = np.maximum(packets - follows, 0) * BARE_SEGMENT_BYTES
            self.get(direction, "bytes")[:] = in_messages + bare
            self.settle_size(direction)
            self._settle_idle(old, direction)

    def settle_size(self, direction: int) -> None:
        """Let the mean size be bytes over packets; without packets it stays."""
        packets, size = self.get(direction, "packets"), self.get(direction, "mean_size_bytes")
        size[:] = np.where(packets > 0, self.get(direction, "bytes") / np.maximum(packets, 1), size)

    def _settle_idle(self, old: TrafficWindows, direction: int) -> None:
        """Each packet leaves nine tenths of the idle tenths idle."""
        packets, packets_before = (w.get(direction, "packets") for w in (self, old))
        idle = old.get(direction, "idle_share") * np.power(0.9, packets - packets_before)
        self.get(direction, "idle_share")[:] = np.where(packets == 0, 1, np.clip(idle, 0, 1))
