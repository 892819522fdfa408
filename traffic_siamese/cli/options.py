"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from traffic_siamese.cli.known_names import complete_network
from traffic_siamese.cli.settings import settings

F = TypeVar("F", bound=Callable[..., Any])


def _set(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and param.name:
        setattr(settings(ctx), param.name, True)


def common_options(function: F) -> F:
    """Add ``--quiet`` and ``--traceback``, which may stand before or after the command's name."""
    flags: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _set}
    quiet = click.option("-q", "--quiet", help="No progress, no summary; errors only.", **flags)
    traceback = click.option("--traceback", help="Show where an error arose.", **flags)
    return quiet(traceback(function))


def _limit(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
    """Hand the limit to whatever reads logs in this run, worker processes included."""
    name = str(param.envvar)
    if value is None or os.environ.get(name) == str(value):
        return
    before = os.environ.get(name)
    os.environ[name] = str(value)
    ctx.call_on_close(lambda: _restore(name, before))


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def max_bytes_option(function: F) -> F:
    """Add ``--max-bytes``, for commands that read logs."""
    return click.option(
        "--max-bytes",
        type=click.IntRange(min=1),
        expose_value=False,
        callback=_limit,
        envvar="TRAFFIC_SIAMESE_MAX_BYTES",
        metavar="N",
        help="Bytes a compressed log may hold; by default 128 MiB, or 200 times its size if more.",
    )(function)


def model_option(function: F) -> F:
    """Add ``--model``."""
    return click.option(
        "-m",
        "--model",
        required=True,
        type=click.Path(),
        metavar="MODEL",
        help="Directory of the model.",
    )(function)


def network_option(help_text: str) -> Callable[[F], F]:
    """Add ``--network``."""
    return click.option(
        "-n", "--network", metavar="NAME", help=help_text, shell_complete=complete_network
    )


def json_option(function: F) -> F:
    """Add ``--json``; eager, so that an option which shows a list and exits knows of it."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        help="Write JSON to standard output, for other programs.",
    )(function)


class TableFile(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no parameter here
    """A file to write rows to, its format known by its name."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the name's ending."""
        from traffic_siamese.tables import table_format

        try:
            table_format(str(value))
        except ValueError as err:
            self.fail(f"{err}.", param, ctx)
        return str(value)


TABLE_FILE = TableFile()
