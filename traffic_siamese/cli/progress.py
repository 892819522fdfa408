"""How far the work is: one line on a terminal, nothing elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

import click

from traffic_siamese.captures.listening import listening
from traffic_siamese.cli.settings import settings

_FIRST_S = 1.0
_EVERY_S = 0.2
_WIPE = "\r\x1b[K"


def clock(seconds: float) -> str:
    """Write a time to go as ``m:ss`` or ``h:mm:ss``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    start = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{start}:{rest % 60:02d}"


class Progress:
    """One line on a terminal's standard error that is written over and over; elsewhere nothing.

    It appears after a second, is kept up to date by a thread of its own, so that it also tells of
    work that reports nothing, and is taken away at the end.

    Parameters
    ----------
    what : str
        What is being done, until something else is shown.

    Attributes
    ----------
    live : bool
        Whether there is a terminal, and people want to see something on it.
    """

    def __init__(self, what: str = "") -> None:
        run = settings()
        self.live = sys.stderr.isatty() and not run.quiet and os.environ.get("TERM") != "dumb"
        self._run = run
        self._start = self._last = self._since = time.monotonic()
        self._text, self._share = what, 0.0
        self._shown = False
        self._lock = RLock()
        self._done = Event()
        self._thread = Thread(target=self._keep_up_to_date, daemon=True)

    def __enter__(self) -> Self:
        if self.live:
            self._run.line = self
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
        self.clear()
        if self._run.line is self:
            self._run.line = None

    def eta(self, share: float) -> str:
        """Return the time to go when this share of the work is done."""
        spent = time.monotonic() - self._start
        return clock(spent / share - spent) if share > 0 else "?"

    def show(self, text: str, *, at_once: bool = False) -> None:
        """Replace the line, at most a few times a second and not in the first one."""
        with self._lock:
            self._text, self._share = text, -1.0
            self._paint_if_due(at_once=at_once)

    def step(self, share: float, what: str) -> None:
        """Show what is being done and the share of it that is done; the time to go follows."""
        with self._lock:
            self._text, self._share, self._since = what, min(share, 1.0), time.monotonic()
            self._paint_if_due(at_once=False)

    def clear(self) -> None:
        """Take the line away until something is shown again."""
        with self._lock:
            self._text = ""
            self._wipe()

    def reading(self, logs: Iterable[str], *, then: str) -> AbstractContextManager[None]:
        """Show how much of these logs has been read in this process.

        Parameters
        ----------
        logs : iterable of str
            Paths; of what is no file, such as standard input, the bytes are told.
        then : str
            What is done with what was read; shown when all of it was.
        """
        return listening(_Read(self, logs, then))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the line away while something else is written."""
        with self._lock:
            self._wipe()
            yield

    def _keep_up_to_date(self) -> None:
        while not self._done.wait(_EVERY_S):
            with self._lock:
                self._paint_if_due(at_once=False)

    def _paint_if_due(self, *, at_once: bool) -> None:
        now = time.monotonic()
        due = now - self._start >= _FIRST_S and now - self._last >= _EVERY_S
        if not self.live or not self._text or not (at_once or due):
            return
        self._last = now
        width = shutil.get_terminal_size().columns - 1
        click.echo(_WIPE + self._line(now)[:width], err=True, nl=False)
        self._shown = True

    def _line(self, now: float) -> str:
        if self._share < 0:
            return self._text
        spent = self._since - self._start
        if not 0 < self._share < 1:
            return f"{self._text} … {clock(now - self._start)}"
        left = spent / self._share - spent - (now - self._since)
        return f"{self._text}, {self._share:.0%}, ETA {clock(left)}"

    def _wipe(self) -> None:
        if self._shown:
            click.echo(_WIPE, err=True, nl=False)
            self._shown = False


@contextmanager
def reading(logs: Iterable[str], *, then: str) -> Iterator[Progress]:
    """Show how much of these logs has been read; see `Progress.reading`."""
    with Progress(then) as progress, progress.reading(logs, then=then):
        yield progress


class _Read:
    """Counts the bytes of logs as they are read."""

    def __init__(self, progress: Progress, logs: Iterable[str], then: str) -> None:
        self._progress, self._then = progress, then
        self._total = sum(map(_size, logs)) if progress.live else 0
        self._n = 0

    def __call__(self, name: str, n: int) -> None:
        self._n += n
        what = f"reading {Path(name).name}" if name[:1] not in "-<" else "reading"
        if not self._total:
            self._progress.step(0, f"{what}, {self._n / 1e6:,.0f} MB")
        elif self._n < self._total:
            self._progress.step(self._n / self._total, what)
        else:
            self._progress.step(0, self._then)


def _size(log: str) -> int:
    """Return the bytes of a log's file; ``FILE#ELEMENT`` is in the file."""
    path = log if os.path.exists(log) else log.rpartition("#")[0]
    return os.path.getsize(path) if os.path.isfile(path) else 0
