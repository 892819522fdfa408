"""The README and the pages of docs/: no dead link, no command that is not there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest

from traffic_siamese.cli.app import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
PROGRAM = "traffic-siamese "


@cache
def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def _anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings get where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in LINK.findall(_text(page)):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in _anchors(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_linked_from_another(page: str) -> None:
    others = "".join(_text(other) for other in PAGES if other != page)
    assert Path(page).name in others


def _commands(page: str) -> list[list[str]]:
    """Return the command lines of a page's blocks, continued lines joined."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", _text(page), re.MULTILINE | re.DOTALL)
    lines = [
        line.removeprefix("$ ")
        for block in blocks
        for line in block.replace("\\\n", " ").splitlines()
    ]
    told = [line.removeprefix(PROGRAM) for line in lines if line.startswith(PROGRAM)]
    return [shlex.split(line, comments=True) for line in told]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_exist_with_the_options_that_are_shown(page: str) -> None:
    for words in _commands(page):
        command: click.Command = cli
        rest = words
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(click.Context(command), rest)
            assert found is not None
            command = found
        known = {option for param in command.params for option in param.opts}
        given = {word for word in rest if re.match(r"--?[a-z]", word)}
        assert given <= known, f"{page}: {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES)
def test_options_in_the_text_exist(page: str) -> None:
    """Of one command or another, or of a program that is named before."""
    prose = re.sub(r"^```.*?^```$", "", _text(page), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`(--[a-z-]+)[ `]", prose))
    known = {option for command in _all(cli) for param in command.params for option in param.opts}
    assert named <= known | {"--help", "--no-recovery"}


def _all(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        found += _all(command) if isinstance(command, click.Group) else [command]
    return found


def test_the_readme_can_be_read_in_one_go() -> None:
    """The two commands stand on top; what is long has pages of its own."""
    assert _text("README.md").count("\n") < 290
    assert _text("README.md").index("make demo") < _text("README.md").index("make test") < 2000


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 200_000, picture.name
        assert any(picture.name in _text(page) for page in PAGES), picture.name
