"""When subscribers do what: Poisson arrivals whose rates follow the day and slow waves."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.simulate.signalling.errands import Errand
from traffic_siamese.simulate.signalling.network_model import NetworkModel
from traffic_siamese.simulate.signalling.protocol import SessionErrand
from traffic_siamese.simulate.signalling.requests import (
    KeepAlive,
    Probe,
    Registration,
    ShortMessage,
)
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.world import DOWN, UP

KINDS = ("calls", "registrations", "keep_alives", "messages")
PROBES = ("flood", "scan", "malformed")
_TICK_S = 1.0
_NOISE = 0.08
_LONGEST_HOLD = 8.0
_N_WAVES = 3


def day_shape(network: NetworkModel, time_of_day_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor of the rates over the day: a day's wave and half of its harmonic.

    It is 1 at the peak and ``1 - diurnal`` at its lowest, half a day away.
    """
    angle = 2 * np.pi * (time_of_day_s / 86_400 - network.peak_hour / 24)
    wave = (np.cos(angle) + 0.25 * np.cos(2 * angle) + 0.75) / 2
    return 1 - network.diurnal * (1 - np.clip(wave, 0, 1))


class Waves:
    """Slow changes of the rates, of each kind of traffic its own; their mean is 1."""

    def __init__(self, rng: np.random.Generator, swing: float, n_kinds: int) -> None:
        shape = (n_kinds, _N_WAVES)
        self._rates = 2 * np.pi / np.exp(rng.uniform(np.log(40), np.log(900), shape))
        self._phases = rng.uniform(0, 2 * np.pi, shape)
        self._swing = swing / np.sqrt(_N_WAVES)

    def at(self, time_s: float) -> NDArray[np.float64]:
        """Return the factors at a time, shape (n_kinds,)."""
        waves = np.sin(self._rates * time_s + self._phases).sum(axis=1)
        factors: NDArray[np.float64] = np.maximum(1 + self._swing * waves, 0.05)
        return factors


class Arrivals:
    """Starts the errands of subscribers and attackers, second by second.

    Parameters
    ----------
    site : Site
    rng : numpy.random.Generator
        Decides how many arrive.
    time_of_day_s : float
        Seconds since midnight, UTC, at second 0.
    """

    def __init__(self, site: Site, rng: np.random.Generator, time_of_day_s: float) -> None:
        network = site.world.network
        self._site, self._rng, self._of_day_s = site, rng, time_of_day_s
        self._waves = Waves(rng, network.swing, len(KINDS))
        self._rates = np.array([getattr(network, f"{kind}_per_s") for kind in KINDS])
        self._random: Random = site.world.random

    def start(self) -> None:
        """Let the calls be there that began before, and begin."""
        network, world = self._site.world.network, self._site.world
        longest_s = _LONGEST_HOLD * network.hold_s
        n = self._rng.poisson(network.calls_per_s * network.answered * longest_s)
        for ago_s in self._rng.uniform(0, longest_s, n).tolist():
            left_s = world.draw_about(network.hold_s, 0.7) - ago_s
            if left_s > 0:
                self._site.protocol.session(self._site, self._someone()).resume(left_s)
        self._tick(None)

    def rates(self, time_s: float) -> NDArray[np.float64]:
        """Return the rates of KINDS at a time, per second, without faults; shape (n_kinds,)."""
        shape = day_shape(self._site.world.network, np.array(self._of_day_s + time_s))
        rates: NDArray[np.float64] = self._rates * shape * self._waves.at(time_s)
        return rates

    def _tick(self, _: object) -> None:
        """Plan what begins in the next second."""
        world = self._site.world
        conditions = world.conditions
        rates = self.rates(world.clock.now_s)
        rates *= [conditions.rates.get(kind, 1.0) for kind in KINDS]
        rates *= np.maximum(1 + _NOISE * self._rng.standard_normal(len(KINDS)), 0)
        counts = self._rng.poisson(rates * _TICK_S).tolist()
        makers = (self._call, self._registration, self._keep_alive, self._message)
        for n, make in zip(counts, makers, strict=True):
            self._plan(n, make)
        for kind, rate in conditions.extra.items():
            self._plan(int(self._rng.poisson(rate * _TICK_S)), self._probe, kind)
        world.clock.after(_TICK_S, self._tick)

    def _plan(self, n: int, make: Callable[[object], None], subject: object = None) -> None:
        clock, random = self._site.world.clock, self._random.random
        for _ in range(n):
            clock.after(random() * _TICK_S, make, subject)

    def _someone(self) -> Subscriber:
        return self._site.subscribers[int(self._random.random() * len(self._site.subscribers))]

    def _begin(self, errand: Errand | SessionErrand) -> None:
        if errand.is_there():
            errand.start()

    def _call(self, _: object) -> None:
        network, protocol = self._site.world.network, self._site.protocol
        can_come_in = protocol.sessions_come_in and network.transport != "tcp_per_call"
        comes_in = can_come_in and self._random.random() < network.terminating_share
        call = protocol.session(self._site, self._someone(), way=DOWN if comes_in else UP)
        if comes_in:  # the core does not know who is there
            if not self._site.world.conditions.down:
                call.start()
        else:
            self._begin(call)

    def _registration(self, _: object) -> None:
        self._begin(Registration(self._site, self._someone()))

    def _keep_alive(self, _: object) -> None:
        self._begin(KeepAlive(self._site, self._someone()))

    def _message(self, _: object) -> None:
        self._begin(ShortMessage(self._site, self._someone()))

    def _probe(self, kind: object) -> None:
        number = self._random.randrange(self._site.world.conditions.n_attackers)
        Probe(self._site, self._site.attacker(number), str(kind)).start()
