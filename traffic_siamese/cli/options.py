"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
    return click.option("-n", "--network", metavar="NAME", help=help_text)


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
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
