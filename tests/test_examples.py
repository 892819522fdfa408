"""The notebook-like examples run from end to end, and show what they say."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from traffic_siamese.cli.app import cli

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PAGES = ("classify_captures", "add_a_fault", "watch_the_training")
MARK = re.compile(r"^# %%(.*)\n", re.MULTILINE)


def _cells(name: str) -> list[tuple[str, str]]:
    """Return the cells of a page: what stands behind the mark, and the text."""
    parts = MARK.split((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    assert parts[0] == ""
    return list(zip((kind.strip() for kind in parts[1::2]), parts[2::2], strict=True))


def _prose(name: str) -> str:
    """Return what a reader of the notebook sees between the code."""
    texts = [text for kind, text in _cells(name) if kind == "[markdown]"]
    lines = "".join(texts).splitlines()
    assert all(line == "" or line[0] == "#" for line in lines)
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_a_notebook_in_percent_format(name: str) -> None:
    """Text first, under one title; each cell of code is whole in itself."""
    cells = _cells(name)
    assert cells[0][0] == "[markdown]"
    assert [line[:2] for line in _prose(name).splitlines()].count("# ") == 1
    for kind, text in cells:
        assert kind in ("", "[markdown]")
        ast.parse(text)
    assert sum(kind == "" for kind, _ in cells) >= 4


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_that_a_page_names_exist(name: str) -> None:
    """With the options that it gives them."""
    text = _prose(name).replace("\\\n", " ")
    fenced = re.findall(r"^traffic-siamese (.+)$", text, re.MULTILINE)
    inline = re.findall(r"`traffic-siamese ([^`]+)`", text)
    assert fenced or inline
    for words in fenced + inline:
        command: click.Command = cli
        rest = shlex.split(words)
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(click.Context(command), rest)
            assert found is not None
            command = found
        options = {word for param in command.params for word in param.opts}
        assert {word for word in rest if word.startswith("-")} <= options


def _run(name: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "EXAMPLE_FOLDER": str(folder), "EPOCHS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_captures_are_classified_as_was_done_to_them(tmp_path: Path) -> None:
    """Two faults by their names, the third as unknown, and nothing in the healthy capture."""
    shown = _run("classify_captures", tmp_path)
    told = dict(re.findall(r"^(\w+)-1\.pcap\.zst\n    (?:[\d:]+–[\d:]+  )?(\w+)", shown, re.M))
    assert told == {
        "normal": "nothing",
        "latency": "latency",
        "auth_failure": "auth_failure",
        "mass_call": "unknown",
    }


@pytest.mark.slow
def test_a_fault_taught_on_one_network_is_known_on_another(tmp_path: Path) -> None:
    shown = _run("add_a_fault", tmp_path)
    assert shown.splitlines()[-1] == (
        "network-2/mass_call-1.pcap.zst: unknown before, mass_call now"
    )


@pytest.mark.slow
def test_the_training_is_watched_and_filmed(tmp_path: Path) -> None:
    shown = _run("watch_the_training", tmp_path)
    assert re.search(r"^epoch  1/1  separation +\d", shown, re.MULTILINE)
    assert (tmp_path / "separation.html").stat().st_size > 1_000_000
    assert "blocked-1.pcap.zst: " in shown
