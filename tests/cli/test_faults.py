"""``traffic-siamese faults`` and ``baseline``: the model learns without being trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.tiny import at, write_capture
from tests.conftest import Invoke


@pytest.fixture
def storm(tmp_path: Path) -> Path:
    """Ask for authentication again and again, from 60 s to 120 s."""
    return write_capture(tmp_path / "storm.pcap", {60: 503, 120: 200}, length_s=180, seed=9)


def _add(storm: Path, model: Path, *more: object) -> tuple[object, ...]:
    words = ("--start", "+60", "--end", "+120", "-m", model, "-n", "A")
    return ("faults", "add", "overload", storm, *words, *more)


def _labels(invoke: Invoke, model: Path) -> list[str]:
    listed = json.loads(invoke("faults", "list", "-m", model, "--json").stdout)
    return [one["label"] for one in listed]


def test_a_fault_is_known_once_it_is_added(invoke: Invoke, storm: Path, model: Path) -> None:
    """The forecast names what it is near to; the example itself is then recognised."""
    result = invoke(*_add(storm, model))
    assert "Added 'overload': " in result.stderr
    assert "22:14:20–22:15:20 UTC" in result.stderr
    assert "of its windows may be taken for" in result.stderr
    assert _labels(invoke, model) == ["normal", "overload", "refused"]
    assert "overload" in invoke("classify", storm, "-m", model, "-n", "A").stdout


@pytest.mark.parametrize(
    ("start", "end"), [("+60", "+120"), ("22:14:20", "22:15:20"), (at(60), at(120))]
)
def test_times_may_be_written_in_three_ways(
    invoke: Invoke, storm: Path, model: Path, start: str, end: str
) -> None:
    words = ("faults", "add", "f", storm, "--start", start, "--end", end, "-m", model, "--json")
    added = json.loads(invoke(*words).stdout)
    assert (added["start"], added["end"]) == (at(60), at(120))
    assert added["nearest_label"] in ("normal", "refused")
    assert 0 <= sum(added["confusion"].values()) <= 1
    assert "normal was estimated" in added["warnings"][0]


def test_the_edges_of_an_example_are_kept_as_asked(
    invoke: Invoke, storm: Path, model: Path
) -> None:
    result = invoke(*_add(storm, model))
    assert "6 examples (5 steady, 1 recovery)" in result.stderr
    both = json.loads(invoke(*_add(storm, model, "--more", "--onset", "--json")).stdout)
    assert both["phases"] == {"steady": 5, "onset": 1, "recovery": 1}
    none = json.loads(invoke(*_add(storm, model, "--more", "--no-recovery", "--json")).stdout)
    assert none["phases"] == {"steady": 5}
    listed = json.loads(invoke("faults", "list", "-m", model, "--json").stdout)
    phases = {one["label"]: one["phases"] for one in listed}
    assert phases["overload"] == ["onset", "recovery", "steady"]
    assert phases["normal"] == ["steady"]


def test_an_example_that_is_something_else_is_told(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    log = captures / "A/refused-1.pcap"
    words = ("faults", "add", "odd", log, "-m", model, "-n", "A")
    same = invoke(*words, "--start", "+60", "--end", "+120").stderr
    assert "Warning: the example is" in same
    assert "from 'refused', within its reach of 0.150" in same
    normal = invoke(*words, "--start", "+5", "--end", "+55", "--more").stderr
    assert "Warning: the example looks normal" in normal


def test_a_name_that_exists_needs_more(invoke: Invoke, storm: Path, model: Path) -> None:
    invoke(*_add(storm, model))
    assert "is there already" in invoke(*_add(storm, model), code=1).stderr
    invoke(*_add(storm, model, "--more"))


@pytest.mark.parametrize(
    ("start", "end", "code", "message"),
    [
        ("+900", "+990", 1, "Give times inside it"),
        ("+120", "+60", 1, "not after its start"),
        ("tomorrow", "+60", 2, "'tomorrow' is no time"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:01:00Z", 1, "the capture covers 2023-11-14"),
    ],
)
def test_times_outside_the_capture_are_told(
    invoke: Invoke, storm: Path, model: Path, start: str, end: str, code: int, message: str
) -> None:
    words = ("faults", "add", "f", storm, "--start", start, "--end", end, "-m", model)
    assert message in invoke(*words, code=code).stderr


@pytest.mark.parametrize("name", ["", " x", "a,b", "unknown", "x" * 65])
def test_a_name_that_cannot_be_written_is_told(
    invoke: Invoke, storm: Path, model: Path, name: str
) -> None:
    words = ("faults", "add", name, storm, "--start", "+60", "--end", "+120", "-m", model)
    assert invoke(*words, code=1).stderr.startswith("Error: label")


def test_standard_input_needs_full_times(invoke: Invoke, storm: Path, model: Path) -> None:
    """It can be read but once, so its start is not known beforehand."""
    data = storm.read_bytes()
    words = ("faults", "add", "f", "-", "-m", model)
    result = invoke(*words, "--start", "+60", "--end", "+120", code=2, stdin=data)
    assert "read only once" in result.stderr
    invoke(*words, "--start", at(60), "--end", at(120), stdin=data)


def test_a_list_is_a_table(invoke: Invoke, model: Path) -> None:
    lines = invoke("faults", "list", "-m", model).stdout.splitlines()
    assert lines[0].split() == ["FAULT", "TRAINED", "ADDED", "REACH", "PHASES"]
    assert lines[1].split() == ["normal", "2", "0", "0.150", "steady"]


def test_show_tells_where_examples_came_from(invoke: Invoke, storm: Path, model: Path) -> None:
    invoke(*_add(storm, model))
    text = invoke("faults", "show", "overload", "-m", model).stdout
    assert str(storm) in text
    assert "added 20" in text
    assert text.count("  steady  ") == 5
    assert text.count("  recovery  ") == 1
    shown = json.loads(invoke("faults", "show", "refused", "-m", model, "--json").stdout)
    assert [one["capture"] for one in shown["examples"]] == ["A/refused-1.pcap"] * 2
    assert list(shown["distances"].values()) == sorted(shown["distances"].values())
    assert set(shown["distances"]) == {"normal", "overload"}


def test_renamed_and_removed_faults_are_gone(invoke: Invoke, storm: Path, model: Path) -> None:
    invoke(*_add(storm, model))
    invoke("faults", "rename", "overload", "busy", "-m", model)
    assert _labels(invoke, model) == ["busy", "normal", "refused"]
    result = invoke("faults", "remove", "busy", "-m", model)
    assert str(storm) in result.stderr
    assert _labels(invoke, model) == ["normal", "refused"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nothing"),
        ("remove", "nothing"),
        ("remove", "normal"),
        ("rename", "nothing", "x"),
        ("rename", "refused", "normal"),
        ("rename", "refused", "unknown"),
    ],
)
def test_changes_that_cannot_be_made_are_told(
    invoke: Invoke, model: Path, words: tuple[str, ...]
) -> None:
    assert invoke("faults", *words, "-m", model, code=1).stderr.startswith("Error: label")
    assert _labels(invoke, model) == ["normal", "refused"]


def test_a_networks_normal_is_kept(invoke: Invoke, captures: Path, model: Path) -> None:
    log = captures / "B/normal-1.pcap"
    result = invoke("baseline", log, "-m", model, "-n", "B")
    assert "network 'B' from 1 log, 2 min 00 s" in result.stderr
    assert "; steady after " in result.stderr
    invoke("classify", log, "-m", model, "-n", "B")
    learned = json.loads(invoke("baseline", log, "-m", model, "-n", "B", "--json").stdout)
    assert learned["bins"] == learned["given_bins"] == 120
    assert learned["steady"]
    assert 30 <= learned["needed_s"] <= 120
    updated = invoke("baseline", log, "-m", model, "-n", "B", "--update")
    assert "Updated the normal of network 'B'" in updated.stderr


def test_a_short_normal_says_so(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    log = write_capture(tmp_path / "short.pcap", {}, length_s=45)
    words = ("baseline", log, "-m", model, "-n", "B")
    assert "give two minutes or more" in invoke(*words).stderr
    told = json.loads(invoke(*words, "--json").stdout)
    assert told["needed_s"] is None
    assert not told["steady"]


def test_trouble_in_what_should_be_normal_is_told(invoke: Invoke, model: Path, storm: Path) -> None:
    words = ("baseline", storm, "-m", model, "-n", "B")
    assert "looks like trouble and was learned as normal" in invoke(*words).stderr
    result = invoke(*words, "--mostly-normal")
    assert "of trouble left out" in result.stderr
    assert "Warning" not in result.stderr


def test_too_little_traffic_is_no_baseline(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    log = write_capture(tmp_path / "short.pcap", {}, length_s=10)
    assert "at least 30" in invoke("baseline", log, "-m", model, "-n", "B", code=1).stderr
