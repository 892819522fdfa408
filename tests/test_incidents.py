"""Merging verdicts, against a reading of the rules that looks at all windows at once."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.incidents import (
    IncidentMerger,
    absorb_transitions,
    merge_incidents,
    window_midpoint_ns,
)
from traffic_siamese.types import Incident, Verdict

STRIDE, WINDOW = 10, 40


def verdicts(labels, *, capture="c", starts=None, confidence=0.5, reasons=None):
    """One window per character; N is normal, U unknown, others are faults."""
    names = {"N": "normal", "U": "unknown"}
    starts = starts or [k * STRIDE for k in range(len(labels))]
    reasons = reasons or [""] * len(labels)
    return [
        Verdict(capture, t, t + WINDOW, names.get(c, c), 0, confidence, "", 0, 0, 0, 0, reason)
        for c, t, reason in zip(labels, starts, reasons, strict=True)
    ]


def merge(labels, **settings):
    found = merge_incidents(verdicts(labels), stride_ns=STRIDE, **settings)
    return [(i.label, i.start_ns, i.end_ns, i.windows) for i in found]


def slow_stretch(labels, raise_after, clear_after):
    """Find each incident by scanning: (label, own windows)."""
    found, position, n = [], 0, len(labels)
    while position < n:
        run_end = position
        while run_end < n and labels[run_end] == labels[position]:
            run_end += 1
        if labels[position] == "N" or run_end - position < raise_after:
            position = run_end
            continue
        label, end = labels[position], n
        for k in range(run_end, n - clear_after + 1):
            if label not in labels[k : k + clear_after]:
                end = k
                break
        found.append((label, [k for k in range(position, end) if labels[k] == label]))
        position = end
    return found


@given(
    labels=st.text("NUAB", max_size=30),
    raise_after=st.integers(1, 4),
    clear_after=st.integers(1, 4),
)
def test_agrees_with_the_slow_scan(labels, raise_after, clear_after):
    found = merge_incidents(
        verdicts(labels), raise_after=raise_after, clear_after=clear_after, stride_ns=STRIDE
    )
    names = {"U": "unknown"}
    expected = slow_stretch(labels, raise_after, clear_after)
    assert [(i.label, i.windows) for i in found] == [
        (names.get(label, label), len(rows)) for label, rows in expected
    ]
    for incident, (_, rows) in zip(found, expected, strict=True):
        first, last = rows[0] * STRIDE, rows[-1] * STRIDE
        start = first if rows[0] == 0 else first + WINDOW // 2
        end = last + WINDOW if rows[-1] == len(labels) - 1 else last + WINDOW // 2
        assert incident.start_ns == start
        assert incident.end_ns == (end if end > start else start + STRIDE)


@given(
    labels=st.text("NUAB", max_size=30),
    breaks=st.lists(st.booleans(), min_size=30, max_size=30),
    raise_after=st.integers(1, 3),
    clear_after=st.integers(1, 3),
)
def test_a_gap_is_the_end_of_one_log_and_the_start_of_another(
    labels, breaks, raise_after, clear_after
):
    """Merging stretches apart, each on its own, gives the same incidents."""
    settings = {"raise_after": raise_after, "clear_after": clear_after, "stride_ns": STRIDE}
    starts, time, stretches = [], 0, [[]]
    for broken in breaks[: len(labels)]:
        time += 10 * WINDOW if broken else STRIDE
        starts.append(time)
    rows = verdicts(labels, starts=starts)
    for row, broken in zip(rows, breaks, strict=False):
        if broken:
            stretches.append([])
        stretches[-1].append(row)
    apart = [i for stretch in stretches for i in merge_incidents(stretch, **settings)]
    assert merge_incidents(rows, **settings) == apart


@given(labels=st.text("NUAB", max_size=30), seed=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_incidents_do_not_overlap(labels, seed):
    rows = verdicts(labels)
    found = merge_incidents(rows, stride_ns=STRIDE)
    seed.shuffle(rows)
    assert merge_incidents(rows, stride_ns=STRIDE) == found
    for earlier, later in pairwise(found):
        assert earlier.start_ns < earlier.end_ns <= later.start_ns < later.end_ns


def test_a_fault_lies_between_the_midpoints_of_its_windows():
    """Windows 2 to 4 start at 20 and 40, each 40 long."""
    assert merge("NNAAANN") == [("A", 40, 60, 3)]


def test_a_fault_at_the_edge_reaches_to_the_edge():
    assert merge("AAA") == [("A", 0, 60, 3)]


def test_a_flicker_neither_splits_nor_makes_an_incident():
    assert merge("NNAABAANN") == [("A", 40, 80, 4)]
    assert merge("NNABNN") == []
    assert merge("NNAAUAANN") == [("A", 40, 80, 4)]


def test_unknown_is_raised_like_a_fault():
    assert merge("NNUUUNN") == [("unknown", 40, 60, 3)]


def test_one_fault_follows_another():
    assert merge("NNAAABBBNN") == [("A", 40, 60, 3), ("B", 70, 90, 3)]


def test_slow_clearing_keeps_the_whole_run_of_the_next_fault():
    assert merge("NAABBBBBN", raise_after=2, clear_after=4) == [("A", 30, 40, 2), ("B", 50, 90, 5)]


def test_captures_do_not_join():
    rows = verdicts("AA", capture="x") + verdicts("AA", capture="y", starts=[20, 30])
    found = merge_incidents(rows, stride_ns=STRIDE)
    assert [(i.capture, i.windows) for i in found] == [("x", 2), ("y", 2)]


def test_confidence_is_the_mean_and_reason_the_most_common():
    rows = verdicts("AAA", reasons=["", "late", "late"])
    rows += verdicts("A", starts=[30], confidence=0.9, reasons=["early"])
    (incident,) = merge_incidents(rows, stride_ns=STRIDE)
    assert incident.confidence == pytest.approx((3 * 0.5 + 0.9) / 4)
    assert incident.reason == "late"


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


def test_a_shuffled_clock_starts_anew():
    """A verdict from before the last one cannot continue its stretch."""
    merger = IncidentMerger(stride_ns=STRIDE)
    late, early = verdicts("AA", starts=[100, 110]), verdicts("A", starts=[0])
    assert [merger.push(row) for row in late] == [[], []]
    (incident,) = merger.push(early[0])
    assert (incident.start_ns, incident.end_ns) == (100, 150)


def test_midpoint_stays_an_integer_at_nanosecond_epochs():
    row = verdicts("A", starts=[1_700_000_000_000_000_001])[0]
    assert window_midpoint_ns(row) == 1_700_000_000_000_000_021


@pytest.mark.parametrize("name", ["raise_after", "clear_after", "stride_ns"])
def test_settings_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        merge_incidents([], **{"stride_ns": STRIDE, name: 0})


def incidents(*rows, capture="c"):
    """Incidents of (label, start, end, windows); confidence is a tenth of the windows."""
    return [
        Incident(capture, start, end, label, n / 10, n, f"{label} since {start}")
        for label, start, end, n in rows
    ]


def absorb(*rows):
    found = absorb_transitions(incidents(*rows), window_ns=WINDOW, stride_ns=STRIDE)
    return [(i.label, i.start_ns, i.end_ns, i.windows) for i in found]


def test_windows_that_straddle_an_incidents_edges_belong_to_it():
    """At most five windows of 40, ten apart, can see a change; label and reason are the fault's."""
    rows = [("unknown", 0, 20, 3), ("A", 25, 90, 7), ("unknown", 100, 140, 5)]
    assert absorb(*rows) == [("A", 0, 140, 15)]
    (one,) = absorb_transitions(incidents(*rows), window_ns=WINDOW, stride_ns=STRIDE)
    assert one.reason == "A since 25"
    assert one.confidence == pytest.approx(0.7)


def test_a_long_unknown_incident_is_one_of_its_own():
    rows = [("A", 0, 50, 5), ("unknown", 60, 150, 6), ("B", 160, 200, 4)]
    assert absorb(*rows) == rows


def test_a_lull_does_not_split_an_incident():
    """Confidence is the mean over both parts' windows."""
    rows = [("A", 0, 50, 5), ("A", 60, 90, 3), ("B", 95, 120, 2)]
    assert absorb(*rows) == [("A", 0, 90, 8), ("B", 95, 120, 2)]
    first = absorb_transitions(incidents(*rows), window_ns=WINDOW, stride_ns=STRIDE)[0]
    assert first.confidence == pytest.approx((0.5 * 5 + 0.3 * 3) / 8)


def test_what_lies_apart_or_in_another_capture_is_not_joined():
    """More than two strides of normal traffic between them."""
    rows = [("A", 0, 50, 5), ("A", 71, 90, 3), ("unknown", 111, 120, 1)]
    assert absorb(*rows) == rows
    near = [("A", 0, 50, 5), ("A", 70, 90, 3)]
    assert absorb(*near) == [("A", 0, 90, 8)]
    apart = incidents(near[0], capture="x") + incidents(near[1], capture="y")
    assert absorb_transitions(apart, window_ns=WINDOW, stride_ns=STRIDE) == apart


def test_two_faults_keep_the_change_between_them_with_the_first():
    rows = [("A", 0, 50, 5), ("unknown", 55, 60, 2), ("B", 65, 120, 6)]
    assert absorb(*rows) == [("A", 0, 60, 7), ("B", 65, 120, 6)]


@given(labels=st.text("NUAB", max_size=30))
def test_absorbing_loses_no_window_and_leaves_nothing_to_absorb(labels):
    merged = merge_incidents(verdicts(labels), stride_ns=STRIDE)
    settings = {"window_ns": WINDOW, "stride_ns": STRIDE}
    found = absorb_transitions(merged, **settings)
    assert sum(i.windows for i in found) == sum(i.windows for i in merged)
    named = {i.label for i in merged} - {"unknown"}
    assert {i.label for i in found} - {"unknown"} == named
    for earlier, later in pairwise(found):
        assert earlier.end_ns <= later.start_ns
        near = later.start_ns - earlier.end_ns <= 2 * STRIDE
        assert not (near and earlier.label == later.label)
