"""Each mechanism against what it promises: totals over many bins against their closed form."""

import dataclasses

import numpy as np
import pytest

from tests.simulate.normal import MESSAGES, PLACE, assert_total, column, normal_windows
from traffic_siamese.features.schema import COUNTERS, FEATURES
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS
from traffic_siamese.simulate import mechanisms as act
from traffic_siamese.simulate.counts import TrafficWindows

UDP = act.Habits(
    over_tcp=False,
    connects_first=False,
    repeats=1.5,
    persistence=0.7,
    dependence=0.6,
    retries=0.0,
)
TCP = dataclasses.replace(UDP, over_tcp=True)
CONNECTING = dataclasses.replace(TCP, connects_first=True)
REQUESTS = [f"request_{kind}" for kind in REQUEST_KINDS]
ANSWERS = [f"answer_{name}" for name in ANSWER_CLASSES] + ["started_sessions", "done_registrations"]
DEPENDENT = ["request_session_end", "request_acknowledgement", "request_cancel"]
LATE = ["first_answer_delay_p95_s", "final_answer_delay_p95_s", "first_answer_delay_std_s"]
SHARE = 0.6


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    """300 windows of 32 bins; not to be changed."""
    return normal_windows(300)


def run(mechanism, normal, *arguments, seed: int = 0, **options) -> np.ndarray:
    """Return the windows that a mechanism makes of normal ones."""
    windows = TrafficWindows(normal, np.random.default_rng(seed))
    mechanism(windows, *arguments, **options)
    return windows.values


def share_of(normal: np.ndarray, share: float = SHARE) -> np.ndarray:
    return np.full(normal.shape[:2], share)


def total(values: np.ndarray, way: int, name: str) -> float:
    return float(column(values, way, name).sum(dtype=np.float64))


def changed(before: np.ndarray, after: np.ndarray) -> set[tuple[int, str]]:
    """Return (direction or 2, name) of the features that are not what they were."""
    found = set()
    for name, place in PLACE.items():
        if (before[..., place] == after[..., place]).all():
            continue
        way = next((i for i, word in enumerate(DIRECTIONS) if name.startswith(word)), 2)
        found.add((way, name.removeprefix(f"{DIRECTIONS[way]}_") if way < 2 else name))
    return found


def named(way: int, *names: str) -> set[tuple[int, str]]:
    return {(way, name) for name in names}


@pytest.mark.parametrize("way", [0, 1])
def test_requests_lost_beyond_are_seen_and_not_answered(normal: np.ndarray, way: int) -> None:
    """Answers shrink to 1 - share; each lost request is counted unanswered."""
    after = run(act.lose_beyond, normal, way, share_of(normal), UDP)
    for name in ANSWERS:
        assert_total(column(after, 1 - way, name), (1 - SHARE) * total(normal, 1 - way, name))
    asked = total(normal, way, "new_transactions")
    assert_total(column(after, way, "unanswered_t1"), SHARE * asked)
    assert_total(column(after, way, "unanswered_4s"), SHARE * asked * UDP.persistence)
    np.testing.assert_array_equal(
        column(after, way, "new_transactions"), column(normal, way, "new_transactions")
    )
    allowed = named(way, *REQUESTS, "unanswered_t1", "unanswered_4s", "repeats", *LATE)
    allowed |= named(way, "retransmitted_requests") | named(1 - way, *ANSWERS)
    assert changed(normal, after) <= allowed


def test_over_udp_messages_of_every_kind_are_repeated(normal: np.ndarray) -> None:
    """A window's repetitions fall on kinds as its requests do; a slow loop adds them up."""
    after = run(act.lose_beyond, normal, 0, share_of(normal), UDP)
    again = SHARE * UDP.repeats * total(normal, 0, "new_transactions")
    for name in ("repeats", "retransmitted_requests"):
        assert_total(column(after, 0, name), again)
    for name in set(REQUESTS) - set(DEPENDENT):
        expected = 0.0
        for window in normal:
            sent = {kind: float(column(window, 0, kind).sum()) for kind in REQUESTS}
            repeated = SHARE * UDP.repeats * float(column(window, 0, "new_transactions").sum())
            expected += sent[name] + repeated * (sent[name] + 0.01) / (sum(sent.values()) + 0.08)
        assert_total(column(after, 0, name), expected)


def test_what_depends_on_an_answer_comes_less_often(normal: np.ndarray) -> None:
    """Without repetitions, later requests of a session shrink to 1 - share * dependence."""
    habits = dataclasses.replace(UDP, repeats=0.0)
    after = run(act.lose_beyond, normal, 0, share_of(normal), habits)
    for name in DEPENDENT:
        assert_total(column(after, 0, name), (1 - SHARE * 0.6) * total(normal, 0, name))


def test_over_tcp_segments_are_repeated_and_no_message(normal: np.ndarray) -> None:
    after = run(act.lose_beyond, normal, 0, share_of(normal), TCP)
    again = SHARE * TCP.repeats * total(normal, 0, "new_transactions")
    for name in ("repeats", "tcp_retransmissions"):
        assert_total(column(after, 0, name), again)
    np.testing.assert_array_equal(
        column(after, 0, "packets") - column(normal, 0, "packets"),
        column(after, 0, "tcp_retransmissions"),
    )
    assert total(after, 0, "retransmitted_requests") == 0
    for name in set(REQUESTS) - set(DEPENDENT):
        np.testing.assert_array_equal(column(after, 0, name), column(normal, 0, name))


def test_nothing_is_answered_when_all_is_lost(normal: np.ndarray) -> None:
    after = run(act.lose_beyond, normal, 0, share_of(normal, 1.0), UDP)
    assert all(total(after, 1, name) == 0 for name in ANSWERS)
    for name in LATE:
        np.testing.assert_array_equal(column(after, 0, name), column(normal, 0, name))


def test_hosts_that_connect_first_send_no_requests(normal: np.ndarray) -> None:
    """They try to connect again and again instead, and nothing is unanswered."""
    after = run(act.lose_beyond, normal, 0, share_of(normal, 1.0), CONNECTING)
    assert all(total(after, 0, name) == 0 for name in [*REQUESTS, "new_transactions"])
    assert total(after, 0, "unanswered_t1") == total(after, 0, "unanswered_4s") == 0
    attempts = CONNECTING.repeats * total(normal, 0, "new_transactions")
    for name in ("tcp_syn", "tcp_retransmissions", "repeats"):
        assert_total(column(after, 0, name), attempts)


def test_where_some_messages_are_lost_others_are_answered_late(normal: np.ndarray) -> None:
    """The 95th percentile becomes a repetition's wait, at least 0.3 * 0.7 s."""
    after = run(act.lose_beyond, normal, 0, share_of(normal, 0.3), UDP)
    for name in ("first_answer_delay_p95_s", "final_answer_delay_p95_s"):
        late = column(after, 0, name)
        assert late.min() >= 0.21
        assert late.max() <= 1.2 * 1.3
    assert column(after, 0, "first_answer_delay_std_s").mean() > 0.1


@pytest.mark.parametrize("way", [0, 1])
def test_packets_lost_before_are_not_seen(normal: np.ndarray, way: int) -> None:
    """Every counter of the direction shrinks to 1 - share; the other way waits for answers."""
    after = run(act.lose_before, normal, way, share_of(normal), UDP)
    waited = {"unanswered_t1", "unanswered_4s", "repeats", "retransmitted_requests"}
    for counter in COUNTERS:
        before = total(normal, way, counter.name)
        assert_total(column(after, way, counter.name), (1 - SHARE) * before)
    for name in ANSWERS:
        assert_total(column(after, 1 - way, name), (1 - SHARE) * total(normal, 1 - way, name))
    asked = total(normal, 1 - way, "new_transactions")
    assert_total(column(after, 1 - way, "unanswered_t1"), SHARE * asked)
    assert_total(column(after, 1 - way, "repeats"), SHARE * asked * UDP.repeats)
    sent = sum(total(normal, 1 - way, name) for name in REQUESTS) + SHARE * asked * UDP.repeats
    assert_total(sum(column(after, 1 - way, name) for name in REQUESTS), sent)
    allowed = named(way, *(counter.name for counter in COUNTERS))
    allowed |= named(1 - way, *ANSWERS, *REQUESTS, *waited, *LATE)
    assert changed(normal, after) <= allowed


def test_a_delay_is_added_to_every_answer(normal: np.ndarray) -> None:
    """0.2 s on the median, 1.8 times as much on the 95th percentile; nobody repeats yet."""
    added_s = np.full(normal.shape[:2], 0.2)
    after = run(act.slow_down, normal, 0, added_s, UDP, tail=1.8, jitter=0.5)
    for name, more_s in {
        "first_answer_delay_median_s": 0.2,
        "final_answer_delay_median_s": 0.2,
        "first_answer_delay_p95_s": 0.36,
        "final_answer_delay_p95_s": 0.36,
        "first_answer_delay_std_s": 0.1,
    }.items():
        change = column(after, 0, name) - column(normal, 0, name)
        assert change.mean() == pytest.approx(more_s, rel=0.01)
        assert change.min() > 0.69 * more_s
    assert {name for _, name in changed(normal, after)} <= {*LATE} | {
        "first_answer_delay_median_s",
        "final_answer_delay_median_s",
    }
    assert {way for way, _ in changed(normal, after)} == {0}


def test_who_waits_long_repeats(normal: np.ndarray) -> None:
    """Beyond 0.65 s every request is repeated, twice at most."""
    added_s = np.full(normal.shape[:2], 1.0)
    habits = dataclasses.replace(UDP, repeats=9.0)
    after = run(act.slow_down, normal, 1, added_s, habits, tail=1.0, jitter=0.1)
    asked = total(normal, 1, "new_transactions")
    assert_total(column(after, 1, "unanswered_t1"), asked)
    assert_total(column(after, 1, "repeats"), 2 * asked)
    assert total(after, 1, "unanswered_4s") == 0


@pytest.mark.parametrize("answer", ["challenge", "overload"])
def test_failing_registrations_are_answered_so_and_not_done(
    normal: np.ndarray, answer: str
) -> None:
    habits = dataclasses.replace(UDP, retries=0.5)
    after = run(
        act.fail_requests, normal, 0, share_of(normal), habits, kind="registration", answer=answer
    )
    asked = total(normal, 0, "request_registration")
    again = SHARE * 0.5 * asked
    assert_total(
        column(after, 1, "done_registrations"), 0.4 * total(normal, 1, "done_registrations")
    )
    assert_total(column(after, 0, "request_registration"), asked + again)
    more = total(normal, 0, "new_transactions") + again
    assert_total(column(after, 0, "new_transactions"), more)
    failed = SHARE * asked + again
    if answer == "overload":
        assert_total(column(after, 1, "answer_overload"), failed)
    else:
        assert_total(
            column(after, 1, "answer_challenge"), failed + total(normal, 1, "answer_challenge")
        )
    kinds = [column(normal, 0, f"request_{kind}").astype(float) for kind in REQUEST_KINDS[:6]]
    lost = SHARE * kinds[3] / (sum(kinds) + 0.01)
    kept = float((column(normal, 1, "answer_success") * (1 - lost)).sum())
    assert_total(column(after, 1, "answer_success"), kept)
    for name in ("started_sessions", "answer_provisional"):
        np.testing.assert_array_equal(column(after, 1, name), column(normal, 1, name))


def test_sessions_that_fail_to_start_do_not_end_either(normal: np.ndarray) -> None:
    after = run(
        act.fail_requests,
        normal,
        0,
        share_of(normal),
        UDP,
        kind="session_start",
        answer="not_found",
    )
    less = 1 - SHARE * UDP.dependence
    for way in (0, 1):
        started = total(normal, way, "started_sessions")
        assert_total(column(after, way, "started_sessions"), (1 - SHARE) * started)
        ended = total(normal, way, "request_session_end")
        assert_total(column(after, way, "request_session_end"), less * ended)
    for name in ("answer_provisional", "request_session_start"):
        assert_total(column(after, 1, name), less * total(normal, 1, name))
    failed = total(normal, 1, "answer_not_found")
    failed += SHARE * total(normal, 0, "request_session_start")
    assert_total(column(after, 1, "answer_not_found"), failed)
    np.testing.assert_array_equal(
        column(after, 0, "request_session_start"), column(normal, 0, "request_session_start")
    )


@pytest.mark.parametrize("kind", ["registration", "session_start", "message"])
def test_a_surge_adds_requests_with_their_answers(normal: np.ndarray, kind: str) -> None:
    """Five times the window's mean plus 0.2 a bin; 40 % of them succeed."""
    wave = act.Surge(kind=kind, success_share=0.4, spread=0.5, concentration=0.8)
    after = run(act.surge, normal, 0, share_of(normal, 5.0), wave)
    more = 5 * (total(normal, 0, f"request_{kind}") + 0.2 * normal.shape[0] * normal.shape[1])
    for way, name, added in [
        (0, f"request_{kind}", more),
        (0, "new_transactions", more),
        (1, "answer_success", 0.4 * more),
        (1, "answer_challenge", 0.6 * more * (kind == "registration")),
        (1, "done_registrations", 0.4 * more * (kind == "registration")),
        (1, "answer_provisional", more * (kind == "session_start")),
        (1, "started_sessions", 0.4 * more * (kind == "session_start")),
    ]:
        assert_total(column(after, way, name) - column(normal, way, name), added)
    growth = np.log1p(5.0) * 0.5
    for name, factor in {
        "active_endpoints": np.exp(0.3 * growth),
        "targets_per_source": np.exp(0.8 * growth),
        "source_entropy_bits": np.exp(-0.24 * growth),
    }.items():
        np.testing.assert_allclose(
            after[..., PLACE[name]], factor * normal[..., PLACE[name]], rtol=1e-6
        )
    assert after[..., PLACE["busiest_source_share"]].max() <= 1


def test_udp_requests_are_refused_by_icmp(normal: np.ndarray) -> None:
    after = run(act.refuse, normal, 0, share_of(normal), UDP)
    refused = SHARE * total(normal, 0, "new_transactions")
    for name in ("refusals", "icmp_unreachable"):
        assert_total(column(after, 1, name), refused * UDP.repeats)
    for name in ("unanswered_t1", "unanswered_4s"):
        assert_total(column(after, 0, name), refused)
    assert_total(column(after, 1, "answer_success"), 0.4 * total(normal, 1, "answer_success"))
    assert total(after, 1, "tcp_rst") == total(after, 0, "tcp_syn") == 0


def test_tcp_connections_are_reset_before_a_request_is_sent(normal: np.ndarray) -> None:
    after = run(act.refuse, normal, 0, share_of(normal), TCP)
    attempts = SHARE * total(normal, 0, "new_transactions") * TCP.repeats
    for way, name in ((1, "refusals"), (1, "tcp_rst"), (0, "tcp_syn")):
        assert_total(column(after, way, name), attempts)
    for name in (*REQUESTS, "new_transactions"):
        assert_total(column(after, 0, name), 0.4 * total(normal, 0, name))
    assert total(after, 0, "unanswered_t1") == total(after, 1, "icmp_unreachable") == 0


def test_a_scattered_fault_shifts_logarithms_of_its_features_alone(normal: np.ndarray) -> None:
    """log(1 + v / floor) rises by shift * share, not below 0; counts stay counts."""
    names = ["to_service_mean_size_bytes", "to_service_request_message", "source_entropy_bits"]
    places, shifts = [PLACE[name] for name in names], [1.2, 2.0, -9.0]
    after = run(act.scatter, normal, share_of(normal, 0.5), places, shifts)
    sizes = normal[..., places[0]].astype(float)
    expected = np.expm1(np.log1p(sizes / 100) + 0.6) * 100
    np.testing.assert_allclose(after[..., places[0]], expected, rtol=1e-6)
    counts = np.expm1(np.log1p(normal[..., places[1]].astype(float)) + 1.0).sum()
    assert_total(after[..., places[1]], float(counts))
    assert (after[..., places[1]] % 1 == 0).all()
    assert (after[..., places[2]] == 0).all()
    others = [place for place in range(len(FEATURES)) if place not in places]
    np.testing.assert_array_equal(after[..., others], normal[..., others])


def test_a_share_of_nothing_changes_nothing(normal: np.ndarray) -> None:
    none = share_of(normal, 0.0)
    for mechanism in (act.lose_beyond, act.lose_before, act.refuse):
        for habits in (UDP, TCP, CONNECTING):
            np.testing.assert_array_equal(run(mechanism, normal, 0, none, habits), normal)
    after = run(act.fail_requests, normal, 0, none, UDP, kind="message", answer="timeout")
    np.testing.assert_array_equal(after, normal)
    after = run(act.slow_down, normal, 0, none, UDP, tail=2.0, jitter=1.0)
    np.testing.assert_array_equal(after, normal)
    after = run(act.scatter, normal, none, [PLACE["session_length_mean_s"]], [2.0])
    np.testing.assert_allclose(after, normal, rtol=1e-6)


def test_packets_bytes_and_idle_follow_the_messages() -> None:
    """Twice the messages: twice the packets and bytes, idle tenths 0.9 to the new packets."""
    before = np.zeros((1, 3, len(FEATURES)))
    for name, value in (("packets", 10), ("bytes", 1000), ("idle_share", 0.5)):
        column(before, 0, name)[:] = value
    column(before, 0, "request_message")[:] = 9.5
    windows = TrafficWindows(before, np.random.default_rng(0))
    windows.get(0, "request_message")[0] = (19.5, 9.5, 4.5)
    windows.settle(before)
    np.testing.assert_allclose(windows.get(0, "packets")[0], [20, 10, 5])
    np.testing.assert_allclose(windows.get(0, "bytes")[0], [2000, 1000, 500])
    np.testing.assert_allclose(windows.get(0, "idle_share")[0], [0.5 * 0.9**10, 0.5, 0.5 * 0.9**-5])


def test_segments_without_messages_are_bare() -> None:
    """Four packets of 100 bytes and six of 66; the mean size is that of all ten."""
    before = np.zeros((1, 1, len(FEATURES)))
    for name, value in (("packets", 4), ("bytes", 400), ("request_message", 4)):
        column(before, 0, name)[:] = value
    windows = TrafficWindows(before, np.random.default_rng(0))
    windows.get(0, "packets")[:] += 6
    windows.settle(before)
    assert windows.get(0, "bytes")[0, 0] == 400 + 6 * 66
    assert windows.get(0, "mean_size_bytes")[0, 0] == pytest.approx(79.6)


def test_a_bin_left_without_packets_is_idle() -> None:
    before = normal_windows(20, load=0.3)
    windows = TrafficWindows(before, np.random.default_rng(0))
    windows.keep(0, tuple(counter.name for counter in COUNTERS), 0.0)
    windows.settle(windows.values * 0 + before)
    silent = windows.get(0, "packets") == 0
    assert silent.all()
    assert (windows.get(0, "idle_share") == 1).all()
    assert (windows.get(0, "bytes") == 0).all()
    assert all(windows.get(0, name).sum() == 0 for name in MESSAGES)


def test_added_events_are_poisson_and_kept_ones_binomial(normal: np.ndarray) -> None:
    """Mean and variance of a Poisson number are equal; a kept share's variance is n p (1 - p)."""
    windows = TrafficWindows(normal * 0, np.random.default_rng(0))
    windows.add(1, "fragments", 6.0)
    counts = windows.get(1, "fragments")
    assert counts.mean() == pytest.approx(6, abs=5 * np.sqrt(6 / counts.size))
    assert counts.var() == pytest.approx(6, rel=0.1)
    windows.get(1, "fragments")[:] = 20
    windows.keep(1, ("fragments",), 0.3)
    assert counts.mean() == pytest.approx(6, abs=5 * np.sqrt(4.2 / counts.size))
    assert counts.var() == pytest.approx(4.2, rel=0.1)
