"""Similar windows, against comparing one window after the other."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import FAULT_FROM_S, FAULT_TO_S, SPEC, START_NS, at
from tests.conftest import Invoke
from tests.features.sip import SECOND
from traffic_siamese.classification import classify_log
from traffic_siamese.errors import LibraryError, TrafficSiameseError, WindowError
from traffic_siamese.model import Model, load_model
from traffic_siamese.similar import find_similar, stretches
from traffic_siamese.verdict_captures import captures_of, is_verdict_table

REFUSED, OTHER, CALM = "A/refused-1.pcap", "B/refused-1.pcap", "A/normal-1.pcap"
MIDDLE_NS = START_NS + (FAULT_FROM_S + FAULT_TO_S) // 2 * SECOND


@pytest.fixture(scope="module")
def loaded(made_model: Path) -> Model:
    return load_model(made_model)


def _point(model: Model, source: Path, start: int) -> np.ndarray:
    """Embed one window, from its start in seconds, against the normal of A."""
    window = model.read(source).series[0].values[start : start + SPEC.n_timesteps]
    return model.embed(window[None], model.baseline_of("A"))[0]


def slow_stretches(labels: Sequence[str]) -> list[int]:
    """Look back from each window, over at most two others, for the same label."""
    numbers: list[int] = []
    for place, label in enumerate(labels):
        back = [b for b in (1, 2, 3) if place - b >= 0 and labels[place - b] == label]
        numbers.append(numbers[place - back[0]] if back else max(numbers, default=-1) + 1)
    return numbers


@pytest.mark.parametrize("text", ["AAABBBAAAA", "ABABABA", "AAABBAAA", "A", "ABCDABCD", "AXXXA"])
def test_stretches_bridge_two_windows_of_another_label(text: str) -> None:
    labels = np.array(list(text))
    found = stretches(labels, np.zeros(len(text), np.int64)).tolist()
    assert found == slow_stretches(text)


def test_no_stretch_goes_over_a_gap() -> None:
    assert stretches(np.array(["A"] * 4), np.array([0, 0, 1, 1])).tolist() == [0, 0, 1, 1]


def test_hits_are_the_nearest_windows_one_for_each_stretch(captures: Path, loaded: Model) -> None:
    """All windows of both logs by distance; one is a hit unless a nearer one's stretch has it."""
    others = [captures / OTHER, captures / CALM]
    found = find_similar(captures / REFUSED, MIDDLE_NS, loaded, among=others, network="A", n=50)
    asked_start = (found.asked.start_ns - START_NS) // SECOND
    point = _point(loaded, captures / REFUSED, asked_start)
    expected = []
    for source in others:
        verdicts = classify_log(source, loaded, network="A").verdicts
        numbers = slow_stretches([verdict.label for verdict in verdicts])
        rows = [
            (float(np.linalg.norm(_point(loaded, source, 4 * i) - point)), i, verdict)
            for i, verdict in enumerate(verdicts)
        ]
        taken: list[tuple[int, int, int]] = []
        for distance, i, verdict in sorted(rows, key=lambda row: row[0]):
            free = all(
                numbers[i] != number and (verdict.end_ns <= start or verdict.start_ns >= end)
                for number, start, end in taken
            )
            if free:
                mine = [v for v, n in zip(verdicts, numbers, strict=True) if n == numbers[i]]
                taken.append((numbers[i], mine[0].start_ns, mine[-1].end_ns))
                expected.append((distance, str(source), verdict.start_ns, verdict.label))
    got = [(h.distance, h.window.capture, h.window.start_ns, h.window.label) for h in found.hits]
    expected.sort()
    assert [row[1:] for row in got] == [row[1:] for row in expected]
    np.testing.assert_allclose([r[0] for r in got], [r[0] for r in expected], atol=1e-5)
    assert found.hits[0].window.label == "refused"
    assert (found.n_logs, found.skipped) == (2, ())


def test_the_window_asked_about_lies_around_the_time(captures: Path, loaded: Model) -> None:
    """At any second, and at the edges of the log the outermost window."""
    source = captures / REFUSED
    for seconds, start in ((90, 82), (91, 83), (0, 0), (3, 0), (179, 164)):
        found = find_similar(source, START_NS + seconds * SECOND, loaded, network="A")
        assert (found.asked.start_ns - START_NS) // SECOND == start
        assert found.asked.end_ns - found.asked.start_ns == SPEC.n_timesteps * SECOND


def test_in_its_own_log_its_own_stretch_is_no_hit(captures: Path, loaded: Model) -> None:
    """Also where the log is named by another path."""
    source = captures / REFUSED
    other_way = captures / "B" / ".." / REFUSED
    for among in ((), (other_way,)):
        found = find_similar(source, MIDDLE_NS, loaded, among=among, network="A")
        assert found.hits
        for hit in found.hits:
            overlaps = hit.window.start_ns < START_NS + (FAULT_TO_S - 8) * SECOND
            overlaps &= hit.window.end_ns > START_NS + (FAULT_FROM_S + 8) * SECOND
            assert not overlaps


def test_a_log_that_cannot_be_read_is_skipped(
    captures: Path, loaded: Model, tmp_path: Path
) -> None:
    among = [tmp_path / "missing.pcap", captures / OTHER]
    found = find_similar(captures / REFUSED, MIDDLE_NS, loaded, among=among, network="A", n=1)
    assert (found.n_logs, len(found.hits)) == (1, 1)
    assert "missing.pcap" in found.skipped[0]


def test_what_cannot_be_asked_is_refused(captures: Path, loaded: Model) -> None:
    source = captures / REFUSED
    with pytest.raises(WindowError, match=r"expected a time from 2023-11-14T22:13:20\.000Z to"):
        find_similar(source, START_NS - SECOND, loaded)
    with pytest.raises(LibraryError, match="no baseline for network 'Z'"):
        find_similar(source, MIDDLE_NS, loaded, network="Z")
    with pytest.raises(ValueError, match="n is 0"):
        find_similar(source, MIDDLE_NS, loaded, n=0)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_of_verdicts_names_its_logs(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, ending: str
) -> None:
    table = tmp_path / f"verdicts.{ending}"
    logs = [str(captures / OTHER), str(captures / CALM)]
    invoke("classify", *logs, "-m", model, "-n", "A", "-o", table)
    assert is_verdict_table(table)
    assert captures_of(table) == logs


def test_other_tables_are_no_verdicts(tmp_path: Path) -> None:
    counters, notes = tmp_path / "counters.csv", tmp_path / "notes.jsonl"
    counters.write_text("time,rx_octets\n2026-01-01T00:00:00Z,5\n")
    notes.write_text("[1, 2]\n")
    assert not any(map(is_verdict_table, (counters, notes, tmp_path, tmp_path / "no.csv")))


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    empty, damaged = tmp_path / "empty.csv", tmp_path / "damaged.jsonl"
    empty.write_text("capture,start,end,label,distance\n")
    damaged.write_text('{"capture": "a", "start": 1, "end": 2, "label": "x", "distance": 0}\n{"ca')
    with pytest.raises(TrafficSiameseError, match="has no rows"):
        captures_of(empty)
    with pytest.raises(TrafficSiameseError, match="damaged table of verdicts"):
        captures_of(damaged)


def test_elements_of_a_table_of_counters_are_in_one_file(tmp_path: Path) -> None:
    counters, table = tmp_path / "counters.csv", tmp_path / "verdicts.csv"
    counters.write_text("time,node,rx\n")
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["capture", "start", "end", "label", "distance"])
        rows.writerows([f"{counters}#{node}", 0, 0, "normal", 0] for node in ("n1", "n2"))
    assert captures_of(table) == [str(counters)]


def test_the_command_lists_what_was_found(invoke: Invoke, captures: Path, model: Path) -> None:
    words = ("similar", captures / REFUSED, "--at", "+90", "-m", model, "-n", "A")
    result = invoke(*words, "--among", captures / "B")
    lines = result.stdout.splitlines()
    assert lines[0].endswith("UTC  refused")
    assert lines[1].split() == ["DISTANCE", "LABEL", "MOST", "SIMILAR", "STRETCH", "LOG"]
    assert "refused" in lines[2]
    assert lines[2].endswith(OTHER)
    found = json.loads(invoke(*words, "--among", captures / "B", "-k", "1", "--json").stdout)
    (hit,) = found["hits"]
    assert (hit["label"], hit["log"]) == ("refused", str(captures / OTHER))
    assert hit["from"] <= hit["start"] < hit["end"] <= hit["to"]
    assert found["asked"]["start"] == at(82)


def test_the_command_takes_tables_of_verdicts_and_says_what_it_skipped(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    table = tmp_path / "verdicts.csv"
    rows = ["capture,start,end,label,distance", f"{captures / OTHER},,,,", "gone.pcap,,,,"]
    table.write_text("\n".join(rows) + "\n")
    words = ("similar", captures / REFUSED, "--at", at(90), "-m", model, "-a", table)
    result = invoke(*words, code=3)
    assert "gone.pcap" in result.stderr
    assert "compared" in result.stderr
    assert "estimated" in result.stderr
    assert OTHER in result.stdout


@pytest.mark.parametrize("text", ["soon", "25:00:00"])
def test_what_is_no_time_is_refused(invoke: Invoke, captures: Path, model: Path, text: str) -> None:
    result = invoke("similar", captures / REFUSED, "--at", text, "-m", model, code=2)
    assert "is no time, expected" in result.stderr
