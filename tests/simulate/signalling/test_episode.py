"""Episodes: the series, the capture and the labels belong together, and a seed decides all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.simulate.signalling.simulated import PLAIN, episode, fault, packets, values
from traffic_siamese.features.series import read_series
from traffic_siamese.simulate.signalling.arrivals import day_shape
from traffic_siamese.simulate.signalling.episode import SETTLING_S, simulate_episode
from traffic_siamese.simulate.signalling.fault_model import Onset
from traffic_siamese.simulate.signalling.network_model import NetworkModel
from traffic_siamese.simulate.signalling.transports import TRANSPORTS


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("suffix", [".pcap", ".pcap.zst"])
def test_the_series_is_that_of_the_capture_written(
    tmp_path: Path, transport: str, ipv6: bool, suffix: str
) -> None:
    network = replace(PLAIN, transport=transport, ipv6=ipv6, nat=True)
    one = episode(network, fault("packet_loss", way="both"), length_s=30, onset_s=10, end_s=20)
    path = tmp_path / f"one{suffix}"
    n_bytes = one.write_pcap(path)
    read = read_series(path)
    assert n_bytes == len(b"".join(one.pieces()))
    assert one.log.n_packets == read.n_packets
    assert np.array_equal(one.log.series[0].values, read.series[0].values)
    assert one.log.series[0].start_ns == read.series[0].start_ns


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    broken = fault("registration_storm")
    first, again, other = (
        b"".join(episode(broken=broken, seed=seed).pieces()) for seed in (4, 4, 5)
    )
    assert first == again
    assert first != other


def test_before_its_onset_a_fault_changes_nothing() -> None:
    sound = {p.frame for p in packets(episode()) if p.time_s % 86_400}
    seen = packets(episode(broken=fault("packet_loss", way="both"), onset_s=30, end_s=50))
    begin_s = seen[0].time_s
    before = [p for p in seen if p.time_s - begin_s < 29]
    assert len(before) > 300
    assert all(p.frame in sound for p in before)


def test_labels_say_normal_then_the_fault_then_nothing_then_normal() -> None:
    one = episode(broken=fault("latency", way="both"), length_s=90, onset_s=30, end_s=60)
    spans = [
        ((i.start_ns - one.start_ns) / 1e9, (i.end_ns - one.start_ns) / 1e9, i.label)
        for i in one.intervals
    ]
    after = (60 + SETTLING_S, 90, "normal")
    assert spans == [(0, 30, "normal"), (30, 60, "latency"), after]
    assert {i.network for i in one.intervals} == {"lab"}


def test_a_fault_outside_of_its_stretch_is_refused() -> None:
    with pytest.raises(ValueError, match="from 50 s to 70 s, expected within 0 and 60 s"):
        simulate_episode(PLAIN, fault("latency"), duration_s=60, onset_s=50, end_s=70, seed=1)


def test_lost_packets_are_seen_on_the_near_side_and_not_on_the_far_one() -> None:
    """The same traffic, the same seed: what a blocked link drops is seen by who sends it."""
    broken = fault("blocked", way="up")
    near, far = (
        packets(episode(replace(PLAIN, vantage=side), broken, onset_s=20, end_s=60))
        for side in ("subscribers", "core")
    )
    requests = [
        [p for p in seen if p.payload.startswith(b"REGISTER") and p.time_s - seen[0].time_s > 21]
        for seen in (near, far)
    ]
    assert len(requests[0]) > 50
    assert not requests[1]


def test_arrivals_are_poisson_at_the_rate_asked_for() -> None:
    """Counts per second of a steady kind: variance over mean is 1, but for 8 % of noise."""
    network = replace(PLAIN, keep_alives_per_s=6.0)
    one = episode(network, length_s=600)
    series = one.log.series[0]
    counts = series.values[:600, series.feature_names.index("to_service_request_keep_alive")]
    assert counts.mean() == pytest.approx(6.0, abs=4 * np.sqrt(6.0 / 600))
    assert counts.var() / counts.mean() == pytest.approx(1 + 6 * 0.08**2, abs=0.25)


@pytest.mark.slow
def test_traffic_follows_the_hours_of_the_day() -> None:
    """Twelve hours from the lowest to the peak, swing 0.8: a fifth, and all of it."""
    network = NetworkModel(
        n_subscribers=50, n_addresses=10, calls_per_s=0.001, registrations_per_s=0.001,
        messages_per_s=0.001, keep_alives_per_s=0.5, diurnal=0.8, peak_hour=12.0, swing=0.0,
    )  # fmt: skip
    one = simulate_episode(network, duration_s=45_000, seed=3)
    series = one.log.series[0]
    assert one.start_ns // 10**9 % 86_400 == 0
    counts = series.values[:, series.feature_names.index("to_service_request_keep_alive")]
    assert counts[41_400:45_000].sum() == pytest.approx(1800, rel=0.1)
    assert counts[:1800].sum() == pytest.approx(180, rel=0.25)


def test_the_shape_of_the_day_is_one_at_its_peak_and_lowest_half_a_day_away() -> None:
    network = NetworkModel(diurnal=0.7, peak_hour=18.0)
    hours = np.arange(0, 24, 0.25)
    shape = day_shape(network, hours * 3600)
    assert shape.max() == pytest.approx(1.0)
    assert hours[shape.argmax()] == 18.0
    assert shape[hours == 6.0] == pytest.approx(0.3)
    assert shape.min() >= 0.3 - 1e-9


def test_the_share_of_packets_lost_is_the_share_asked_for() -> None:
    """One way up, seen at the core: keep-alives that arrive at first try, within 4 deviations."""
    network = replace(PLAIN, keep_alives_per_s=20.0, vantage="core", calls_per_s=0.1)
    broken = fault("packet_loss", share=0.25, burst_packets=1.0, way="up")
    one = episode(network, broken, length_s=200, onset_s=50, end_s=190)
    new = values(one, "to_service_request_keep_alive", 60, 180)
    n = 20 * 120 / 0.75  # with its repetitions, each request arrives about once
    assert abs(new / 20 - 1) < 0.08
    seen = packets(one)
    begin_s = seen[0].time_s
    numbers: Counter[bytes] = Counter(
        p.payload
        for p in seen
        if p.payload.startswith(b"OPTIONS") and 60 < p.time_s - begin_s < 180
    )
    sent = episode(replace(network, vantage="subscribers"), broken, length_s=200, onset_s=50,
                   end_s=190)  # fmt: skip
    offered: Counter[bytes] = Counter(
        p.payload
        for p in packets(sent)
        if p.payload.startswith(b"OPTIONS") and 60 < p.time_s - begin_s < 180
    )
    share = 1 - numbers.total() / offered.total()
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / n)


def test_a_ramp_grows_and_a_flap_comes_and_goes() -> None:
    rng = np.random.default_rng(1)
    ramp = list(Onset("ramp", ramp_s=10.0).levels(20.0, rng))
    assert ramp[:3] == [(0, 0), (1, 0.1), (2, 0.2)]
    assert [level for _, level in ramp[10:]] == [1.0] * 10
    flap = list(Onset("flap", up_s=5.0, down_s=2.0).levels(2000.0, rng))
    times, levels = np.array(flap).T
    assert (np.diff(times) >= 0).all()
    assert set(levels[::2]) == {1.0}
    assert set(levels[1::2]) == {0.0}
    assert np.diff(times)[::2].mean() == pytest.approx(2.0, rel=0.1)
    assert np.diff(times)[1:-1:2].mean() == pytest.approx(5.0, rel=0.1)
