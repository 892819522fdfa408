"""Who wants to know how much of the logs has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int], None]
"""Told the name of a log, and how many bytes of its file were read since it was last told."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def listener() -> Listener | None:
    """Return who listens now; a log asks once, as it is opened."""
    return _LISTENER.get()


@contextmanager
def listening(told: Listener) -> Iterator[None]:
    """Tell of every log that is opened in here, in this process and thread, how it is read.

    Parameters
    ----------
    told : callable
        From a log's name and a number of bytes, as they lie in the file, to nothing.
    """
    token = _LISTENER.set(told)
    try:
        yield
    finally:
        _LISTENER.reset(token)
