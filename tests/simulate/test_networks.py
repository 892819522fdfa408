import numpy as np
import pytest

from tests.simulate.normal import (
    MESSAGES,
    PLACE,
    UNDIRECTED,
    assert_total,
    column,
    normal_windows,
)
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.features.schema import COUNTERS
from traffic_siamese.features.slots import DIRECTIONS
from traffic_siamese.simulate.counts import TrafficWindows
from traffic_siamese.simulate.mechanisms import Habits, lose_beyond, refuse
from traffic_siamese.simulate.networks import carry_over_tcp, thin_network

HABITS = Habits(
    over_tcp=False, connects_first=False, repeats=1.5, persistence=0.8, dependence=0.5, retries=0.0
)
DELAYS = [name for name in PLACE if name.endswith("_s") or name in UNDIRECTED]


def learned(values: np.ndarray) -> np.ndarray:
    return learn_baseline(values.reshape(-1, values.shape[-1]))


def troubled(n_windows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return windows over UDP with repetitions, answers again and ICMP, and their baseline."""
    normal = normal_windows(n_windows)
    windows = TrafficWindows(normal, np.random.default_rng(1))
    lose_beyond(windows, 0, np.full(normal.shape[:2], 0.5), HABITS)
    refuse(windows, 1, np.full(normal.shape[:2], 0.2), HABITS)
    windows.add(1, "retransmitted_answers", 1.0)
    windows.get(1, "answer_success")[:] += windows.get(1, "retransmitted_answers")
    windows.settle(normal)
    return windows.values.astype(np.float32), learned(normal)


@pytest.mark.parametrize("keep", [0.35, 0.7])
def test_a_smaller_network_keeps_the_mix(keep: float) -> None:
    """Every counter shrinks to ``keep`` in the mean, and so does its baseline; delays stay."""
    normal, before = normal_windows(200), normal_windows(200)
    baseline = learned(normal)
    values, moved = thin_network(normal, baseline, keep, np.random.default_rng(0))
    assert values.dtype == moved.dtype == np.float32
    np.testing.assert_array_equal(normal, before)
    for way, word in enumerate(DIRECTIONS):
        for counter in COUNTERS:
            thinned, usual = (column(v, way, counter.name) for v in (values, normal))
            place = PLACE[f"{word}_{counter.name}"]
            if counter.name == "bytes":
                left = column(values, way, "packets") / column(normal, way, "packets").clip(1)
                np.testing.assert_allclose(thinned, left * usual, rtol=1e-5)
            else:
                assert_total(thinned, keep * usual.sum(dtype=np.float64))
            expected = keep * np.expm1(np.float64(baseline[0, place]))
            assert np.expm1(moved[0, place]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    for name in DELAYS:
        np.testing.assert_array_equal(values[..., PLACE[name]], normal[..., PLACE[name]])
        assert moved[0, PLACE[name]] == baseline[0, PLACE[name]]
    np.testing.assert_array_equal(moved[1], baseline[1])


def test_a_whole_network_is_the_network() -> None:
    normal = normal_windows(5)
    values, moved = thin_network(normal, learned(normal), 1.0, np.random.default_rng(0))
    np.testing.assert_allclose(values, normal, rtol=1e-6)
    np.testing.assert_allclose(moved, learned(normal), rtol=1e-5, atol=1e-6)


def test_a_thinner_bin_is_idle_for_longer() -> None:
    """Each packet that is gone gives back the ninth part; without packets all tenths are idle."""
    sparse = normal_windows(40, load=0.1)
    values, _ = thin_network(sparse, learned(sparse), 0.4, np.random.default_rng(0))
    for way in (0, 1):
        packets = column(values, way, "packets")
        assert (packets == 0).any()
        expected = np.where(packets == 0, 1, 0.9**packets)
        np.testing.assert_allclose(column(values, way, "idle_share"), expected, rtol=1e-5)
    full = normal_windows(4)
    column(full, 0, "idle_share")[:] = 0
    column(full, 0, "packets")[:] = 1
    values, _ = thin_network(full, learned(full), 0.35, np.random.default_rng(0))
    silent = column(values, 0, "packets") == 0
    assert silent.any()
    assert (column(values, 0, "idle_share")[silent] == 1).all()


def test_over_tcp_nothing_is_repeated_as_a_message_nor_refused_by_icmp() -> None:
    """Segments are repeated and connections reset as often as messages were."""
    values, baseline = troubled()
    before = values.copy()
    for seed in range(8):
        carried, _ = carry_over_tcp(values, baseline, np.random.default_rng(seed))
        assert carried.dtype == np.float32
        for way in (0, 1):
            again = column(values, way, "retransmitted_requests")
            again = again + column(values, way, "retransmitted_answers")
            for gone in ("retransmitted_requests", "retransmitted_answers", "icmp_unreachable"):
                assert (column(carried, way, gone) == 0).all()
            np.testing.assert_array_equal(column(carried, way, "tcp_retransmissions"), again)
            np.testing.assert_array_equal(
                column(carried, way, "tcp_rst"), column(values, way, "icmp_unreachable")
            )
            for same in ("repeats", "refusals", "started_sessions"):
                np.testing.assert_array_equal(column(carried, way, same), column(values, way, same))
        np.testing.assert_array_equal(carried[..., -5:], values[..., -5:])
    np.testing.assert_array_equal(values, before)


def kinds_of_hosts() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return what carrying over TCP makes: connections kept, and one for each request."""
    values, baseline = troubled()
    keeping, connecting = [], []
    for seed in range(12):
        carried = carry_over_tcp(values, baseline, np.random.default_rng(seed))
        opens = column(carried[0], 0, "tcp_syn").sum() > 0
        (connecting if opens else keeping).append(carried)
    return keeping, connecting


def test_hosts_that_connect_first_open_a_connection_for_each_request() -> None:
    """Requests never answered were never sent; the baseline knows of the connections."""
    values, baseline = troubled()
    keeping, connecting = kinds_of_hosts()
    assert keeping
    assert connecting
    for carried, moved in connecting:
        for way, word in enumerate(DIRECTIONS):
            asked = column(values, way, "new_transactions").astype(float)
            never = np.minimum(column(values, way, "unanswered_4s"), asked) / np.maximum(asked, 1)
            again = column(values, way, "retransmitted_requests").astype(float)
            again += column(values, way, "retransmitted_answers")
            connections = asked + np.rint(again * never)  # what is repeated is a SYN
            assert_total(column(carried, way, "tcp_syn"), connections.sum())
            assert_total(column(carried, way, "new_transactions"), (asked * (1 - never)).sum())
            places = [PLACE[f"{word}_{name}"] for name in ("tcp_syn", "new_transactions")]
            assert moved[0, places[0]] == pytest.approx(baseline[0, places[1]], rel=1e-5)
    for carried, moved in keeping:
        for way, word in enumerate(DIRECTIONS):
            assert (column(carried, way, "tcp_syn") == 0).all()
            asked, before = (column(v, way, "new_transactions") for v in (carried, values))
            np.testing.assert_array_equal(asked, before)
            place = PLACE[f"{word}_tcp_syn"]
            assert moved[0, place] == baseline[0, place]


def test_messages_without_their_repetitions_are_left() -> None:
    values, _ = troubled()
    carried, _ = kinds_of_hosts()[0][0]
    for way in (0, 1):
        for start, again in (
            ("request_", "retransmitted_requests"),
            ("answer_", "retransmitted_answers"),
        ):
            names = [name for name in MESSAGES if name.startswith(start)]
            sent = sum(column(values, way, name).astype(float) for name in names)
            repeated = np.minimum(column(values, way, again), sent)
            left = sum(column(carried, way, name).astype(float) for name in names)
            assert_total(left, (sent - repeated).sum())


def test_acknowledgements_are_packets_of_the_baseline_too() -> None:
    """From 0.5 to 1.5 a message; windows of normal traffic stay at their moved baseline."""
    normal = normal_windows(200)
    baseline = learned(normal)
    for seed in range(5, 8):
        carried, moved = carry_over_tcp(normal, baseline, np.random.default_rng(seed))
        for way, word in enumerate(DIRECTIONS):
            place = PLACE[f"{word}_packets"]
            usual = sum(np.expm1(baseline[0, PLACE[f"{word}_{name}"]]) for name in MESSAGES)
            more = np.expm1(moved[0, place]) - np.expm1(baseline[0, place])
            assert 0.5 <= more / usual <= 1.5
            for name, floor in (("packets", 1), ("bytes", 1), ("mean_size_bytes", 100)):
                seen = np.log1p(column(carried, way, name).astype(float) / floor).mean()
                assert seen == pytest.approx(moved[0, PLACE[f"{word}_{name}"]], abs=0.15)


@pytest.mark.parametrize("load", [0.1, 1.0])
def test_the_mean_size_is_bytes_over_packets(load: float) -> None:
    """Whatever was done to a network; a bin without packets has no bytes."""
    normal = normal_windows(30, load=load)
    baseline, rng = learned(normal), np.random.default_rng(0)
    carried, moved = carry_over_tcp(normal, baseline, rng)
    for values in (carried, thin_network(carried, moved, 0.5, rng)[0]):
        for way in (0, 1):
            packets, size = column(values, way, "packets"), column(values, way, "bytes")
            some = packets > 0
            mean = column(values, way, "mean_size_bytes")
            np.testing.assert_allclose(mean[some], size[some] / packets[some], rtol=1e-4)
            assert (size[~some] == 0).all()


def test_a_network_with_tcp_is_left_as_it_is() -> None:
    values, _ = troubled()
    column(values, 1, "tcp_syn")[:] = 2
    baseline = learned(values)
    carried, moved = carry_over_tcp(values, baseline, np.random.default_rng(0))
    np.testing.assert_array_equal(carried, values)
    np.testing.assert_array_equal(moved, baseline)
