"""``traffic-siamese classify``: what it finds, writes and says."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner

from tests.cli.tiny import at, write_capture
from tests.conftest import Invoke
from traffic_siamese.cli.app import cli
from traffic_siamese.tables import INCIDENT_COLUMNS, VERDICT_COLUMNS
from traffic_siamese.times import parse_time


def test_incidents_are_printed_with_their_clock_times(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    """Registrations are refused from 22:14:20 to 22:15:20."""
    log = captures / "A/refused-1.pcap"
    result = invoke("classify", log, "--model", model, "--network", "A")
    lines = result.stdout.splitlines()
    assert lines[0] == f"{log}  2023-11-14 UTC"
    assert all(line.startswith("  22:1") for line in lines[1:])
    assert any("refused" in line and "403 share 0 % → 100 %" in line for line in lines)
    assert "estimated" not in result.output
    assert "1 log read" in result.stderr


def test_a_rate_of_false_alarms_needs_a_model_that_knows_it(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    words = ("classify", captures / "A/refused-1.pcap", "-m", model, "-n", "A")
    asked = ("--false-alarms-per-day", "1")
    assert "does not know how far normal traffic" in invoke(*words, *asked, code=1).stderr
    assert "range x>0" in invoke(*words, asked[0], "0", code=2).stderr
    pointer = model / "bundle.json"
    document = json.loads(pointer.read_text())
    span = {"n_windows": 1, "threshold": 0.05, "per_day": 1, "scale": 0.01, "shape": 0}
    document["calibration"]["normal_tail"] = {"stride": 1, "hours": 10, "spans": [span]}
    pointer.write_text(json.dumps(document))
    assert "refused" in invoke(*words, *asked).stdout
    assert "no incident" in invoke(*words, asked[0], "1e-60").stdout


def test_colours_are_left_out_for_those_who_ask(
    captures: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By https://no-color.org."""
    words = ["classify", str(captures / "A/refused-1.pcap"), "-m", str(model)]
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in CliRunner().invoke(cli, words, color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(cli, words, color=True).stdout


def test_normal_traffic_is_no_incident(invoke: Invoke, captures: Path, model: Path) -> None:
    result = invoke("classify", captures / "A/normal-1.pcap", "-m", model, "-n", "A")
    assert result.stdout.splitlines()[1:] == ["  no incident"]


def test_an_estimated_normal_is_said(invoke: Invoke, captures: Path, model: Path) -> None:
    """Once for people, in every reason for programs."""
    log = captures / "A/refused-1.pcap"
    assert "estimated" in invoke("classify", log, "-m", model).stderr
    found = json.loads(invoke("classify", log, "-m", model, "--json", "-q").stdout)
    assert found["incidents"]
    assert all("estimated from this log" in one["reason"] for one in found["incidents"])


def test_json_tells_the_reason_at_length_and_the_features(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    log = captures / "A/refused-1.pcap"
    found = json.loads(invoke("classify", log, "-m", model, "-n", "A", "--json", "-q").stdout)
    (incident,) = [one for one in found["incidents"] if one["label"] == "refused"]
    assert "from_service_answer_forbidden" in incident["features"]
    assert set(incident["reason"].split("; ")) <= set(incident["details"].split("; "))


def test_a_capture_over_midnight_has_dates(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    length_s = 2 * 3600 - 600
    log = write_capture(tmp_path / "long.pcap", {6390: 403, 6500: 200}, length_s=length_s)
    lines = invoke("classify", log, "-m", model, "-n", "A").stdout.splitlines()
    assert lines[0] == f"{log}  UTC"
    assert lines[1].startswith(("  2023-11-14 23:59", "  2023-11-15 00:"))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_all_formats_hold_the_same_rows(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, suffix: str
) -> None:
    verdicts, incidents = tmp_path / f"v.{suffix}", tmp_path / f"i.{suffix}"
    log = captures / "A/refused-1.pcap"
    result = invoke("classify", log, "-m", model, "-o", verdicts, "--incidents", incidents)
    assert result.stdout == ""
    rows, merged = _rows(verdicts), _rows(incidents)
    assert list(rows[0]) == [column.name for column in VERDICT_COLUMNS]
    assert list(merged[0]) == [column.name for column in INCIDENT_COLUMNS]
    assert {row["capture"] for row in rows} == {str(log)}
    assert len(rows) == (180 - 16) // 4 + 1
    middle = next(row for row in rows if _ns(row["start"]) == parse_time(at(80)))
    assert middle["label"] == "refused"


def _rows(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        return list(pyarrow.parquet.read_table(path).to_pylist())
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    return [json.loads(line) for line in text.splitlines()]


def _ns(moment: object) -> int:
    return parse_time(str(moment))


def test_standard_output_gets_csv_or_json_lines(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    log = captures / "A/normal-1.pcap"
    text = invoke("classify", log, "-m", model, "-o", "-").stdout
    assert text.startswith("capture,start,end,label,")
    lines = invoke("classify", log, "-m", model, "-o", "-", "--json").stdout.splitlines()
    assert json.loads(lines[0])["label"] == "normal"


def test_a_capture_may_come_through_standard_input(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    data = (captures / "A/refused-1.pcap").read_bytes()
    result = invoke("classify", "-", "-m", model, "-n", "A", stdin=data)
    assert "refused" in result.stdout


def test_a_folder_means_its_captures(invoke: Invoke, captures: Path, model: Path) -> None:
    """Hidden files and notes are left out, in the order of their names."""
    result = invoke("classify", captures, "-m", model, "--json")
    logs = [json.loads(line)["log"] for line in result.stdout.splitlines()]
    names = ["A/normal-1", "A/refused-1", "B/normal-1", "B/refused-1"]
    assert logs == [str(captures / f"{name}.pcap") for name in names]
    assert "2 files left out" in result.stderr


def test_several_processes_find_what_one_finds(invoke: Invoke, captures: Path, model: Path) -> None:
    logs = [captures / f"{n}/{name}-1.pcap" for n in "AB" for name in ("normal", "refused")] * 2
    one, two = (
        invoke("classify", *logs[:8], captures, "-m", model, "--json", "--workers", n).stdout
        for n in (1, 2)
    )
    assert one == two


def test_a_skipped_file_does_not_stop_the_others(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    """Exit status 3, the file named with its reason, the others classified."""
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"no capture at all")
    result = invoke("classify", junk, captures / "A/normal-1.pcap", "-m", model, code=3)
    assert f"Skipped: {junk}: looks like" in result.stderr
    assert "1 log read" in result.stderr
    assert "1 log skipped" in result.stderr
    assert "no incident" in result.stdout


def test_a_damaged_file_is_classified_up_to_the_damage(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((captures / "A/refused-1.pcap").read_bytes()[:-7])
    result = invoke("classify", cut, "-m", model, code=3)
    assert "Warning: " in result.stderr
    assert "cut short" in result.stderr
    assert "1 log read with warnings" in result.stderr


def test_quiet_keeps_to_the_data(invoke: Invoke, captures: Path, model: Path) -> None:
    """Before the command's name or after it."""
    words = ("classify", captures / "A/normal-1.pcap", "-m", model)
    assert invoke(*words, "--quiet").stderr == ""
    assert invoke("--quiet", *words).stderr == ""


def test_a_model_that_cannot_be_used_leaves_an_older_output_alone(
    invoke: Invoke, captures: Path, tmp_path: Path
) -> None:
    output = tmp_path / "verdicts.csv"
    output.write_text("precious")
    invoke("classify", captures, "-m", tmp_path / "none", "-o", output, code=1)
    assert output.read_text() == "precious"


def test_two_outputs_of_one_name_are_refused(invoke: Invoke, captures: Path, model: Path) -> None:
    words = ("classify", captures, "-m", model, "-o", "-", "--incidents", "-")
    assert "two different files" in invoke(*words, code=2).stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_not_waited_for(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    os.mkfifo(logs / "pipe.pcap")
    shutil.copy(captures / "A/normal-1.pcap", logs)
    assert "1 log read" in invoke("classify", logs, "-m", model).stderr


def test_models_below_a_folder_are_no_logs(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    shutil.copy(captures / "A/normal-1.pcap", tmp_path / "x.pcap")
    found = invoke("classify", tmp_path, "-m", model, "--json").stdout.splitlines()
    assert [json.loads(line)["log"] for line in found] == [str(tmp_path / "x.pcap")]
