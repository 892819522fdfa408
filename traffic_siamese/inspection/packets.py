"""What can be seen of a capture while it is read: silences, clock jumps, what packets are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import ENCAPSULATIONS, FRAGMENT, PacketChunk
from traffic_siamese.captures.reader import CaptureStats, PacketReader

GAP_S = 10.0
"""A longer silence is told."""
JUMP_S = 3600.0
"""A longer one looks like a clock that was set, or captures put together."""
BACK_S = 1.0
"""A step back by more does so too; packets out of order by less are usual."""
MAX_TOLD = 1000
_TRANSPORTS = {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 58: "ICMPv6",
               89: "OSPF", 132: "SCTP"}  # fmt: skip


@dataclass(slots=True)
class WatchedPackets:
    """Hand on the packets of a reader, and note what they are.

    Attributes
    ----------
    reader : PacketReader
    gaps, jumps : list of tuple of int
        From when to when, nanoseconds since the epoch, in file order: silences longer than
        `GAP_S`; steps of the clock, forward by more than `JUMP_S` or back by more than `BACK_S`.
        At most `MAX_TOLD` are kept.
    n_gaps, n_jumps, n_fragments : int
    """

    reader: PacketReader
    gaps: list[tuple[int, int]] = field(default_factory=list)
    jumps: list[tuple[int, int]] = field(default_factory=list)
    n_gaps: int = 0
    n_jumps: int = 0
    n_fragments: int = 0
    _last_ns: int | None = None
    _transports: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    _wraps: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(ENCAPSULATIONS), np.int64)
    )

    @property
    def stats(self) -> CaptureStats:
        """Return what the reader tells."""
        return self.reader.stats

    def __iter__(self) -> Iterator[PacketChunk]:
        """Yield the reader's chunks."""
        for chunk in self.reader:
            self._note(chunk)
            yield chunk

    def transports(self) -> dict[str, int]:
        """Return IP packets by transport protocol, the most frequent first."""
        order = np.argsort(-self._transports, kind="stable").tolist()
        return {
            _TRANSPORTS.get(number, f"IP protocol {number}"): int(self._transports[number])
            for number in order
            if self._transports[number]
        }

    def encapsulations(self) -> dict[str, int]:
        """Return packets by what they were wrapped in."""
        named = zip(ENCAPSULATIONS, self._wraps.tolist(), strict=True)
        return {name: n for name, n in named if n}

    def _note(self, chunk: PacketChunk) -> None:
        is_ip = chunk.ip_version > 0
        self._transports += np.bincount(chunk.ip_protocol[is_ip], minlength=256)
        self.n_fragments += int(np.count_nonzero(chunk.flags & FRAGMENT))
        if chunk.encapsulation.any():
            for bit in range(len(ENCAPSULATIONS)):
                self._wraps[bit] += int(np.count_nonzero(chunk.encapsulation & (1 << bit)))
        first = chunk.time_ns[0] if self._last_ns is None else self._last_ns
        before = np.concatenate([[first], chunk.time_ns[:-1]])
        step = chunk.time_ns - before
        self._last_ns = int(chunk.time_ns[-1])
        is_jump = (step > JUMP_S * 1e9) | (step < -BACK_S * 1e9)
        is_gap = (step > GAP_S * 1e9) & ~is_jump
        self.n_jumps += _keep(self.jumps, before, chunk.time_ns, is_jump)
        self.n_gaps += _keep(self.gaps, before, chunk.time_ns, is_gap)


def _keep(
    told: list[tuple[int, int]],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> int:
    """Append the steps wanted while there is room; return how many they are."""
    places = np.flatnonzero(wanted)
    for i in places[: max(0, MAX_TOLD - len(told))].tolist():
        told.append((int(before[i]), int(after[i])))
    return len(places)
