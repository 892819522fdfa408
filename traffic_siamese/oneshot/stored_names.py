"""The names in a fault library, read without the arrays: for the shell's completion."""

from __future__ import annotations

from pathlib import Path

from traffic_siamese.oneshot.database import Database

LIBRARY = "library.sqlite"


def stored_labels(model: str | Path) -> list[str]:
    """Return the labels of the model in a directory, sorted.

    Raises
    ------
    BundleError
        If its library is missing or damaged.
    """
    return _names(model, "SELECT DISTINCT label FROM prototypes ORDER BY label")


def stored_networks(model: str | Path) -> list[str]:
    """Return the networks whose normal the model in a directory knows, sorted.

    Raises
    ------
    BundleError
        If its library is missing or damaged.
    """
    return _names(model, "SELECT DISTINCT network FROM baselines ORDER BY network")


def _names(model: str | Path, query: str) -> list[str]:
    with Database(Path(model) / LIBRARY, create=False).read() as connection:
        return [str(row[0]) for row in connection.execute(query)]
