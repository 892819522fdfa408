"""Zeek's logs as columns of text: tab-separated with a header of ``#`` lines, or JSON lines.

References
----------
Zeek documentation, "Zeek Log Formats and Inspection".
"""

from __future__ import annotations

import json
import re
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.told_columns import Texts, read_texts

_PATH = re.compile(rb"^#path[\t ](\w+)", re.MULTILINE)
_CONN = (b'"conn_state"', b'"id.orig_h"')
_SIP = (b'"trans_depth"', b'"id.orig_h"')


def zeek_path(head: bytes) -> str:
    """Return which of Zeek's logs a file is, such as ``conn``; empty where it is none."""
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"#"):
        found = _PATH.search(head)
        return found[1].decode() if found and b"\n#fields" in head else ""
    line = head.lstrip().partition(b"\n")[0]
    if not (line.startswith(b"{") and b'"ts"' in line):
        return ""
    if all(key in line for key in _CONN):
        return "conn"
    is_sip = all(key in line for key in _SIP) and any(
        key in line for key in (b'"call_id"', b'"seq"', b'"request_path"')
    )
    return "sip" if is_sip else ""


def read_zeek(name: str, data: bytes, wanted: tuple[str, ...]) -> tuple[Texts, list[str]]:
    """Read columns of one of Zeek's logs; unset values are empty.

    Raises
    ------
    CaptureError
        If its lines do not fit its header, or are no JSON.
    """
    if data.lstrip(b"\xef\xbb\xbf").startswith(b"#"):
        return _read_tsv(name, data, wanted)
    return _read_json(name, data, wanted)


def _read_tsv(name: str, data: bytes, wanted: tuple[str, ...]) -> tuple[Texts, list[str]]:
    separator, unset = "\t", "-"
    names: list[str] = []
    lines: list[bytes] = []
    for line in data.splitlines(keepends=True):
        if not line.startswith(b"#"):
            lines.append(line)
            continue
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.startswith("#separator "):
            separator = _unescape(text.removeprefix("#separator "))
        elif text.startswith(f"#unset_field{separator}"):
            unset = text.split(separator)[1]
        elif text.startswith(f"#fields{separator}") and not names:
            names = text.split(separator)[1:]
    if len(separator) != 1 or not names:
        raise CaptureError(
            f"{name}: its header says separator {separator!r} and {len(names)} fields, expected "
            "one character and some fields, as Zeek writes them. Copy the log again."
        )
    columns, warnings = read_texts(
        name, b"".join(lines), (names, separator), wanted=wanted, quoted=False
    )
    for texts in columns.values():
        texts[:] = ["" if text in (unset, "(empty)") else text for text in texts]
    return columns, warnings


def _unescape(text: str) -> str:
    found = re.fullmatch(r"\\x([0-9a-fA-F]{2})", text.strip())
    return chr(int(found[1], 16)) if found else text


def _read_json(name: str, data: bytes, wanted: tuple[str, ...]) -> tuple[Texts, list[str]]:
    columns: Texts = {key: [] for key in wanted}
    n_bad = first_bad = n = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            n_bad += 1
            first_bad = first_bad or number
            continue
        n += 1
        for key, texts in columns.items():
            texts.append(_text(row.get(key)))
    if n_bad and not n:
        raise CaptureError(f"{name}:{first_bad}: is no JSON object, expected one of Zeek's.")
    warnings = [f"{name}: {n_bad} lines are no JSON and were left out, first line {first_bad}."]
    return columns, warnings if n_bad else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9f}"
    return ",".join(map(_text, value)) if isinstance(value, list) else str(value)
