"""How an error reaches people: one line, its beginning red on a terminal."""

from __future__ import annotations

import re
from typing import IO, Any

import click

from traffic_siamese.cli.colours import coloured_kind


class Refusal(click.ClickException):
    """Something about the data that stops the command; exit status 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to standard error."""
        _write(self.format_message(), self.show_color)


class UsageRefusal(click.UsageError):
    """Wrong usage; exit status 2. Told with the command's usage.

    Parameters
    ----------
    err : click.UsageError
        What click, or a command, found wrong.
    """

    def __init__(self, err: click.UsageError) -> None:
        super().__init__(_with_point(err.format_message()), err.ctx)

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the usage, then what is wrong with it, to standard error."""
        if self.ctx is not None:
            path = self.ctx.command_path
            usage = f"{self.ctx.get_usage()}\nTry '{path} --help' for help.\n"
            click.echo(usage, err=True, color=self.ctx.color)
        _write(self.format_message(), self.ctx.color if self.ctx else self.show_color)


def _with_point(message: str) -> str:
    """Say that the decimal mark is a point, where a comma was found."""
    found = re.search(r"'(\d+),(\d+)' is (?:not a valid float|no time)", message)
    return f"{message} Write {found[1]}.{found[2]}, with a point." if found else message


def _write(message: str, color: bool | None) -> None:
    click.echo(coloured_kind("Error") + message, err=True, color=color)
