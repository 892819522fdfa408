"""The page that follows a training: its files, ready to be served."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache

from traffic_siamese.views.plotly_page import packed_plotly, part, script, style

_SCRIPTS = (
    "cube",
    "stage",
    "watch_scene",
    "watch_curves",
    "watch_data",
    "watch_player",
    "watch",
)
_STYLES = ("stage", "watch")
_HTML, _CSS, _JAVASCRIPT = "text/html", "text/css", "text/javascript"


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page.

    Attributes
    ----------
    kind : str
        Its media type; text is in UTF-8.
    packed : bytes
        Its contents, gzipped.
    tag : str
        Another one for other contents.
    """

    kind: str
    packed: bytes
    tag: str


@cache
def watch_page() -> dict[str, PageFile]:
    """Return the files of the page by their paths below its address; made once a process."""
    texts = {
        "": (_HTML, part("watch.html")),
        "watch.css": (_CSS, style(_STYLES)),
        "watch.js": (_JAVASCRIPT, script(_SCRIPTS)),
    }
    files = {
        path: _packed(kind, gzip.compress(text.encode())) for path, (kind, text) in texts.items()
    }
    files["plotly.js"] = _packed(_JAVASCRIPT, base64.b64decode(packed_plotly()))
    return files


def _packed(kind: str, packed: bytes) -> PageFile:
    return PageFile(kind, packed, hashlib.sha256(packed).hexdigest()[:16])
