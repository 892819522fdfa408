"""Pages that need nothing but a browser: plotly.js and the data travel inside, compressed.

Data goes in as gzip in base64, an alphabet in which no user's text can end a script or open a tag;
the browser unpacks it with ``DecompressionStream``.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@lru_cache(maxsize=1)
def packed_plotly() -> str:
    """Return plotly.js as base64 of gzip, about 2 MB; packed once a process."""
    from plotly.offline import get_plotlyjs

    return pack_bytes(get_plotlyjs().encode())


def pack_bytes(data: bytes) -> str:
    """Return ``data`` as base64 of gzip; equal data give equal text."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


def pack_json(value: Any) -> str:
    """Return ``value`` as base64 of gzip of JSON.

    Parameters
    ----------
    value : object
        What ``json`` takes.

    Raises
    ------
    ValueError
        If it holds NaN or infinity, which JavaScript's parser refuses; write ``None``.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return pack_bytes(text.encode("utf-8", "backslashreplace"))


def escape(text: str) -> str:
    """Return ``text`` safe to stand in an element or a quoted attribute of a page."""
    return html.escape(text).encode("utf-8", "backslashreplace").decode()


def part(name: str) -> str:
    """Return the text of one of the files beside this module, such as ``film.css``."""
    return files(__package__).joinpath(name).read_text("utf-8")


def assemble(template: str, parts: Mapping[str, str]) -> str:
    """Fill the ``{{name}}`` places of a page in one pass.

    What is filled in is not looked at again, so a value may hold braces. Values are not escaped.

    Parameters
    ----------
    template : str
        The page with its places.
    parts : mapping of str to str
        Name to text; escape users' text with ``escape`` first.

    Raises
    ------
    KeyError
        If the template names a part that is not given.
    """
    return PLACEHOLDER.sub(lambda match: parts[match[1]], template)


def write_page(path: str | os.PathLike[str], page: str) -> int:
    """Write a page whole or not at all; return its size in bytes.

    Parameters
    ----------
    path : path-like
        Where to; an existing file is replaced. The folder must exist.
    page : str
        The text, written as UTF-8.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    data = page.encode()
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(draft, file_mode())
        os.replace(draft, target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return len(data)


def file_mode() -> int:
    """Return the permissions of a new file, as the user's umask wants them."""
    current = os.umask(0)
    os.umask(current)
    return 0o666 & ~current
