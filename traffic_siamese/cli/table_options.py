"""Options that say how tables are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from traffic_siamese.logs.options import ReadOptions

F = TypeVar("F", bound=Callable[..., Any])


def table_options(function: F) -> F:
    """Add ``--columns``, ``--by`` and ``--timezone``."""
    columns = click.option(
        "--columns",
        type=click.Path(),
        metavar="FILE",
        help="YAML file that says what the columns of tables are; features --describe writes one.",
    )
    by = click.option(
        "--by", metavar="COLUMN", help="Column of tables that names the network element of a row."
    )
    timezone = click.option(
        "--timezone",
        metavar="ZONE",
        help="Of times in tables that say none, such as Europe/Berlin; default: UTC.",
    )
    return columns(by(timezone(function)))


def reading_of(
    columns: str | None = None, by: str | None = None, timezone: str | None = None
) -> ReadOptions:
    """Return what the options say; those of the command line stand above the file's."""
    from traffic_siamese.logs.column_file import read_column_file
    from traffic_siamese.logs.options import ReadOptions

    options = read_column_file(columns) if columns else ReadOptions()
    if by:
        options = replace(options, by=by)
    return replace(options, timezone=timezone) if timezone else options
