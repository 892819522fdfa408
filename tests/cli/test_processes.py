"""The command line as a process: pipes, interrupts, terminals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "traffic_siamese"]


def _run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    arguments = [*COMMAND, *(str(word) for word in words)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, **options)


def test_it_runs_as_a_process(captures: Path, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.csv"
    done = _run("classify", captures / "A", "-m", model, "-o", output, "--incidents", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("capture,start,end,label,confidence,windows,reason,")
    assert output.read_text().count("\n") == 28 - 1 + 42 + 1


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_exit_statuses(captures: Path, model: Path, tmp_path: Path, code: int) -> None:
    """Done; nothing could be read; wrong usage; something was skipped."""
    junk, log = tmp_path / "junk", captures / "A/normal-1.pcap"
    junk.write_bytes(b"junk")
    logs = {0: [log], 1: [junk], 2: [], 3: [log, junk]}[code]
    done = _run("classify", *logs, "-m", model)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_reading_is_no_error(captures: Path, model: Path) -> None:
    """As with ``| head -1``."""
    words = [*COMMAND, "features", str(captures / "A/refused-1.pcap"), "-q"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""


def test_an_interrupt_is_quiet_and_keeps_the_rows_written(
    captures: Path, model: Path, tmp_path: Path
) -> None:
    """Exit status 130; the log that had ended is in the file."""
    done, endless, output = captures / "A/normal-1.pcap", tmp_path / "pipe.pcap", tmp_path / "v.csv"
    os.mkfifo(endless)
    words = [*COMMAND, "classify", str(done), str(endless), "-m", str(model), "-o", str(output)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + 30
        while not (output.exists() and output.read_text().count("\n") > 20):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        assert "Traceback" not in child.stderr.read()
    assert child.returncode == 130
    assert output.read_text().count("\n") == 28


def test_a_killed_run_keeps_the_rows_written(captures: Path, model: Path, tmp_path: Path) -> None:
    done, endless, output = (
        captures / "A/normal-1.pcap",
        tmp_path / "pipe.pcap",
        tmp_path / "v.jsonl",
    )
    os.mkfifo(endless)
    words = [*COMMAND, "classify", str(done), str(endless), "-m", str(model), "-o", str(output)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 30
        while not (output.exists() and output.read_text().count("\n") >= 27):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child.kill()
    assert output.read_text().count("\n") == 27


def test_training_without_tensorflow_says_what_to_install(captures: Path, tmp_path: Path) -> None:
    """TensorFlow hidden from a child interpreter."""
    hide = "import sys; sys.modules['tensorflow'] = None\n"
    words = ["train", str(captures), "--labels", str(captures / "labels.csv"), "-m", str(tmp_path)]
    code = f"{hide}from traffic_siamese.cli.app import cli; cli({words!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'pip install "traffic-siamese[train]"' in done.stderr
    assert done.stderr.count("\n") == 1
