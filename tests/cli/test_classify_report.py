"""``traffic-siamese classify --report``: the incident page of a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.views.report_pages import packed
from traffic_siamese.classification import classify


def test_the_page_holds_what_is_printed(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    result = invoke("classify", captures / "A", "--model", model, "-n", "A", "--report", page)
    held = packed(page)
    normal, refused = held["overview-data"]["logs"]
    assert (normal["name"], normal["incidents"]) == (str(captures / "A/normal-1.pcap"), [])
    assert {one["label"] for one in refused["incidents"]} == {"refused"}
    assert all(one["reason"] in result.stdout for one in refused["incidents"])
    about = held["overview-data"]["about"]
    assert (about["network"], about["dim"], about["n_logs"]) == ("A", 3, 2)
    assert {one["label"] for one in about["examples"]} == {"normal", "refused"}
    told = next(line for line in result.stderr.splitlines() if str(page) in line)
    assert told.startswith(f"{page}: 2 logs, ")


def test_an_estimated_normal_is_said_once(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    """In the page's heading, not with every reason."""
    page = tmp_path / "report.html"
    invoke("classify", captures / "A/refused-1.pcap", "--model", model, "--report", page)
    held = packed(page)
    assert held["overview-data"]["about"]["network"] == ""
    reasons = [one["reason"] for one in held["overview-data"]["logs"][0]["incidents"]]
    assert all(reasons)
    assert not any("estimated" in text for text in (*reasons, *held["log-0"]["reasons"]))


@pytest.mark.slow
def test_worker_processes_hand_over_what_the_page_draws(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    """Nine logs are read in other processes; each has its features in the page."""
    logs = [shutil.copy(captures / "A/refused-1.pcap", tmp_path / f"{i}.pcap") for i in range(9)]
    page = tmp_path / "report.html"
    invoke("classify", *logs, "-m", model, "-n", "A", "--report", page, "--workers", "2", "-q")
    held = packed(page)
    details = [held[f"log-{i}"]["detail"] for i in range(9)]
    assert all(one == details[0] for one in details)
    telling = held["log-0"]["incidents"][0]["features"]
    assert [track["name"] for track in details[0]["tracks"]][: len(telling)] == telling
    assert details[0]["network"] == "A"


def test_details_are_kept_only_where_they_are_asked_for(captures: Path, model: Path) -> None:
    log = captures / "A/refused-1.pcap"
    (plain,) = classify([log], model, network="A")
    (drawn,) = classify([log], model, network="A", detail=True)
    assert plain.detail is None
    assert drawn.detail is not None
    assert plain.incidents == drawn.incidents


def test_a_log_that_cannot_be_read_is_listed_with_its_error(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    broken, page = tmp_path / "<b>broken.pcap", tmp_path / "report.html"
    broken.write_bytes(b"\0" * 100)
    logs = broken, captures / "A/normal-1.pcap"
    result = invoke("classify", *logs, "-m", model, "--report", page, code=3)
    failed = packed(page)["overview-data"]["logs"][0]
    assert failed["error"] in result.stderr
    assert failed["error"].startswith(str(broken))


def test_no_capture_is_replaced_by_a_page(invoke: Invoke, captures: Path, model: Path) -> None:
    log = captures / "A/normal-1.pcap"
    before = log.read_bytes()
    result = invoke("classify", log, "-m", model, "--report", log, code=2)
    assert "does not end in .html" in result.stderr
    assert log.read_bytes() == before


def test_a_model_that_cannot_be_used_leaves_the_old_page(
    invoke: Invoke, captures: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    log = captures / "A/normal-1.pcap"
    invoke("classify", log, "-m", tmp_path / "none", "--report", page, code=1)
    assert page.read_text() == "old"


@pytest.mark.slow
def test_an_interrupt_keeps_what_was_classified(
    captures: Path, model: Path, tmp_path: Path
) -> None:
    """The last log is a pipe that nobody writes to: the run waits for it until Ctrl-C."""
    page, pipe = tmp_path / "report.html", tmp_path / "endless.pcap"
    os.mkfifo(pipe)
    logs = [captures / "A/refused-1.pcap", captures / "A/normal-1.pcap", pipe]
    words = ["classify", *logs, "--model", model, "--report", page, "-n", "A"]
    command = [sys.executable, "-m", "traffic_siamese", *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as run:
        try:
            while "no incident" not in run.stdout.readline():  # the second log is done
                assert run.poll() is None
            time.sleep(0.2)
            assert not page.exists()
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=30)
        finally:
            run.kill()
    assert run.returncode == 130
    held = packed(page)
    assert len(held["overview-data"]["logs"]) == 2
    assert held["overview-data"]["about"]["broken_off"]
    assert "2 logs, all before it was broken off" in said
    assert sorted(tmp_path.iterdir()) == sorted([pipe, page, model])
