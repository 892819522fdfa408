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
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from traffic_siamese.views.whole_file import whole_file

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


def head(title: str, styles: Iterable[str]) -> str:
    """Return what stands before a page's body.

    Parameters
    ----------
    title : str
        Any text; it is escaped here.
    styles : iterable of str
        Names of the style sheets that follow the one of all pages, such as ``film``.
    """
    return assemble(part("page_head.html"), {"title": escape(title), "style": style(styles)})


def style(names: Iterable[str]) -> str:
    """Return the style sheet of all pages and those named, in one."""
    return "\n".join(part(f"{name}.css") for name in ("page", *names))


def script(names: Iterable[str]) -> str:
    """Return the script of all pages and those named, in one, its names hidden from others."""
    texts = "\n".join(part(f"{name}.js") for name in ("page", *names))
    return assemble(part("page_frame.js"), {"script": texts})


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
    data = page.encode()
    with whole_file(path) as draft:
        draft.write_bytes(data)
    return len(data)
