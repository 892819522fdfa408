"""The root command: finds a subcommand when it is asked for, and turns errors into one line."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import Any

import click

from traffic_siamese import __version__
from traffic_siamese.cli.colours import colour_wish
from traffic_siamese.cli.options import common_options
from traffic_siamese.cli.said import Refusal, UsageRefusal, why_refused
from traffic_siamese.cli.settings import settings
from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.spelling import did_you_mean

_COMMANDS = (
    "init",
    "train",
    "classify",
    "similar",
    "faults",
    "baseline",
    "evaluate",
    "simulate",
    "film",
    "watch",
    "features",
    "inspect",
    "export",
    "completion",
)
"""In the order in which they are needed; each lives in the module of its name."""

_HELP: type[Exception] = getattr(click.exceptions, "NoArgsIsHelpError", click.exceptions.Exit)
"""Click's way, since 8.2, to show the help of a group that was given nothing."""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; of a misspelt one, say what is like it."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], _COMMANDS) or " --help lists the commands."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the root's own options, colours as the environment wants them."""
        extra.setdefault("color", colour_wish(os.environ))
        try:
            return super().make_context(info_name, args, parent, **extra)
        except _HELP:
            raise
        except click.UsageError as err:
            raise UsageRefusal(err) from err

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; say what went wrong in one line, unless a traceback was asked for."""
        try:
            return super().invoke(ctx)
        except _HELP:
            raise
        except click.UsageError as err:
            raise UsageRefusal(err) from err
        except TrafficSiameseError as err:
            if settings(ctx).traceback:
                raise
            raise Refusal(str(err)) from err
        except KeyboardInterrupt:
            if settings(ctx).traceback:
                raise
            ctx.exit(130)
        except OSError as err:
            if settings(ctx).traceback or err.errno == errno.EPIPE:
                raise
            raise Refusal(why_refused(err)) from err


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@common_options
def cli() -> None:
    """Recognise recurring telecom faults in captured traffic.

    \b
    Example:
      traffic-siamese train captures --labels captures/labels.csv --model model
      traffic-siamese classify tonight.pcap.gz --model model
      traffic-siamese faults add no_route tonight.pcap.gz \\
          --start 02:10:00 --end 02:12:30 --model model

    Exit status: 0 done, 1 data error, 2 wrong usage, 3 done but something was skipped or damaged.
    """
