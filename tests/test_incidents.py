"""Merging verdicts, against a reading of the rules that looks at all windows again each time."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_siamese.alarms import LabelRule, RateRule, tail_of_log
from traffic_siamese.incidents import IncidentMerger
from traffic_siamese.oneshot.tail import NormalTail, SpanTail
from traffic_siamese.types import Verdict

STRIDE, WINDOW = 10, 40
SETTLES, RECENT = 6, 10  # windows: more than 50 time units of them, within 100


def verdicts(labels, *, capture="c", starts=None, confidence=0.5, reasons=None, distances=None):
    """One window per character; N is normal, U unknown, others are faults."""
    names = {"N": "normal", "U": "unknown"}
    starts = starts or [k * STRIDE for k in range(len(labels))]
    reasons = reasons or [""] * len(labels)
    distances = distances or [0.0] * len(labels)
    return [
        Verdict(
            capture, t, t + WINDOW, names.get(c, c), 0, confidence, "", 0, 0, 0, 0, reason,
            normal_distance=distance,
        )
        for c, t, reason, distance in zip(labels, starts, reasons, distances, strict=True)
    ]  # fmt: skip


def merge_incidents(rows, **settings):
    return IncidentMerger(**settings).merge(rows)


def merge(labels, *, raise_after=2, **settings):
    rows = verdicts(labels)
    found = merge_incidents(rows, stride_ns=STRIDE, rule=LabelRule(raise_after), **settings)
    return [(i.label, i.start_ns, i.end_ns, i.windows) for i in found]


def slow_label(windows, settled):
    named = [c for c in windows if c not in "UN"]
    if settled:
        return settled
    return max(dict.fromkeys(named), key=named.count) if named else "U"


def slow_merge(labels, raise_after, clear_after):
    """Find (label, windows) of each incident; every question is asked of the whole stretch."""
    found, first, settled = [], None, ""
    for now in range(len(labels)):
        if first is None:
            tail = labels[max(0, now - raise_after + 1) : now + 1]
            if len(tail) < raise_after or "N" in tail:
                continue
            first = max((k + 1 for k in range(now) if labels[k] == "N"), default=0)
        if "N" not in labels[now]:
            recent = labels[first : now + 1][-RECENT:].replace("N", "U")
            counts = {c: recent.count(c) for c in recent}
            top = max(counts, key=counts.get)
            if counts[top] >= SETTLES and top != settled:
                if settled:
                    place = now + 1 - len(recent) + recent.index(top)
                    found.append((settled, list(range(first, place))))
                    first = place
                settled = top
            continue
        if now + 1 - first >= clear_after and set(labels[now - clear_after + 1 : now + 1]) == {"N"}:
            last = now - clear_after
            mine = labels[first : last + 1]
            found.append((slow_label(mine, settled), list(range(first, last + 1))))
            first, settled = None, ""
    if first is not None:
        mine = labels[first:].rstrip("N")
        found.append((slow_label(mine, settled), list(range(first, first + len(mine)))))
    return found


@settings(deadline=None)
@given(
    labels=st.lists(st.tuples(st.sampled_from("NUAB"), st.integers(1, 12)), max_size=12).map(
        lambda runs: "".join(c * n for c, n in runs)
    ),
    raise_after=st.integers(1, 4),
    clear_after=st.integers(1, 4),
)
def test_agrees_with_the_slow_reading(labels, raise_after, clear_after):
    found = merge_incidents(
        verdicts(labels), rule=LabelRule(raise_after), clear_after=clear_after, stride_ns=STRIDE
    )
    expected = slow_merge(labels, raise_after, clear_after)
    names = {"U": "unknown"}
    assert [(i.label, i.windows) for i in found] == [
        (names.get(label, label), len(rows)) for label, rows in expected
    ]
    previous = -1
    for incident, (_, rows) in zip(found, expected, strict=True):
        first, last = rows[0] * STRIDE, rows[-1] * STRIDE
        follows = rows[0] == previous + 1 and previous >= 0
        assert incident.start_ns == (first if rows[0] == 0 else first + WINDOW // 2) or follows
        if last // STRIDE == len(labels) - 1:
            assert incident.end_ns == last + WINDOW
        previous = rows[-1]


@settings(deadline=None)
@given(
    labels=st.text("NUAB", max_size=60),
    breaks=st.lists(st.booleans(), min_size=60, max_size=60),
    clear_after=st.integers(1, 3),
)
def test_a_gap_is_the_end_of_one_log_and_the_start_of_another(labels, breaks, clear_after):
    """Merging stretches apart gives the same incidents, but for what a gap has ended."""
    starts, time, stretches = [], 0, [[]]
    for broken in breaks[: len(labels)]:
        time += 10 * WINDOW if broken else STRIDE
        starts.append(time)
    rows = verdicts(labels, starts=starts)
    for row, broken in zip(rows, breaks, strict=False):
        if broken:
            stretches.append([])
        stretches[-1].append(row)
    options = {"clear_after": clear_after, "stride_ns": STRIDE}
    apart = [
        replace(i, is_open=i.is_open and stretch is stretches[-1])
        for stretch in stretches
        for i in merge_incidents(stretch, **options)
    ]
    assert merge_incidents(rows, **options) == apart


@settings(deadline=None)
@given(labels=st.text("NUAB", max_size=60), seed=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_incidents_do_not_overlap(labels, seed):
    rows = verdicts(labels)
    found = merge_incidents(rows, stride_ns=STRIDE)
    seed.shuffle(rows)
    assert merge_incidents(rows, stride_ns=STRIDE) == found
    for earlier, later in pairwise(found):
        assert earlier.start_ns < earlier.end_ns <= later.start_ns < later.end_ns


@settings(deadline=None)
@given(
    distances=st.lists(st.floats(0, 2), max_size=60),
    labels=st.text("NUAB", min_size=60, max_size=60),
)
def test_live_merging_gives_what_merging_all_at_once_gives(distances, labels):
    """By rate, one window pushed after the other; while open, an incident is never forgotten."""
    rows = verdicts(labels[: len(distances)], distances=distances)
    merger = IncidentMerger(stride_ns=STRIDE, rule=RateRule(TAIL), clear_after=3)
    live = [incident for row in rows for incident in merger.push(row)]
    still_open = merger.open_incident
    last = merger.finish()
    assert last == ([still_open] if still_open else [])
    assert live + last == merge_incidents(
        rows, stride_ns=STRIDE, rule=RateRule(TAIL), clear_after=3
    )


def test_a_fault_lies_between_the_midpoints_of_its_windows():
    """Windows 2 to 4 start at 20 and 40, each 40 long."""
    assert merge("NNAAANN") == [("A", 40, 60, 3)]


def test_a_fault_at_the_edge_reaches_to_the_edge():
    assert merge("AAA") == [("A", 0, 60, 3)]


def test_a_flicker_neither_splits_nor_makes_an_incident():
    assert merge("NNANNBNN") == []
    assert merge("NNAABAANN") == [("A", 40, 80, 5)]
    assert merge("NNAAUAANN") == [("A", 40, 80, 5)]
    assert merge("NNAANAANN") == [("A", 40, 80, 5)]


def test_unknown_is_raised_like_a_fault():
    assert merge("NNUUUNN") == [("unknown", 40, 60, 3)]


def test_the_windows_that_a_change_goes_through_belong_to_the_fault():
    """Five windows of 40, ten apart, can see a change; they settle no label."""
    assert merge("NN" + "U" * 5 + "A" * 7 + "B" * 5 + "NN") == [("A", 40, 200, 17)]


def test_one_fault_follows_another():
    """The change lies at the midpoint of the later one's first window."""
    assert merge("NN" + "A" * 7 + "B" * 7 + "NN") == [("A", 40, 110, 7), ("B", 110, 170, 7)]


def test_an_unknown_trouble_before_a_fault_is_an_incident_of_its_own():
    found = merge("NN" + "U" * 9 + "A" * 8 + "NN")
    assert [(label, n) for label, _, _, n in found] == [("unknown", 9), ("A", 8)]


def test_captures_do_not_join():
    rows = verdicts("AA", capture="x") + verdicts("AA", capture="y", starts=[20, 30])
    found = merge_incidents(rows, stride_ns=STRIDE)
    assert [(i.capture, i.windows) for i in found] == [("x", 2), ("y", 2)]


def test_confidence_is_the_labels_mean_and_reason_the_most_common():
    rows = verdicts("AAAB", reasons=["", "late", "late", "odd"])
    rows += verdicts("A", starts=[40], confidence=0.9, reasons=["early"])
    (incident,) = merge_incidents(rows, stride_ns=STRIDE)
    assert incident.confidence == pytest.approx((3 * 0.5 + 0.9) / 4)
    assert incident.reason == "late"


@pytest.mark.parametrize(("n", "runner_up"), [(1, ""), (2, ""), (3, "B")])
def test_an_incident_names_what_most_of_its_windows_might_be_too(n, runner_up):
    rows = verdicts("AAAA")
    rows[:n] = [replace(row, ambiguous=True, second_label="B") for row in rows[:n]]
    assert merge_incidents(rows, stride_ns=STRIDE)[0].second_label == runner_up


def test_live_merging_tells_when_an_incident_opens_and_ends():
    merger = IncidentMerger(stride_ns=STRIDE)
    rows = verdicts("NAANN")
    seen = []
    for row in rows:
        done = merger.push(row)
        opened = merger.open_incident
        seen.append((bool(opened), len(done)))
    assert seen == [(False, 0), (False, 0), (True, 0), (True, 0), (False, 1)]
    assert merger.finish() == []


@pytest.mark.parametrize(("labels", "is_open"), [("NAAANN", False), ("NAAAN", True), ("AA", True)])
def test_what_the_end_of_a_log_cuts_off_is_open(labels, is_open):
    """Two normal windows end an incident; one may be a lull."""
    found = merge_incidents(verdicts(labels), stride_ns=STRIDE)
    assert [incident.is_open for incident in found] == [is_open]


def test_each_log_ends_for_itself():
    rows = verdicts("NAA", capture="a") + verdicts("NAANN", capture="b")
    found = merge_incidents(rows, stride_ns=STRIDE)
    assert [(i.capture, i.is_open) for i in found] == [("a", True), ("b", False)]


def test_a_shuffled_clock_starts_anew():
    """A verdict from before the last one cannot continue its stretch."""
    merger = IncidentMerger(stride_ns=STRIDE)
    late, early = verdicts("AA", starts=[100, 110]), verdicts("A", starts=[0])
    assert [merger.push(row) for row in late] == [[], []]
    (incident,) = merger.push(early[0])
    assert (incident.start_ns, incident.end_ns) == (100, 150)


@pytest.mark.parametrize("name", ["clear_after", "stride_ns"])
def test_settings_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        merge_incidents([], **{"stride_ns": STRIDE, name: 0})
    with pytest.raises(ValueError, match="raise_after is 0"):
        LabelRule(0)


# One window raises from 1.0 on, three in a row from 0.5 on: twice a day at the thresholds 0.3 and
# 0.2, e times less for each further tenth.
TAIL = NormalTail(
    1, 10.0, (SpanTail(1, 0.3, 0.5 * 2.718281828459045**7, 0.1, 0.0),
              SpanTail(3, 0.2, 0.5 * 2.718281828459045**3, 0.1, 0.0)),
)  # fmt: skip


def by_rate(labels, distances, **settings):
    rows = verdicts(labels, distances=distances)
    merger = IncidentMerger(stride_ns=STRIDE, rule=RateRule(TAIL, **settings), clear_after=2)
    raised_at, found = None, []
    for k, row in enumerate(rows):
        found += merger.push(row)
        if raised_at is None and merger.open_incident:
            raised_at = k
    return raised_at, found + merger.finish()


def test_one_window_far_from_normal_raises_at_once():
    raised_at, (incident,) = by_rate("NNUUNN", [0, 0, 1.01, 0.6, 0, 0])
    assert (raised_at, incident.label) == (2, "unknown")
    assert by_rate("NNUNNN", [0, 0, 0.99, 0.4, 0, 0]) == (None, [])


def test_what_is_still_called_normal_must_be_farther():
    assert by_rate("NNNN", [0, 1.39, 0, 0]) == (None, [])
    raised_at, (incident,) = by_rate("NNNN", [0, 1.41, 0, 0])
    assert (raised_at, incident.label) == (1, "unknown")
    assert by_rate("NNNU", [0, 0.69, 0.69, 0.69])[0] == 3
    assert by_rate("NNNN", [0, 0.69, 0.69, 0.69])[0] is None


def test_a_smaller_distance_raises_when_it_lasts():
    raised_at, (incident,) = by_rate("NNUUUNN", [0, 0, 0.51, 0.51, 0.51, 0, 0])
    assert (raised_at, incident.windows) == (4, 3)
    assert by_rate("NNUUUNN", [0, 0, 0.51, 0.49, 0.51, 0, 0]) == (None, [])


def test_a_stricter_rate_raises_later_or_not_at_all():
    """A tenth of the rate moves the distances by ln(10) tenths."""
    assert by_rate("NU", [0, 1.22], per_day=0.1)[0] is None
    assert by_rate("NU", [0, 1.24], per_day=0.1)[0] == 1
    with pytest.raises(ValueError, match="expected a positive number"):
        RateRule(TAIL, per_day=0)


def test_a_log_whose_normal_traffic_lies_far_from_normal_raises_farther():
    """At an even 0.36, 1.2 times the tail's 0.3, what raised from 1.0 on raises from 1.2 on."""
    rows = verdicts("N" * 300 + "U" * 300, distances=[0.36] * 300 + [9.0] * 300)
    wide = tail_of_log(TAIL, rows)
    assert wide.levels(1) == pytest.approx([1.2 * level for level in TAIL.levels(1)])


@pytest.mark.parametrize(
    "labels", ["N" * 299, "N" * 299 + "U", "N" * 300 + "U" * 301, "U" * 600, ""]
)
def test_a_short_log_or_one_that_is_mostly_no_normal_tells_nothing(labels):
    assert tail_of_log(TAIL, verdicts(labels, distances=[0.36] * len(labels))) is TAIL
    assert tail_of_log(None, verdicts(labels)) is None


def test_an_incident_says_how_often_normal_traffic_strays_so_far():
    """Two spans; at a distance of 1.0 each has half an alarm a day."""
    _, (incident,) = by_rate("NUN", [0, 1.0 + 1e-9, 0])
    assert incident.normal_per_day == pytest.approx(1.0, rel=1e-6)


def test_a_fault_called_normal_before_it_is_named_starts_where_it_strays():
    """An eighth of the first window, 20 to 60, shows it, and a quarter of the last, 60 to 100."""
    raised_at, (incident,) = by_rate("NNNAAAANN", [0, 0, 1.41, *[1.5] * 4, 0, 0])
    assert raised_at == 2
    assert (incident.label, incident.start_ns, incident.end_ns) == ("A", 55, 70)


def test_what_is_left_of_a_named_fault_is_no_other_incident():
    """Called normal, but far from it: cleared, and raised again only by another name."""
    left = [1.2] * 6
    _, found = by_rate("NAAA" + "N" * 6, [0, 1.5, 1.5, 1.5, *left])
    assert [i.label for i in found] == ["A"]
    _, found = by_rate("NAAA" + "N" * 6 + "UU", [0, 1.5, 1.5, 1.5, *left, 1.5, 1.5])
    assert [i.label for i in found] == ["A", "unknown"]
    _, found = by_rate("NAAA" + "N" * 6, [0, 1.5, 1.5, 1.5, 1.2, 1.2, 0, 1.2, 1.2, 1.2])
    assert [i.label for i in found] == ["A", "unknown"]


def test_without_a_normal_example_nothing_can_be_said_of_normal_traffic():
    assert by_rate("UUUU", [float("nan")] * 4) == (None, [])
