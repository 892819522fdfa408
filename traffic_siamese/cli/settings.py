"""What holds for a whole run of the command line."""

from __future__ import annotations

from dataclasses import dataclass

import click

SKIPPED = 3
"""Exit status: done, but something was skipped or damaged."""


@dataclass(slots=True)
class Settings:
    """Whether to keep quiet, and whether to show where an error arose."""

    quiet: bool = False
    traceback: bool = False


def settings(ctx: click.Context | None = None) -> Settings:
    """Return the settings of this run."""
    return (ctx or click.get_current_context()).find_root().ensure_object(Settings)
