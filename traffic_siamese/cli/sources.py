"""Which traffic logs a user means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from traffic_siamese.errors import CaptureError

_NOTES = {".csv", ".html", ".json", ".jsonl", ".md", ".parquet", ".txt"}
_BUNDLE = "bundle.json"


@dataclass(frozen=True, slots=True)
class Sources:
    """The logs to read, and the files below the folders that were left out by their names."""

    logs: tuple[str, ...]
    left_out: tuple[str, ...]


def find_logs(arguments: Iterable[str]) -> Sources:
    """Replace folders by the files below them.

    Hidden files, models and files that are tables or notes by their names are left out; a file
    that is named itself is always taken.

    Raises
    ------
    CaptureError
        If there is nothing to read.
    """
    arguments = tuple(arguments)
    logs: dict[str, None] = {}
    left_out: list[str] = []
    for argument in arguments:
        if argument == "-" or not os.path.isdir(argument):
            logs[argument] = None
            continue
        for file in _files_below(argument):
            if Path(file).suffix.lower() in _NOTES:
                left_out.append(file)
            else:
                logs[file] = None
    if not logs:
        raise CaptureError(
            f"{', '.join(arguments)}: found {len(left_out)} files and no capture among them, "
            "expected pcap or pcapng files, plain, gzip or zstd. Name another folder."
        )
    return Sources(tuple(logs), tuple(left_out))


def _files_below(folder: str) -> list[str]:
    found: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _BUNDLE in files:
            folders.clear()
            continue
        found += [os.path.join(parent, name) for name in sorted(files) if name[0] != "."]
    return [file for file in found if os.path.isfile(file)]  # a pipe would be waited for
