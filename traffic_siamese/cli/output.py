"""Words for people on standard error, tables for people on standard output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import click

from traffic_siamese.cli.colours import coloured_kind
from traffic_siamese.cli.settings import settings


def say(text: str) -> None:
    """Tell people something on standard error, unless they asked for quiet."""
    if not settings().quiet:
        _echo(text)


def complain(text: str, *, kind: str = "Warning") -> None:
    """Tell people what is wrong, on standard error; warnings are kept back when quiet."""
    if kind != "Warning" or not settings().quiet:
        _echo(coloured_kind(kind) + text)


def _echo(text: str) -> None:
    line = settings().line
    with line.aside() if line else nullcontext():
        click.echo(text, err=True)


def print_json(value: Any) -> None:
    """Write one JSON value to standard output, as one line."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Write rows in columns; ``right`` are the columns to align to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def count(n: int, noun: str) -> str:
    """Write a number with its noun, such as ``1,200 windows``."""
    plural = "" if n == 1 else "es" if noun.endswith("tch") else "s"
    return f"{n:,} {noun}{plural}"


def duration(seconds: float) -> str:
    """Write a length of time: ``0.31 s``, ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
