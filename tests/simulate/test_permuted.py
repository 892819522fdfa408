from itertools import pairwise

import numpy as np
import pytest

from tests.simulate.normal import PLACE, UNDIRECTED, WHOLE, assert_total, column, normal_windows
from traffic_siamese.baseline import learn_baseline, log_view
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS
from traffic_siamese.simulate.permuted import (
    COUNTED,
    FAILURES,
    KINDS,
    SlotPermutation,
    permute_slots,
)

N_TIMESTEPS = 64
REQUESTS = [f"request_{kind}" for kind in REQUEST_KINDS]
ANSWERS = [f"answer_{name}" for name in ANSWER_CLASSES]
IN_SESSIONS = ("request_session_end", "request_cancel", "request_acknowledgement")


def whole(n_windows: int, seed: int = 0) -> np.ndarray:
    """Draw normal windows whose successes are those counted by themselves and two others."""
    values = normal_windows(n_windows, n_timesteps=N_TIMESTEPS, seed=seed)
    rng = np.random.default_rng([seed, 1])
    for way in (0, 1):
        own = column(values, way, "started_sessions") + column(values, way, "done_registrations")
        column(values, way, "answer_success")[:] = own + rng.poisson(2.0, own.shape)
    return values


@pytest.fixture(scope="module")
def baseline() -> np.ndarray:
    values = whole(40, seed=9)
    return learn_baseline(values.reshape(-1, values.shape[-1]))


@pytest.fixture(scope="module")
def faulty() -> np.ndarray:
    """One window: six 503 a second from the service, one to it, half as many sessions start."""
    values = whole(1, seed=3)[0]
    rng = np.random.default_rng(5)
    column(values, 1, "answer_overload")[:] += rng.poisson(6.0, N_TIMESTEPS)
    column(values, 0, "answer_overload")[:] += rng.poisson(1.0, N_TIMESTEPS)
    for way in (0, 1):
        started = column(values, way, "started_sessions")
        kept = rng.binomial(started.astype(int), 0.5)
        column(values, way, "answer_success")[:] -= started - kept
        started[:] = kept
    return values


def turned(names: tuple[str, ...], by: int = 1) -> tuple[str, ...]:
    return names[by:] + names[:by]


def exchanged(names: tuple[str, ...], one: str, other: str) -> tuple[str, ...]:
    return tuple({one: other, other: one}.get(name, name) for name in names)


def permute(
    values: np.ndarray, baseline: np.ndarray, permutation: SlotPermutation, seed: int = 0, **how
) -> tuple[np.ndarray, np.ndarray]:
    return permute_slots(values, baseline, permutation, np.random.default_rng(seed), **how)


def any_permutation(seed: int) -> SlotPermutation:
    rng = np.random.default_rng([seed, 77])
    return SlotPermutation(
        tuple(rng.permutation(KINDS).tolist()), tuple(rng.permutation(FAILURES).tolist())
    )


def relative(values: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    return log_view(values) - baseline[0]


def test_what_stays_in_its_slot_stays_as_it_is(faulty: np.ndarray, baseline: np.ndarray) -> None:
    values, moved = permute(faulty, baseline, SlotPermutation(), normal=whole(1)[0])
    np.testing.assert_array_equal(values, faulty)
    np.testing.assert_array_equal(moved, baseline)
    assert values.dtype == moved.dtype == np.float32


def test_requests_deviate_by_as_much_in_their_new_slot(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    """Slot by slot and bin by bin, in both directions; the spread of normal goes along."""
    kinds = turned(KINDS)
    values, moved = permute(faulty, baseline, SlotPermutation(kinds=kinds))
    before, after = relative(faulty, baseline), relative(values, moved)
    for way in DIRECTIONS:
        for kind, target in zip(KINDS, kinds, strict=True):
            old, new = PLACE[f"{way}_request_{kind}"], PLACE[f"{way}_request_{target}"]
            np.testing.assert_array_equal(after[:, new], before[:, old])
            assert moved[1, new] == baseline[1, old]


def test_failures_of_the_fault_move_and_leave_nothing(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    """On a network that never sees 503 or 404 all of them move, bin by bin; normal is the same."""
    never = baseline.copy()
    for way in DIRECTIONS:
        for name in ("overload", "forbidden"):
            never[:, PLACE[f"{way}_answer_{name}"]] = 0
    failures = exchanged(FAILURES, "overload", "forbidden")
    values, moved = permute(faulty, never, SlotPermutation(failures=failures))
    for way in (0, 1):
        for old, new in (("overload", "forbidden"), ("forbidden", "overload")):
            np.testing.assert_array_equal(
                column(values, way, f"answer_{new}"), column(faulty, way, f"answer_{old}")
            )
    np.testing.assert_array_equal(moved, never)
    touched = [PLACE[f"{way}_answer_{n}"] for way in DIRECTIONS for n in ("overload", "forbidden")]
    untouched = np.setdiff1d(np.arange(faulty.shape[1]), touched)
    np.testing.assert_array_equal(values[:, untouched], faulty[:, untouched])


def test_of_failures_that_are_normal_too_only_the_rest_moves(baseline: np.ndarray) -> None:
    """Four challenges a bin are normal: of sixteen a quarter stays; of six they all stay."""
    failures = exchanged(FAILURES, "challenge", "timeout")
    for rate, moving in ((16.0, 0.75), (6.0, 0.0)):
        values = whole(1)[0]
        challenges = column(values, 0, "answer_challenge")
        challenges[:] = np.random.default_rng(1).poisson(rate, N_TIMESTEPS)
        normal_rate = np.expm1(np.float64(baseline[0, PLACE["to_service_answer_challenge"]]))
        assert normal_rate == pytest.approx(4, rel=0.15)
        permuted, _ = permute(values, baseline, SlotPermutation(failures=failures))
        timeouts = column(permuted, 0, "answer_timeout")
        assert_total(timeouts, moving * challenges.sum())
        np.testing.assert_array_equal(
            timeouts + column(permuted, 0, "answer_challenge"), challenges
        )


def test_where_messages_are_repeated_more_answers_say_nothing(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    """Most requests are sent again, and so are their answers: no failure moves."""
    repeated = faulty.copy()
    sent = sum(column(repeated, 0, name) for name in REQUESTS)
    column(repeated, 0, "retransmitted_requests")[:] = np.ceil(0.6 * sent)
    values, _ = permute(repeated, baseline, SlotPermutation(failures=turned(FAILURES)))
    np.testing.assert_array_equal(
        column(values, 1, "answer_overload"), column(repeated, 1, "answer_overload")
    )
    assert (column(values, 0, "answer_overload") == 0).any()


@pytest.mark.parametrize("seed", range(6))
def test_sums_stay_and_counts_stay_whole(
    faulty: np.ndarray, baseline: np.ndarray, seed: int
) -> None:
    """Requests, answers and new transactions of each bin; successes counted are successes."""
    values, _ = permute(faulty, baseline, any_permutation(seed), seed=seed)
    for way in (0, 1):
        for names in (REQUESTS, ANSWERS):
            totals = [sum(column(v, way, name) for name in names) for v in (values, faulty)]
            np.testing.assert_array_equal(*totals)
        for name in ("new_transactions", "packets", "bytes", "answer_success"):
            np.testing.assert_array_equal(column(values, way, name), column(faulty, way, name))
        own = column(values, way, "started_sessions") + column(values, way, "done_registrations")
        assert (own <= column(values, way, "answer_success")).all()
    assert (values[:, WHOLE] == np.rint(values[:, WHOLE])).all()
    assert values.min() >= 0


def test_successes_go_with_their_requests(faulty: np.ndarray, baseline: np.ndarray) -> None:
    """Two kinds that are both counted exchange their counters, and these their normal."""
    kinds = exchanged(KINDS, "session_start", "registration")
    values, moved = permute(faulty, baseline, SlotPermutation(kinds=kinds))
    names = list(COUNTED.values())
    for way, word in enumerate(DIRECTIONS):
        for old, new in pairwise([*names, names[0]]):
            np.testing.assert_array_equal(column(values, way, new), column(faulty, way, old))
            np.testing.assert_array_equal(
                moved[:, PLACE[f"{word}_{new}"]], baseline[:, PLACE[f"{word}_{old}"]]
            )


def test_successes_that_are_not_counted_alone_are_shared_by_requests(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    """Registrations become messages: of two other successes a bin those get their share.

    By requests: one message, beside two session ends, 0.3 cancels, one keep-alive and 0.2 others.
    """
    kinds = exchanged(KINDS, "message", "registration")
    values, moved = permute(faulty, baseline, SlotPermutation(kinds=kinds))
    for way, word in enumerate(DIRECTIONS):
        asked = {kind: column(faulty, 1 - way, f"request_{kind}").sum() for kind in REQUEST_KINDS}
        others = sum(asked[k] for k in ("session_end", "cancel", "keep_alive", "message", "other"))
        left = column(faulty, way, "answer_success") - column(faulty, way, "started_sessions")
        left = left - column(faulty, way, "done_registrations")
        done = column(values, way, "done_registrations")
        assert_total(done, left.sum() * asked["message"] / others)
        assert (done <= left).all()
        np.testing.assert_array_equal(
            column(values, way, "started_sessions"), column(faulty, way, "started_sessions")
        )
        normal = np.log1p(np.random.default_rng(0).poisson(2 * 1 / 4.5, 100_000))
        place = PLACE[f"{word}_done_registrations"]
        np.testing.assert_allclose(moved[:, place], [normal.mean(), normal.std()], atol=0.08)


@pytest.mark.parametrize("seed", range(6))
def test_normal_traffic_stays_normal(baseline: np.ndarray, seed: int) -> None:
    """No feature's mean leaves normal by more than a quarter of its logarithm."""
    permutation = any_permutation(seed)
    normal = whole(21, seed=seed)
    away = []
    for number, (window, other) in enumerate(pairwise(normal)):
        values, moved = permute(window, baseline, permutation, seed=number, normal=other)
        away.append(relative(values, moved).mean(axis=0))
    assert np.abs(np.mean(away, axis=0)).max() < 0.25


@pytest.mark.parametrize("left", [0.0, 0.5, 1.0])
def test_sessions_fail_inside_as_often_as_they_fail_to_start(
    baseline: np.ndarray, left: float
) -> None:
    """Registrations of which a share is done become session starts: so much goes on in sessions."""
    values, normal = whole(2, seed=4)
    for way in (0, 1):
        done = column(values, way, "done_registrations")
        kept = np.random.default_rng(way).binomial(done.astype(int), left)
        column(values, way, "answer_success")[:] -= done - kept
        done[:] = kept
    kinds = exchanged(KINDS, "session_start", "registration")
    permuted, _ = permute(values, baseline, SlotPermutation(kinds=kinds), normal=normal)
    for way in (0, 1):
        for name in (*IN_SESSIONS, "answer_provisional"):
            rest = column(permuted, way, name)
            assert (rest <= column(normal, way, name)).all()
            share = max(left, 0.035) * column(normal, way, name).sum()
            assert abs(rest.sum() - share) <= 5 * np.sqrt(share) + 0.08 * share
        more = sum(column(permuted, way, name) - column(values, way, name) for name in IN_SESSIONS)
        expected = np.maximum(column(values, way, "new_transactions") + more, 0)
        np.testing.assert_array_equal(column(permuted, way, "new_transactions"), expected)
        size = column(permuted, way, "mean_size_bytes") * column(permuted, way, "packets")
        np.testing.assert_allclose(size, column(permuted, way, "bytes"), rtol=1e-4, atol=1e-3)


def test_directions_change_places_with_their_normal(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    """Every directed feature, found by its name; what has no direction stays."""
    values, moved = permute(faulty, baseline, SlotPermutation(swaps_directions=True))
    for name, place in PLACE.items():
        way = next((word for word in DIRECTIONS if name.startswith(word)), None)
        other = place
        if way is not None:
            other = PLACE[f"{DIRECTIONS[1 - DIRECTIONS.index(way)]}{name.removeprefix(way)}"]
        assert (other == place) == (name in UNDIRECTED)
        np.testing.assert_array_equal(values[:, place], faulty[:, other])
        np.testing.assert_array_equal(moved[:, place], baseline[:, other])


def test_chance_alone_decides_and_nothing_is_written_to(
    faulty: np.ndarray, baseline: np.ndarray
) -> None:
    before, normal = (faulty.copy(), baseline.copy()), whole(1)[0]
    first, again, other = (
        permute(faulty, baseline, any_permutation(1), seed=seed, normal=normal)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()
    np.testing.assert_array_equal(faulty, before[0])
    np.testing.assert_array_equal(baseline, before[1])
