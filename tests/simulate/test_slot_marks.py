import numpy as np
import pytest

from tests.simulate.normal import column, normal_windows
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.simulate.permuted import KINDS, SlotPermutation
from traffic_siamese.simulate.slot_marks import SlotMarks, draw_permutations, slot_marks

REFUSED_CALLS = SlotMarks(failures=("overload",), failing=("session_start",))


def windows(seed: int, load: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return five normal windows of a network, and its normal."""
    normal = normal_windows(40, seed=seed, load=load)
    return normal[:5].copy(), learn_baseline(normal.reshape(-1, normal.shape[-1]))


def marks_of(*networks: tuple[np.ndarray, np.ndarray]) -> SlotMarks:
    return slot_marks([values for values, _ in networks], [normal for _, normal in networks])


def fail(values: np.ndarray, answer: str, counter: str, share: float) -> None:
    """Let a share of one kind's requests fail with an answer, in both directions."""
    rng = np.random.default_rng(1)
    for way in (0, 1):
        done = column(values, way, counter)
        failed = rng.binomial(done.astype(int), share)
        done -= failed
        column(values, way, f"answer_{answer}")[:] += failed


def test_normal_traffic_shows_in_no_slot() -> None:
    assert marks_of(windows(0), windows(1, load=2.0)) == SlotMarks()
    assert not SlotMarks()


@pytest.mark.parametrize(
    ("answer", "counter", "kind"),
    [
        ("overload", "started_sessions", "session_start"),
        ("forbidden", "done_registrations", "registration"),
    ],
)
def test_a_refusal_shows_by_its_answer_and_by_what_it_refuses(
    answer: str, counter: str, kind: str
) -> None:
    networks = [windows(2), windows(3, load=1.5)]
    for values, _ in networks:
        fail(values, answer, counter, 0.7)
    assert marks_of(*networks) == SlotMarks(failures=(answer,), failing=(kind,))
    assert marks_of(*networks)


def test_a_surge_shows_by_its_kind() -> None:
    values, normal = windows(4)
    column(values, 0, "request_registration")[:] *= 8
    column(values, 0, "new_transactions")[:] += 28
    assert marks_of((values, normal)) == SlotMarks(surging=("registration",))


def test_what_hits_all_requests_alike_has_no_slots() -> None:
    """All lost and asked again; all sent twice; or simply more traffic."""
    lost, twice, busy = windows(5), windows(6), windows(7)
    for way in (0, 1):
        for counter in ("answer_success", "answer_challenge", "started_sessions"):
            column(lost[0], way, counter)[:] = 0
        column(lost[0], way, "done_registrations")[:] = 0
        asked = sum(column(lost[0], way, f"request_{kind}") for kind in KINDS)
        for kind in KINDS:
            column(lost[0], way, f"request_{kind}")[:] *= 4
        column(lost[0], way, "retransmitted_requests")[:] = 3 * asked
        for sort in ("requests", "answers"):
            column(twice[0], way, f"retransmitted_{sort}")[:] = 100
        column(twice[0], way, "answer_challenge")[:] *= 5
    busy[0][:] *= 1.6
    for one in (lost, twice, busy):
        assert not marks_of(one)


@pytest.mark.parametrize(
    ("marks", "n"),
    [
        (SlotMarks(failures=("overload",)), 11 * 2 - 1),
        (REFUSED_CALLS, 11 * 3 * 2 - 1),
        (SlotMarks(surging=("registration",)), 5 * 2 - 1),
        (SlotMarks(failing=("session_start",)), 0),
    ],
)
def test_there_are_as_many_faults_as_can_be_told_apart(marks: SlotMarks, n: int) -> None:
    """Each of eleven failures, five kinds and two directions, less the fault itself.

    Requests that fail show whether they are session starts, registrations or neither.
    """
    drawn = draw_permutations({"fault": marks}, 500, np.random.default_rng(0))
    assert len(drawn) == n
    shown = [marks.shown(permutation) for _, permutation in drawn]
    assert len({*shown, marks.shown(SlotPermutation())}) == n + 1


def test_labels_come_up_evenly_and_by_chance_alone() -> None:
    marks = {"a": REFUSED_CALLS, "b": SlotMarks(), "c": REFUSED_CALLS}
    first, again, other = (
        draw_permutations(marks, 60, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert first == again != other
    labels = [label for label, _ in first]
    assert len(first) == 60
    assert set(labels) == {"a", "c"}
    assert 15 <= labels.count("a") <= 45
    assert draw_permutations({"b": SlotMarks()}, 9, np.random.default_rng(0)) == []
