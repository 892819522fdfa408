"""What holds for a whole run of the command line."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import click

SKIPPED = 3
"""Exit status: done, but something was skipped or damaged."""


class Line(Protocol):
    """A line on the terminal that makes room for others."""

    def aside(self) -> AbstractContextManager[None]:
        """Take it away while something else is written."""


@dataclass(slots=True)
class Settings:
    """Whether to keep quiet, and whether to show where an error arose.

    Attributes
    ----------
    quiet, traceback : bool
    line : Line or None
        The progress that is shown at the moment.
    """

    quiet: bool = False
    traceback: bool = False
    line: Line | None = None


def settings(ctx: click.Context | None = None) -> Settings:
    """Return the settings of this run."""
    return (ctx or click.get_current_context()).find_root().ensure_object(Settings)
