"""Files of alarms: whole at any time, and named as their format."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.noc.made import ENDED, OPEN, alarm
from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.noc.alarm_file import ALARM_FORMATS, AlarmFile, alarm_format


def _count(form: str, text: str) -> int:
    """Count what a file tells: notices, or alerts."""
    if form in ("tmf642", "alertmanager"):
        return len(json.loads(text))
    if form == "ves":
        return len(json.loads(text)["eventList"])
    return len(text.splitlines()) - (form == "csv")


@pytest.mark.parametrize("form", ALARM_FORMATS)
def test_a_file_is_whole_after_every_log(tmp_path: Path, form: str) -> None:
    """Without being closed: nothing, three alarms at once, nothing, one that is open."""
    path = tmp_path / "alarms"
    path.write_text("older and longer than what is written" * 100)
    ended = [alarm(replace(ENDED, start_ns=ENDED.start_ns + i)) for i in range(3)]
    per_ended = 1 if form == "alertmanager" else 2
    with closing(AlarmFile(str(path), form=form, reporter="probe1")) as file:
        assert _count(form, path.read_text(encoding="utf-8")) == 0
        for alarms, expected in ((ended, 3 * per_ended), ([], 3 * per_ended),
                                 ([alarm(OPEN)], 3 * per_ended + 1)):  # fmt: skip
            file.write(alarms)
            assert _count(form, path.read_text(encoding="utf-8")) == expected
    assert _count(form, path.read_text(encoding="utf-8")) == 3 * per_ended + 1


@pytest.mark.parametrize("form", ALARM_FORMATS)
def test_standard_output_gets_what_a_file_gets(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "alarms", io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    for target in ("-", str(path)):
        with closing(AlarmFile(target, form=form, reporter="probe1")) as file:
            file.write([alarm()])
            file.write([alarm(OPEN)])
    assert out.getvalue() == path.read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_once(tmp_path: Path) -> None:
    """What cannot be written again gets its end when it is closed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.append(json.loads(pipe.read_text())))
    reader.start()
    with closing(AlarmFile(str(pipe), form="tmf642", reporter="probe1")) as file:
        file.write([alarm()])
        file.write([alarm(OPEN)])
    reader.join(10)
    assert [one["state"] for one in read[0]] == ["raised", "cleared", "raised"]


@pytest.mark.parametrize(
    ("target", "form"),
    [
        ("a.csv", "csv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("/var/log/traffic.log", "syslog"),
        ("a.syslog", "syslog"),
        ("Alarms-TMF642.JSON", "tmf642"),
        ("alarms.ves.json", "ves"),
        ("alertmanager.json", "alertmanager"),
        ("-", "jsonl"),
    ],
)
def test_names_tell_formats(target: str, form: str) -> None:
    assert alarm_format(target) == form


@pytest.mark.parametrize("target", ["alarms.json", "alarms", "ves.txt", "waves.json"])
def test_a_name_that_tells_nothing_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"tmf642, ves, .*--alarm-format"):
        alarm_format(target)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrafficSiameseError, match=r"no/alarms\.csv: cannot be written"):
        AlarmFile(str(tmp_path / "no/alarms.csv"), form="csv", reporter="probe1")
