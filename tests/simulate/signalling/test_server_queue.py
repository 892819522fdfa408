"""The core's queue against queueing theory (Kleinrock, volume 1)."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from traffic_siamese.simulate.signalling.server_queue import ServerQueue

SERVICE_S = 0.01


def _waits(load: float, room: int, n: int = 60_000) -> tuple[np.ndarray, ServerQueue]:
    """Time in the system of Poisson arrivals, those refused left out."""
    random = Random(3)
    queue = ServerQueue(service_s=SERVICE_S, room=room, random=random)
    now_s, spent = 0.0, []
    for _ in range(n):
        now_s += random.expovariate(load / SERVICE_S)
        done_s = queue.admit(now_s)
        if done_s is not None:
            spent.append(done_s - now_s)
    return np.array(spent), queue


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_the_mean_time_in_the_system_is_that_of_mm1(load: float) -> None:
    """1 / (mu - lambda); the samples depend on each other, hence 8 %."""
    spent, _ = _waits(load, room=10**6)
    assert spent.mean() == pytest.approx(SERVICE_S / (1 - load), rel=0.08)


def test_the_time_in_the_system_is_exponential() -> None:
    """M/M/1: P(T > t) = exp(-(mu - lambda) t), so the median is ln 2 times the mean."""
    spent, _ = _waits(0.5, room=10**6)
    assert np.median(spent) == pytest.approx(np.log(2) * SERVICE_S / 0.5, rel=0.05)


@pytest.mark.parametrize(("load", "room"), [(0.8, 5), (1.5, 10)])
def test_the_share_refused_is_that_of_mm1k(load: float, room: int) -> None:
    """(1 - rho) rho^K / (1 - rho^(K+1))."""
    _, queue = _waits(load, room)
    expected = (1 - load) * load**room / (1 - load ** (room + 1))
    assert queue.n_refused / 60_000 == pytest.approx(expected, rel=0.06)


def test_slowdown_and_work_lengthen_the_service() -> None:
    queue = ServerQueue(service_s=SERVICE_S, room=10, random=Random(1))
    queue.slowdown = 3.0
    spent = []
    for i in range(20_000):
        done_s = queue.admit(100.0 * i, work=2.0)
        assert done_s is not None
        spent.append(done_s - 100.0 * i)
    assert np.mean(spent) == pytest.approx(6 * SERVICE_S, rel=0.03)


def test_what_is_forgotten_makes_room() -> None:
    queue = ServerQueue(service_s=100.0, room=2, random=Random(1))
    assert [queue.admit(0.0) is None for _ in range(3)] == [False, False, True]
    queue.clear()
    assert queue.admit(0.0) is not None
