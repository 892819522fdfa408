"""``classify --alarms`` and ``--metrics``: files, standard output, wrong usage."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.tiny import write_capture
from tests.conftest import Invoke
from traffic_siamese.cli import noc_options
from traffic_siamese.noc.alarm_file import ALARM_FORMATS


def _log(captures: Path) -> Path:
    return captures / "A/refused-1.pcap"


def _words(captures: Path, model: Path) -> tuple[object, ...]:
    return ("classify", _log(captures), "-m", model, "-n", "A")


def test_each_incident_is_raised_and_cleared(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    """The same incidents as in the table of incidents; nothing is printed."""
    alarms, incidents = tmp_path / "a.tmf642.json", tmp_path / "i.csv"
    result = invoke(*_words(captures, model), "--alarms", alarms, "--incidents", incidents)
    assert result.stdout == ""
    told = json.loads(alarms.read_text())
    merged = list(csv.DictReader(incidents.read_text().splitlines()))
    assert merged
    assert [(one["alarmRaisedTime"], one["specificProblem"]) for one in told[::2]] == [
        (row["start"], row["label"]) for row in merged
    ]
    assert [one["alarmClearedTime"] for one in told[1::2]] == [row["end"] for row in merged]
    assert {one["alarmedObject"]["id"] for one in told} == {"A"}


def test_a_fault_that_lasts_to_the_end_is_not_cleared(
    invoke: Invoke, model: Path, tmp_path: Path
) -> None:
    log = write_capture(tmp_path / "cut.pcap", {60: 403}, length_s=120)
    out = invoke("classify", log, "-m", model, "-n", "A", "--alarms", "-", "-q").stdout
    told = [json.loads(line) for line in out.splitlines()]
    assert [(one["state"], one["label"], one["end"]) for one in told] == [
        ("raised", "refused", None)
    ]


def test_classified_twice_an_alarm_keeps_its_id(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    words = (*_words(captures, model), "--alarms", "-", "--alarm-format", "csv", "-q")
    first, again = (invoke(*words).stdout for _ in range(2))
    assert first == again
    assert len(first.splitlines()) > 2


def test_severities_may_be_given(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "severities.yaml"
    file.write_text("refused: critical\n")
    words = (*_words(captures, model), "--alarms", "-", "-q")
    usual, given = (
        {json.loads(line)["severity"] for line in invoke(*more).stdout.splitlines()}
        for more in (words, (*words, "--severity", file))
    )
    assert (usual, given) == ({"major"}, {"critical"})
    file.write_text("refused: bad\n")
    assert "'refused' has the severity 'bad'" in invoke(
        *words, "--severity", file, code=1).stderr  # fmt: skip


def test_help_names_all_formats_that_there_are() -> None:
    """Help must not import what writes them."""
    assert tuple(noc_options.ALARM_FORMATS) == ALARM_FORMATS


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--alarms", "alarms.json"), "does not tell the format"),
        (("--alarm-format", "ves"), "--alarm-format is given without --alarms"),
        (("--alarms", "-", "-o", "-"), "two different files"),
        (("--metrics", "counts.txt"), "neither HOST:PORT nor a file"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_read(
    invoke: Invoke, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """There is neither log nor model."""
    words = ("classify", tmp_path / "none.pcap", "-m", tmp_path / "none")
    assert said in " ".join(invoke(*words, *options, code=2).stderr.split())


def test_metrics_of_two_runs_add_up(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    """A folder with one file that is no capture; the incidents are printed all the same."""
    logs, file = tmp_path / "logs", tmp_path / "traffic.prom"
    shutil.copytree(captures / "A", logs)
    (logs / "junk.bin").write_bytes(b"no capture at all")
    words = ("classify", logs, "-m", model, "-n", "A", "--metrics", file)
    tables = []
    for _ in range(2):
        assert "refused" in invoke(*words, code=3).stdout
        families = text_string_to_metric_families(file.read_text())
        tables.append({(s.name, *s.labels.values()): s.value for f in families for s in f.samples})
    for n, table in enumerate(tables, 1):
        assert table["traffic_siamese_logs_total", "A", "read"] == 2 * n
        assert table["traffic_siamese_logs_total", "A", "skipped"] == n
        windows = [v for k, v in table.items() if k[0] == "traffic_siamese_windows_total"]
        assert sum(windows) == n * sum((s - 16) // 4 + 1 for s in (120, 180))
        assert table["traffic_siamese_last_run_success", "A"] == 1


def test_metrics_are_served_while_the_command_runs(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    result = invoke(*_words(captures, model), "--metrics", "127.0.0.1:0")
    assert "Metrics at http://127.0.0.1:" in result.stderr
    assert "refused" in result.stdout
    assert "cannot be served" in invoke(
        *_words(captures, model), "--metrics", "192.0.2.1:9", code=1).stderr  # fmt: skip
