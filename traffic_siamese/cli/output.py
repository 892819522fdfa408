"""Words for people on standard error, tables for people on standard output."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import click

from traffic_siamese.cli.settings import settings

_FIRST_S = 1.0
_EVERY_S = 0.2


def say(text: str) -> None:
    """Tell people something on standard error, unless they asked for quiet."""
    if not settings().quiet:
        click.echo(text, err=True)


def complain(text: str, *, kind: str = "Warning") -> None:
    """Tell people what is wrong, on standard error; warnings are kept back when quiet."""
    if kind != "Warning" or not settings().quiet:
        click.echo(click.style(f"{kind}: ", fg="yellow") + text, err=True)


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


def clock(seconds: float) -> str:
    """Write a time to go as ``m:ss`` or ``h:mm:ss``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    start = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{start}:{rest % 60:02d}"


class Progress:
    """One line on a terminal's standard error that is written over and over; elsewhere nothing."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty() and not settings().quiet
        self._start = self._last = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def eta(self, share: float) -> str:
        """Return the time to go when this share of the work is done."""
        spent = time.monotonic() - self._start
        return clock(spent / share - spent) if share > 0 else "?"

    def show(self, text: str, *, at_once: bool = False) -> None:
        """Replace the line, at most a few times a second and not in the first one."""
        now = time.monotonic()
        if not self.live or not (at_once or self._is_due(now)):
            return
        self._last = now
        width = shutil.get_terminal_size().columns - 1
        click.echo("\r\x1b[K" + text[:width], err=True, nl=False)
        self._shown = True

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False

    def _is_due(self, now: float) -> bool:
        return now - self._start >= _FIRST_S and now - self._last >= _EVERY_S
