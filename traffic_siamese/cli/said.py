"""How an error reaches people: one line, its beginning red on a terminal."""

from __future__ import annotations

import errno
import os
import re
from typing import IO, Any

import click

from traffic_siamese.cli.colours import coloured_kind

_DRAFT = re.compile(r"\.([^/]+)\.\w{8}$")
"""What a file is called while it is being written; people know it by its own name."""

_HINTS = {
    errno.ENOENT: "Check the path.",
    errno.EACCES: "Check who may read and write there.",
    errno.EPERM: "Check who may read and write there.",
    errno.EROFS: "Choose a folder that can be written.",
    errno.ENOSPC: "Make room, or choose another disk.",
    errno.EDQUOT: "Make room, or choose another disk.",
    errno.EISDIR: "Name a file in it.",
    errno.ENOTDIR: "Check the path: a part of it is a file.",
    errno.EEXIST: "Choose another name.",
    errno.EMFILE: "Allow more open files (ulimit -n), or give fewer logs at once.",
    errno.EADDRINUSE: "Another program listens there: stop it, or choose another port.",
}


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


def why_refused(err: OSError) -> str:
    """Say what the system refused, and what may help."""
    name = _DRAFT.sub(r"\1", str(err.filename or ""))
    folder = os.path.dirname(name) or "."
    if err.errno == errno.ENOENT and not os.path.isdir(folder):
        return f"{folder}: no such folder. Make it first, or choose another place."
    where = f"{name}: " if name else ""
    hint = _HINTS.get(err.errno or 0, "")
    return f"{where}{err.strerror or err}{'. ' if hint else ''}{hint}"
