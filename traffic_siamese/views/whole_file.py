"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a draft beside ``path``, which takes its place when the block ends.

    Where the block fails, the draft goes and an older file stays.

    Parameters
    ----------
    path : path-like
        The file to be; an existing one is replaced. The folder must exist.

    Yields
    ------
    Path
        An empty file to write to.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(file_mode())
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def file_mode() -> int:
    """Return the permissions of a new file, as the user's umask wants them."""
    current = os.umask(0)
    os.umask(current)
    return 0o666 & ~current
