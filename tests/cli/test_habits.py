"""What people expect of any command: progress, quiet pipes, colours where they are wanted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from tests.cli.terminal import WIPE, run, screen
from tests.cli.tiny import at
from tests.conftest import Invoke
from traffic_siamese.captures.listening import listening
from traffic_siamese.cli.app import cli
from traffic_siamese.cli.colours import colour_wish, coloured_label
from traffic_siamese.cli.manual import Manual
from traffic_siamese.logs.reading import read_logs

EXAMPLE = ("--start", at(60), "--end", at(120))
"""Of the fault that A/refused-1.pcap shows."""


def _filled(words: tuple[str, ...], **paths: Path) -> list[str]:
    return [re.sub(r"[A-Z]{2,}", lambda m: str(paths[m[0].lower()]), word) for word in words]


SLOW = [
    ("classify", "LOGS", "-m", "MODEL"),
    ("baseline", "LOGS/A/normal-1.pcap", "-m", "MODEL", "-n", "C"),
    ("faults", "add", "new", "LOGS/B/refused-1.pcap", *EXAMPLE, "-m", "MODEL"),
    ("features", "LOGS/A/refused-1.pcap", "-o", "OUT/series.csv"),
    ("inspect", "LOGS/A/refused-1.pcap"),
    ("evaluate", "LOGS", "--labels", "LOGS/labels.csv", "-m", "MODEL"),
    ("simulate", "OUT/lab", "--faults", "latency", "--networks", "1", "--minutes", "2"),
    ("film", "MODEL", "-o", "OUT/film.html"),
    ("similar", "LOGS/A/refused-1.pcap", "--at", "+90", "-m", "MODEL", "--among", "LOGS"),
]
"""Commands that may take more than a second."""


def _name(words: tuple[str, ...]) -> str:
    return " ".join(words[: 2 if words[0] == "faults" else 1])


@pytest.mark.parametrize("words", SLOW, ids=_name)
def test_a_terminal_sees_progress_that_is_taken_away(
    captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It is written over and over on one line; when all is done, the screen holds none of it."""
    filled = _filled(words, logs=captures, model=model, out=tmp_path)
    status, seen = run(*filled, stdout=tmp_path / "stdout")
    assert status in (0, 3), seen
    shown = [part for part in seen.split(WIPE) if part and b"\n" not in part]
    assert shown, "nothing was shown"
    assert not any("ETA" in line or "…" in line for line in screen(seen))


@pytest.mark.parametrize("words", [SLOW[0], SLOW[1], SLOW[3], SLOW[5], SLOW[6]], ids=_name)
def test_progress_tells_the_time_to_go(
    captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    _, seen = run(*_filled(words, logs=captures, model=model, out=tmp_path), stdout=tmp_path / "o")
    assert re.search(rb", \d+%, ETA \d+:\d\d", seen)


@pytest.mark.parametrize("words", [SLOW[0], SLOW[1], SLOW[6]], ids=_name)
def test_quiet_shows_nothing_on_a_terminal(
    captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    filled = _filled(words, logs=captures, model=model, out=tmp_path)
    assert run(*filled, "--quiet", stdout=tmp_path / "stdout")[1] == b""


@pytest.mark.parametrize("words", SLOW, ids=_name)
def test_a_pipe_gets_no_control_characters(
    captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    filled = _filled(words, logs=captures, model=model, out=tmp_path)
    done = subprocess.run([sys.executable, "-m", "traffic_siamese", *filled], capture_output=True)
    assert done.returncode in (0, 3)
    for stream in (done.stdout, done.stderr):
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", stream)


def test_a_terminal_without_cursor_sees_no_progress(captures: Path, model: Path) -> None:
    _, seen = run("classify", captures, "-m", model, TERM="dumb")
    assert b"\x1b" not in seen
    assert b"4 logs read" in seen


def test_results_on_the_same_terminal_stay_whole(captures: Path, model: Path) -> None:
    """Progress and incidents share the screen; what is left is what a pipe gets."""
    _, seen = run("classify", captures, "-m", model)
    piped = subprocess.run(
        [sys.executable, "-m", "traffic_siamese", "classify", str(captures), "-m", str(model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert sorted(screen(seen)) == sorted(line for line in piped.stdout.splitlines() if line)


def test_a_listener_hears_every_byte_of_a_log_once(captures: Path) -> None:
    """But for the first 64 KiB, which are read to tell what it is, and then again.

    Not of logs that others read, nor of those that are read later.
    """
    log = captures / "A" / "refused-1.pcap"
    heard: list[int] = []
    with listening(lambda name, n: heard.append(n) if name == str(log) else None):
        read_logs(log)
        size = log.stat().st_size
        assert size <= sum(heard) <= size + 2 * (64 << 10)
        n_heard = len(heard)
        other = threading.Thread(target=read_logs, args=(log,))
        other.start()
        other.join()
    read_logs(log)
    assert len(heard) == n_heard


@pytest.mark.parametrize(
    ("environ", "wish"),
    [
        ({}, None),
        ({"TERM": "xterm"}, None),
        ({"NO_COLOR": ""}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"CLICOLOR": "0"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, None),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=str,
)
def test_the_environment_decides_about_colours(environ: dict[str, str], wish: bool | None) -> None:
    assert colour_wish(environ) is wish


def test_labels_have_the_colours_that_people_know() -> None:
    """ANSI: 31 red, 32 green, 2 dim; 208 of the 256 colours is orange."""
    begins = {"normal": "32", "blocked": "31", "capacity": "38;5;208", "unknown": "2"}
    for label, code in begins.items():
        assert coloured_label(label) == f"\x1b[{code}m{label}\x1b[0m"
    assert click.unstyle(coloured_label("no_route", "no_route  ")) == "no_route  "


def _classified(captures: Path, model: Path, **environ: str) -> bytes:
    return run("classify", captures / "A/refused-1.pcap", "-m", model, "-q", **environ)[1]


def test_labels_are_coloured_on_a_terminal(captures: Path, model: Path) -> None:
    assert re.search(rb"\x1b\[\d+mrefused\x1b\[0m", _classified(captures, model))
    assert b"\x1b" not in _classified(captures, model, NO_COLOR="1")


@pytest.mark.parametrize("forced", ["FORCE_COLOR", "CLICOLOR_FORCE", ""])
def test_a_pipe_gets_colours_only_if_asked(captures: Path, model: Path, forced: str) -> None:
    words = ["classify", str(captures / "A/refused-1.pcap"), "-m", str(model), "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "traffic_siamese", *words],
        capture_output=True,
        env={**os.environ, **({forced: "1"} if forced else {})},
    )
    assert (b"\x1b[" in done.stdout) is bool(forced)


@pytest.mark.parametrize("words", [("features", "none.pcap"), ("train", "--epochs", "0"), ("oh",)])
def test_errors_are_red_on_a_terminal(words: tuple[str, ...]) -> None:
    assert b"\x1b[31m\x1b[1mError:\x1b[0m " in run(*words)[1]
    plain = run(*words, NO_COLOR="1")[1]
    assert b"Error: " in plain
    assert not re.search(rb"\x1b\[[0-9;]*m", plain)  # a slow machine may have cleared its progress


PRINTS = [
    *SLOW,
    ("init", "OUT/started"),
    ("faults", "list", "-m", "MODEL"),
    ("faults", "show", "refused", "-m", "MODEL"),
    ("faults", "rename", "refused", "declined", "-m", "MODEL"),
    ("faults", "remove", "refused", "-m", "MODEL"),
    ("inspect", "MODEL"),
    ("export", "MODEL", "--onnx", "OUT/encoder.onnx"),
    ("completion", "bash"),
    ("simulate", "--list"),
    ("classify", "LOGS", "-m", "MODEL", "--report", "OUT/report.html"),
    ("classify", "LOGS", "-m", "MODEL", "--alarms", "-"),
    ("classify", "LOGS", "-m", "MODEL", "--incidents", "-"),
    ("faults", "show", "refused", "-m", "MODEL", "-o", "OUT/fault.html"),
    ("features", "OUT/table.csv", "--describe"),
    ("features", "LOGS/A/normal-1.pcap"),
    ("inspect", "OUT/table.csv"),
]


def _printed(
    invoke: Invoke, words: tuple[str, ...], captures: Path, model: Path, folder: Path
) -> list[dict[str, object]]:
    """Return the objects that a command prints with ``--json``; lists are taken apart."""
    rows = [f"2026-11-22T06:{minute:02}:00,{10 * minute}" for minute in range(40)]
    (folder / "table.csv").write_text("\n".join(["time,bytes", *rows]) + "\n")
    filled = _filled(words, logs=captures, model=model, out=folder)
    result = invoke(*filled, "--json", code=None)
    assert result.exit_code in (0, 3)
    found = []
    for line in result.stdout.splitlines():
        value = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        found += value if isinstance(value, list) else [value]
    return found


@pytest.mark.parametrize("words", PRINTS, ids=" ".join)
def test_json_is_all_that_standard_output_gets(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Whole values, one a line, whose names the command's help explains; nothing in between."""
    found = _printed(invoke, words, captures, model, tmp_path)
    assert found or "-o" in words
    if "features" in words or "-" in words:
        return  # rows of tables, whose columns stand elsewhere
    told = _told(words)
    for name in {name for one in found for name in one}:
        assert name in told, f"{name} is not in the help"


def _told(words: tuple[str, ...]) -> set[str]:
    """Return every word of what a command's help says of its JSON."""
    command = cli.get_command(click.Context(cli), words[0])
    if isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words[1])
    assert isinstance(command, Manual)
    return set(re.findall(r"\w+", " ".join(sum(command.answer.items(), ()))))
