"""Folders that are one log: networks write a file of 3GPP measurements for each period."""

from __future__ import annotations

import os
from pathlib import Path

from traffic_siamese.errors import CaptureError

_ENDINGS = (".xml", ".xml.gz", ".xml.zst", ".xml.zstd")
_NOTES = (".csv", ".md", ".txt", ".yaml")


def folder_parts(folder: str | Path) -> list[Path]:
    """Return the files that a folder is made of, where these may be 3GPP measurements.

    Hidden files and notes do not count. The order is that of the names, which begin with the
    period (TS 32.432 annex A): files that were sent again come later.

    Raises
    ------
    CaptureError
        If the folder cannot be read, or holds other files.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.is_file() and entry.name[0] != "." and not _is_note(entry.name)
            )
    except OSError as err:
        raise CaptureError(f"{folder}: cannot be read: {err.strerror}.") from err
    other = next((name for name in names if not name.lower().endswith(_ENDINGS)), None)
    if not names or other:
        found = f"holds {other}" if other else "holds no files"
        raise CaptureError(
            f"{folder}: is a folder and {found}, expected a log, or a folder of nothing but XML "
            "files of 3GPP measurements. Name a file."
        )
    return [Path(folder) / name for name in names]


def _is_note(name: str) -> bool:
    return name.lower().endswith(_NOTES)
