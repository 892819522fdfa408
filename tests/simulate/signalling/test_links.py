"""A link against probability theory and arithmetic."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from traffic_siamese.simulate.signalling.links import Link


def _link(**changes: float) -> Link:
    link = Link(delay_s=0.01, jitter_s=0.0, random=Random(5))
    for name, value in changes.items():
        setattr(link, name, value)
    return link


def _fates(link: Link, n: int) -> list[float | None]:
    return [link.carry(0.001 * i, 100) for i in range(n)]


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_the_share_lost_is_the_share_asked_for(share: float, burst: float) -> None:
    """Within four standard deviations: binomial, wider by the length of the bursts."""
    n = 40_000
    lost = _fates(_link(loss=share, burst_packets=burst), n).count(None)
    deviation = np.sqrt(n * share * (1 - share) * (2 * burst - 1))
    assert abs(lost - n * share) < 4 * deviation


def test_losses_come_in_bursts_of_the_mean_length_asked_for() -> None:
    """The length of a burst is geometric: mean 5, so the mean of 1,000 bursts is within 0.6."""
    fates = _fates(_link(loss=0.1, burst_packets=5.0), 60_000)
    is_lost = np.array([fate is None for fate in fates])
    n_bursts = int(is_lost[0]) + int((is_lost[1:] & ~is_lost[:-1]).sum())
    assert is_lost.sum() / n_bursts == pytest.approx(5.0, abs=0.6)


def test_packets_wait_for_those_before_them() -> None:
    """1,000 bytes at 80 kbit/s take 100 ms each: the third leaves after 300 ms."""
    link = _link(capacity_bps=80_000.0)
    assert [link.carry(0.0, 1000) for _ in range(3)] == pytest.approx([0.11, 0.21, 0.31])


def test_a_full_buffer_drops() -> None:
    """With 150 ms of buffer the packets that would wait 0, 100 ms go, those with 200 ms do not."""
    link = _link(capacity_bps=80_000.0, buffer_s=0.15)
    fates = [link.carry(0.0, 1000) for _ in range(4)]
    assert [fate is None for fate in fates] == [False, False, True, True]


def test_an_overloaded_link_carries_its_capacity() -> None:
    """Offered 160 kbit/s for 100 s, it carries 80 kbit/s: half of the packets, within 1 %."""
    link = _link(capacity_bps=80_000.0, buffer_s=0.5)
    fates = [link.carry(0.05 * i, 1000) for i in range(2000)]
    assert sum(fate is not None for fate in fates) == pytest.approx(1000, rel=0.01)


def test_jitter_has_the_deviation_asked_for_and_keeps_the_order() -> None:
    link = Link(delay_s=0.05, jitter_s=0.004, random=Random(1))
    sent_s = np.arange(5000) * 0.1
    arrived_s = np.array([link.carry(float(time), 100) for time in sent_s])
    assert (np.diff(arrived_s) >= 0).all()
    assert np.mean(arrived_s - sent_s) == pytest.approx(0.05, abs=3e-4)
    assert np.std(arrived_s - sent_s) == pytest.approx(0.004, rel=0.05)


def test_a_blocked_link_carries_nothing_until_it_is_reset() -> None:
    link = _link(blocked=True)
    assert link.carry(0.0, 100) is None
    link.reset()
    assert link.carry(1.0, 100) == pytest.approx(1.01)
