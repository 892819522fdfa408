"""One stretch of simulated traffic: a series, a capture file, and what they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
import zstandard

from traffic_siamese.features.series import read_series
from traffic_siamese.simulate.signalling.arrivals import Arrivals
from traffic_siamese.simulate.signalling.effects import Phase
from traffic_siamese.simulate.signalling.families import FAMILIES
from traffic_siamese.simulate.signalling.fault_model import FaultModel
from traffic_siamese.simulate.signalling.network_model import NetworkModel
from traffic_siamese.simulate.signalling.protocols import PROTOCOLS
from traffic_siamese.simulate.signalling.transports import check_transport
from traffic_siamese.simulate.signalling.wire import PCAP_HEADER, frames, pcap_records
from traffic_siamese.simulate.signalling.world import World
from traffic_siamese.types import NORMAL, LabelledInterval, TrafficLog

WARM_UP_S = 20.0
SETTLING_S = 10.0
"""After a fault nothing is labelled for this long: repetitions outlive it."""
_SLICE_S = 5.0
_DAY_S = 86_400
_EPOCH_S = 1_767_225_600
"""2026-01-01, midnight UTC."""


class Episode:
    """Traffic of one network, with a fault or without; simulated anew each time it is read.

    Attributes
    ----------
    network : NetworkModel
    fault : FaultModel or None
    duration_s, onset_s, end_s : float
    seed : int
    start_ns : int
        When it begins, nanoseconds since the epoch.
    name : str
        What it is called in labels and in the log.
    """

    def __init__(
        self, network: NetworkModel, fault: FaultModel | None, span: tuple[float, float, float],
        seed: int,
    ) -> None:  # fmt: skip
        self.network, self.fault, self.seed = network, fault, seed
        self.duration_s, self.onset_s, self.end_s = span
        self.name = f"{network.name}/{fault.name if fault else NORMAL}"
        self.start_ns = (_EPOCH_S + self._time_of_day_s()) * 10**9

    def _time_of_day_s(self) -> int:
        """Midnight for half a day and more; else within some hours of the peak."""
        if self.duration_s > _DAY_S / 2:
            return 0
        hour = np.random.default_rng([self.seed, 7]).normal(self.network.peak_hour, 1.5)
        return int(3600 * hour) % _DAY_S

    @cached_property
    def log(self) -> TrafficLog:
        """Per-second features, as `read_series` reads them from the capture file."""
        stream = _Stream(self.pieces())
        log = read_series(cast(Any, stream))
        return replace(log, name=self.name)

    @property
    def intervals(self) -> tuple[LabelledInterval, ...]:
        """What it shows when; after the fault a while is left out."""
        if self.fault is None:
            return self._named((0.0, self.duration_s, NORMAL))
        return self._named(
            (0.0, self.onset_s, NORMAL),
            (self.onset_s, self.end_s, self.fault.label),
            (self.end_s + SETTLING_S, self.duration_s, NORMAL),
        )

    def _named(self, *spans: tuple[float, float, str]) -> tuple[LabelledInterval, ...]:
        times = [self.start_ns + round(1e9 * time) for span in spans for time in span[:2]]
        return tuple(
            LabelledInterval(self.name, start, end, span[2], self.network.name)
            for span, start, end in zip(spans, times[::2], times[1::2], strict=True)
            if end > start
        )

    def write_pcap(self, path: str | Path) -> int:
        """Write the capture file, compressed where the name ends in ``.zst``.

        Returns
        -------
        int
            Bytes before compression.
        """
        n_bytes = 0
        with Path(path).open("wb") as file:
            compressor = zstandard.ZstdCompressor(level=3).compressobj()
            is_zst = str(path).endswith(".zst")
            for piece in self.pieces():
                n_bytes += len(piece)
                file.write(compressor.compress(piece) if is_zst else piece)
            if is_zst:
                file.write(compressor.flush())
        return n_bytes

    def pieces(self) -> Iterator[bytes]:
        """Yield the capture file piece by piece, in constant memory."""
        world = self._world()
        yield PCAP_HEADER
        time_s = 0.0
        while time_s < self.duration_s:
            time_s = min(time_s + _SLICE_S, self.duration_s)
            world.clock.run_until(time_s)
            records = world.tap.take(time_s)
            if records:
                times_ns = [self.start_ns + int(1e9 * record[0]) for record in records]
                yield pcap_records(times_ns, frames(records, world.flows.headers))

    def _world(self) -> World:
        rng = np.random.default_rng([self.seed, 1])
        world = World(self.network, Random(self.seed), start_s=-WARM_UP_S)
        protocol = PROTOCOLS[self.network.protocol]
        site = protocol.site(world, protocol)
        Arrivals(site, rng, (self.start_ns // 10**9) % _DAY_S).start()
        if self.fault is not None:
            _Course(world, self.fault, (self.onset_s, self.end_s)).plan(rng)
        return world


def simulate_episode(
    network: NetworkModel,
    fault: FaultModel | None = None,
    *,
    duration_s: float,
    onset_s: float = 0.0,
    end_s: float = 0.0,
    seed: int,
) -> Episode:
    """Simulate a stretch of traffic.

    Parameters
    ----------
    network : NetworkModel
    fault : FaultModel, optional
        What goes wrong.
    duration_s : float, > 0
    onset_s, end_s : float
        When the fault begins and ends, seconds from the start.
    seed : int, >= 0
        The same seed gives the same packets.

    Returns
    -------
    Episode
        Nothing is simulated before its log or its capture is asked for.

    Raises
    ------
    ValueError
        If the fault does not lie within the stretch, or the network's protocol is none, or does not
        run over its transport.
    """
    protocol = PROTOCOLS.get(network.protocol)
    if protocol is None:
        raise ValueError(f"found protocol {network.protocol!r}, expected {' or '.join(PROTOCOLS)}")
    check_transport(network.protocol, network.transport)
    if duration_s <= 0:
        raise ValueError(f"duration_s={duration_s}: expected more than 0")
    if fault is not None and not 0 <= onset_s < end_s <= duration_s:
        raise ValueError(
            f"the fault is from {onset_s} s to {end_s} s, expected within 0 and {duration_s} s"
        )
    return Episode(network, fault, (duration_s, onset_s, end_s), seed)


class _Course:
    """A fault on its way through a world."""

    def __init__(self, world: World, fault: FaultModel, span: tuple[float, float]) -> None:
        self._world, self._fault = world, fault
        self._onset_s, self._end_s = span
        self._offered_bps = (0.0, 0.0)

    def plan(self, rng: np.random.Generator) -> None:
        """Plan each change of the fault's level, and its end."""
        clock = self._world.clock
        length_s = self._end_s - self._onset_s
        clock.at(self._onset_s, self._measure)
        for time_s, level in self._fault.onset.levels(length_s, rng):
            clock.at(self._onset_s + time_s, self._hold, (level, time_s / length_s))
        clock.at(self._end_s, self._end)

    def _measure(self, _: object) -> None:
        elapsed_s = self._onset_s + WARM_UP_S
        up, down = self._world.links
        self._offered_bps = up.n_bits / elapsed_s, down.n_bits / elapsed_s

    def _hold(self, subject: tuple[float, float]) -> None:
        level, progress = subject
        self._world.recover()
        for effect in self._fault.effects:
            phase = Phase(level, progress, self._offered_bps)
            FAMILIES[effect.family].act(self._world, dict(effect.values), phase)

    def _end(self, _: object) -> None:
        self._world.recover()


class _Stream:
    """Pieces as a binary file that is read from front to back."""

    name = "simulation"

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, n: int) -> bytes:
        """Return at most n bytes; none at the end."""
        if not self._left:
            self._left = next(self._pieces, b"")
        data, self._left = self._left[:n], self._left[n:]
        return data
