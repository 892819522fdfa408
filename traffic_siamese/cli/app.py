"""The root command: finds a subcommand when it is asked for, and turns errors into one line."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import Any

import click

from traffic_siamese import __version__
from traffic_siamese.cli.options import common_options
from traffic_siamese.cli.settings import settings
from traffic_siamese.errors import TrafficSiameseError

_COMMANDS = (
    "init",
    "train",
    "classify",
    "faults",
    "baseline",
    "evaluate",
    "simulate",
    "film",
    "features",
    "inspect",
    "export",
)
"""In the order in which they are needed; each lives in the module of its name."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is run, or its help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"traffic_siamese.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; say what went wrong in one line, unless a traceback was asked for."""
        try:
            return super().invoke(ctx)
        except TrafficSiameseError as err:
            if settings(ctx).traceback:
                raise
            raise click.ClickException(str(err)) from err
        except KeyboardInterrupt:
            if settings(ctx).traceback:
                raise
            ctx.exit(130)
        except OSError as err:
            if settings(ctx).traceback or err.errno == errno.EPIPE:
                raise
            where = f"{err.filename}: " if err.filename else ""
            raise click.ClickException(f"{where}{err.strerror or err}") from err


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@common_options
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Recognise recurring telecom faults in captured traffic.

    \b
    Example:
      traffic-siamese train captures --labels captures/labels.csv --model model
      traffic-siamese classify tonight.pcap.gz --model model
      traffic-siamese faults add no_route tonight.pcap.gz \\
          --start 02:10:00 --end 02:12:30 --model model

    Exit status: 0 done, 1 data error, 2 wrong usage, 3 done but something was skipped or damaged.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
