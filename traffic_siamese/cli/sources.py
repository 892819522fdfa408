"""Which traffic logs a user means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from traffic_siamese.errors import CaptureError

_NOTES = {".csv", ".html", ".json", ".jsonl", ".md", ".parquet", ".txt", ".yaml"}
_TABLES = {".csv", ".jsonl", ".parquet"}
_BUNDLE = "bundle.json"
_LABELS = "labels.csv"


@dataclass(frozen=True, slots=True)
class Sources:
    """The logs to read, and the files below the folders that were left out by their names."""

    logs: tuple[str, ...]
    left_out: tuple[str, ...]


def find_logs(arguments: Iterable[str], *, model: str | None = None) -> Sources:
    """Replace folders by the files below them, but for those that are one log themselves.

    Hidden files, models and files that are tables or notes by their names are left out; a file
    that is named itself is always taken. For a model that was trained on tables, tables are what
    is looked for, too.

    Raises
    ------
    CaptureError
        If there is nothing to read.
    """
    arguments = tuple(arguments)
    notes: set[str] | None = None
    logs: dict[str, None] = {}
    left_out: list[str] = []
    for argument in arguments:
        if argument == "-" or not os.path.isdir(argument):
            logs[argument] = None
            continue
        notes = notes or (_NOTES - _TABLES if _reads_tables(model) else _NOTES)
        for file in _files_below(argument):
            if Path(file).suffix.lower() in notes or Path(file).name == _LABELS:
                left_out.append(file)
            else:
                logs[file] = None
    if not logs:
        raise CaptureError(
            f"{', '.join(arguments)}: found {_n_files(len(left_out))} and no capture among them, "
            "expected pcap or pcapng files, plain, gzip or zstd. Name another folder."
        )
    return Sources(tuple(logs), tuple(left_out))


def _n_files(n: int) -> str:
    return f"{n} file" if n == 1 else f"{n} files"


def _reads_tables(model: str | None) -> bool:
    from traffic_siamese.bundle import COLUMN_NAMES, load_bundle

    return model is not None and COLUMN_NAMES in load_bundle(model).scaling


def _files_below(folder: str) -> list[str]:
    from traffic_siamese.logs.pm_folder import is_pm_folder

    found: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _BUNDLE in files:
            folders.clear()
            continue
        if is_pm_folder(parent):
            found.append(parent)
            continue
        paths = [os.path.join(parent, name) for name in sorted(files) if name[0] != "."]
        found += [path for path in paths if os.path.isfile(path)]  # a pipe would be waited for
    return found
