"""One direction of a link: a queue in front of a wire that delays, and may lose."""

from __future__ import annotations

from random import Random

_UNLIMITED_BPS = 1e12


class Link:
    """A drop-tail queue, then a delay; packets keep their order.

    What a fault changes are the attributes; `reset` undoes it.

    Parameters
    ----------
    delay_s, jitter_s : float
        Mean and standard deviation of the time on the wire.
    random : random.Random
        Where chance comes from.

    Attributes
    ----------
    blocked : bool
        Everything is dropped.
    loss : float, in [0, 1]
        Share of the packets that is lost.
    burst_packets : float, >= 1
        Mean number of packets lost in a row (Gilbert's model); 1 loses each by itself.
    added_s, added_jitter_s : float
        Delay on top, and its standard deviation.
    capacity_bps : float
        What the wire carries.
    buffer_s : float
        A packet that would wait longer is dropped.
    n_bits : float
        What was offered so far, dropped or not.

    References
    ----------
    E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39 (1960).
    """

    def __init__(self, *, delay_s: float, jitter_s: float, random: Random) -> None:
        self.delay_s, self.jitter_s = delay_s, jitter_s
        self.n_bits = 0.0
        self._random = random
        self._free_s = self._last_s = float("-inf")
        self._in_burst = False
        self.reset()

    def reset(self) -> None:
        """Be as without any fault."""
        self.blocked = False
        self.loss, self.burst_packets = 0.0, 1.0
        self.added_s = self.added_jitter_s = 0.0
        self.capacity_bps, self.buffer_s = _UNLIMITED_BPS, 1.0

    def carry(self, now_s: float, n_bytes: int) -> float | None:
        """Take a packet in, and return when it leaves; None where it is dropped."""
        bits = 8.0 * n_bytes
        self.n_bits += bits
        if self.blocked or (self.loss > 0 and self._loses()):
            return None
        start_s = self._free_s if self._free_s > now_s else now_s
        if start_s - now_s > self.buffer_s:
            return None
        self._free_s = start_s + bits / self.capacity_bps
        wire_s = self.delay_s + self.added_s
        jitter_s = self.jitter_s + self.added_jitter_s
        if jitter_s > 0:
            wire_s = max(wire_s + self._random.gauss(0.0, jitter_s), 0.2 * wire_s)
        arrival_s = self._free_s + wire_s
        self._last_s = arrival_s = arrival_s if arrival_s > self._last_s else self._last_s
        return arrival_s

    def _loses(self) -> bool:
        """Whether this packet is lost; the share in the long run is ``loss``."""
        if self.burst_packets <= 1:
            return self._random.random() < self.loss
        leave = 1 / self.burst_packets
        enter = min(1.0, leave * self.loss / max(1 - self.loss, 1e-9))
        chance = 1 - leave if self._in_burst else enter
        self._in_burst = self._random.random() < chance
        return self._in_burst
