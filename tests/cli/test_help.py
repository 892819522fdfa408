"""Every command is documented, and none is documented wrongly."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from tests.conftest import Invoke
from traffic_siamese import __version__
from traffic_siamese.cli.app import cli


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[" ".join((*path, name))] = command
        if isinstance(command, click.Group):
            found |= _commands(command, (*path, name))
    return found


COMMANDS = _commands(cli)


def test_all_commands_are_there() -> None:
    words = (
        "init train classify similar faults baseline evaluate simulate film watch features inspect "
        "export completion"
    )
    subcommands = {f"faults {name}" for name in ("add", "list", "show", "rename", "remove")}
    assert set(COMMANDS) == {*words.split(), *subcommands}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_commands_help_says_what_it_does_with_an_example(invoke: Invoke, name: str) -> None:
    text = invoke(*name.split(), "--help").stdout
    assert "Example:" in text
    assert f"traffic-siamese {name.split()[0]}" in text
    headings = [line for line in text.splitlines() if line and not line.startswith("  ")]
    assert headings[0].startswith(f"Usage: cli {name} ")
    assert all(heading.endswith(":") for heading in headings[1:])
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"faults"}))
def test_help_is_a_page_of_a_manual(invoke: Invoke, name: str) -> None:
    """Synopsis, description, options, what ``--json`` writes, every exit status, in this order."""
    text = invoke(*name.split(), "--help").stdout
    headings = re.findall(r"^(\S.*?)(?:, .*)?:(?: .*)?$", text, flags=re.MULTILINE)
    order = ("Usage", "Options", "JSON", "Exit status")
    assert [heading for heading in headings if heading in order] == list(order)
    assert re.findall(r"^  (\d+)  ", text, flags=re.MULTILINE)[-5:] == ["0", "1", "2", "3", "130"]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"faults"}))
def test_a_long_help_has_its_options_in_groups(invoke: Invoke, name: str) -> None:
    """No group is so long that nothing is found in it, and each option stands in one."""
    text = invoke(*name.split(), "--help").stdout
    sizes = [len(re.findall(r"^  --?\w", part, flags=re.MULTILINE)) for part in text.split("\n\n")]
    assert max(sizes) <= 10
    options = [param for param in COMMANDS[name].params if isinstance(param, click.Option)]
    assert sum(sizes) == len(options) + 1


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_help_or_a_telling_name(name: str) -> None:
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option) and not option.show_default:
            assert option.help, f"{name} {option.name}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_examples_parse(name: str) -> None:
    """Each example names an existing command and only options that it has."""
    text = (COMMANDS[name].help or "").replace("\\\n", " ")
    examples = re.findall(r"^\s*traffic-siamese (.+)$", text, flags=re.MULTILINE)
    assert examples
    for example in examples:
        context = cli.make_context("traffic-siamese", shlex.split(example))
        words = [*context._protected_args, *context.args]
        group: click.Command = cli
        while isinstance(group, click.Group):
            _, found, words = group.resolve_command(context, words)
            assert found is not None
            group = found
        group.make_context("x", words)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"faults"}))
def test_whatever_prints_knows_json_and_quiet(name: str) -> None:
    options = {word for param in COMMANDS[name].params for word in param.opts}
    assert {"--json", "--quiet", "--traceback"} <= options


def test_the_version_is_told(invoke: Invoke) -> None:
    assert __version__ in invoke("--version").stdout


def test_without_a_command_the_help_is_shown(invoke: Invoke) -> None:
    assert "Usage:" in invoke(code=2).output


@pytest.mark.parametrize("words", [("nothing",), ("classify",), ("train", "--epochs", "0")])
def test_wrong_usage_is_status_2(invoke: Invoke, words: tuple[str, ...]) -> None:
    assert "Error: " in invoke(*words, code=2).stderr
