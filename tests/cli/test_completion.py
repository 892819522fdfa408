"""What a shell offers when the tabulator key is pressed; bash is asked itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Invoke

PROGRAMS = Path(sys.executable).parent
HEAVY = "numpy onnxruntime pandas plotly pyarrow tensorflow"
needs_bash = pytest.mark.skipif(
    not (shutil.which("bash") and (PROGRAMS / "traffic-siamese").exists()),
    reason="needs bash, and the command installed",
)
BASH = """
eval "$(traffic-siamese completion bash)"
complete -p traffic-siamese >&2
COMP_WORDS=("$@"); COMP_CWORD=$POINT
compopt() { COMPREPLY+=("<files>"); }
_traffic_siamese_completion traffic-siamese
printf '%s\\n' "${COMPREPLY[@]}"
"""


def _bash(*words: str, cursor: int | None = None, cwd: Path | None = None) -> list[str]:
    """Return what bash offers for the word at the cursor, the last one unless said otherwise."""
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", "traffic-siamese", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            **os.environ,
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "POINT": str(len(words) if cursor is None else cursor),
        },
    )
    assert "-F _traffic_siamese_completion traffic-siamese" in done.stderr
    return [line for line in done.stdout.splitlines() if line]


@needs_bash
def test_commands_are_completed() -> None:
    assert _bash("cl") == ["classify"]
    assert _bash("faults", "re") == ["remove", "rename"]
    assert {"train", "classify", "faults", "film"} <= set(_bash(""))


@needs_bash
def test_options_and_their_choices_are_completed() -> None:
    assert _bash("train", "--free") == ["--freeze"]
    assert _bash("train", "x", "--freeze", "") == ["none", "lstm"]
    assert _bash("completion", "") == ["bash", "zsh", "fish"]


@needs_bash
def test_files_are_left_to_the_shell() -> None:
    assert _bash("inspect", "") == ["<files>"]
    assert _bash("classify", "x.pcap", "--model", "") == ["<files>"]


@needs_bash
@pytest.mark.parametrize("command", ["show", "remove", "rename"])
def test_faults_come_from_the_model_on_the_line(model: Path, command: str) -> None:
    words = ("faults", command, "--model", str(model))
    assert _bash(*words, "") == ["normal", "refused"]
    assert _bash(*words, "re") == ["refused"]


@needs_bash
def test_the_model_may_stand_behind_the_cursor(model: Path) -> None:
    assert _bash("faults", "show", "r", "-m", str(model), cursor=3) == ["refused"]
    assert _bash("faults", "show", "r", f"--model={model}", cursor=3) == ["refused"]
    assert _bash("faults", "show", "r", "--model", "=", str(model), cursor=3) == ["refused"]


@needs_bash
def test_networks_come_from_the_model_on_the_line(model: Path) -> None:
    assert _bash("classify", "x.pcap", "-m", str(model), "--network", "") == ["A"]
    assert _bash("baseline", "x.pcap", "-m", str(model), "-n", "") == ["A"]


@needs_bash
@pytest.mark.parametrize("found", ["none", "no model", "half a word"])
def test_without_a_model_nothing_is_offered(tmp_path: Path, found: str) -> None:
    where = {"none": [], "no model": ["-m", str(tmp_path)], "half a word": ["-m", "'"]}[found]
    assert _bash("faults", "show", *where, "") == []


@pytest.mark.parametrize(
    ("shell", "mark"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef traffic-siamese"), ("fish", "complete ")],
)
def test_each_shell_gets_its_script(invoke: Invoke, shell: str, mark: str) -> None:
    script = invoke("completion", shell).stdout
    assert mark in script
    assert f"_TRAFFIC_SIAMESE_COMPLETE={shell}_complete" in script


def test_an_unknown_shell_is_wrong_usage(invoke: Invoke) -> None:
    assert "'bash', 'zsh', 'fish'" in invoke("completion", "dos", code=2).stderr


def test_completing_names_imports_nothing_heavy(model: Path) -> None:
    """It is waited for at every key: a fraction of a second, and the names are there."""
    code = (
        "import sys, os\n"
        "from traffic_siamese.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print([name for name in {HEAVY!r}.split() if name in sys.modules], file=sys.stderr)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "_TRAFFIC_SIAMESE_COMPLETE": "bash_complete",
            "COMP_WORDS": f"traffic-siamese faults show --model {model} ",
            "COMP_CWORD": "5",
        },
    )
    assert done.stderr.strip() == "[]"
    assert done.stdout.split() == ["plain,normal", "plain,refused"]
    assert time.monotonic() - started < 5
