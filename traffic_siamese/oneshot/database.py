"""The file under a fault library: opening it, its schema, and its errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from traffic_siamese.errors import BundleError, LibraryError, TrafficSiameseError

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x54534C42  # "TSLB": tells a fault library from any other SQLite file
_BUSY_TIMEOUT_S = 60.0
_STRICT = " STRICT" if sqlite3.sqlite_version_info >= (3, 37) else ""

_SCHEMA = (
    f"""CREATE TABLE prototypes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL CHECK (length(label) > 0),
        origin TEXT NOT NULL CHECK (origin IN ('trained', 'added')),
        encoder_id TEXT NOT NULL,
        n_timesteps INTEGER NOT NULL,
        n_features INTEGER NOT NULL,
        raw BLOB NOT NULL CHECK (length(raw) = 4 * n_timesteps * n_features),
        baseline BLOB NOT NULL CHECK (length(baseline) = 4 * 2 * n_features),
        embedding BLOB NOT NULL CHECK (length(embedding) % 4 = 0),
        source TEXT NOT NULL
    ){_STRICT}""",
    "CREATE INDEX prototypes_by_label ON prototypes (label)",
    f"""CREATE TABLE baselines (
        network TEXT NOT NULL,
        feature_hash TEXT NOT NULL,
        center BLOB NOT NULL CHECK (length(center) % 4 = 0),
        spread BLOB NOT NULL CHECK (length(spread) = length(center)),
        n_bins INTEGER NOT NULL,
        source TEXT NOT NULL,
        learned_at TEXT NOT NULL,
        PRIMARY KEY (network, feature_hash)
    ){_STRICT}""",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
    f"PRAGMA application_id = {_APPLICATION_ID}",
)


class Database:
    """A SQLite file opened anew for each transaction, so that any thread or process may use it.

    The rollback journal is used, not the write-ahead log: one file is the whole truth between
    transactions, and it can be read from a directory that nobody may write to.

    Parameters
    ----------
    path : Path
        The file.
    create : bool
        Make it where it is missing or empty.

    Raises
    ------
    BundleError
        If the file is missing, damaged, or is no fault library of this version.
    LibraryError
        If it would have to be made where nothing may be written.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        if path.is_dir() or not (create or path.is_file()):
            found = "a directory" if path.is_dir() else "no such file"
            raise BundleError(
                f"{path}: found {found}, expected a fault library. "
                "Restore the file from a copy, or train the model again."
            )
        with self._connection(create=create) as connection:
            if create and _is_blank(connection):
                _create_schema(connection)
            self._check_version(connection)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent state."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Change the file in one step, which either happens whole or not at all."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        mode = "rwc" if create else "rw"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        try:
            with closing(
                sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                # EXTRA is FULL and an fsync of the directory: a power cut undoes no commit.
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except sqlite3.Error as err:
            raise self._explain(err) from err

    def _check_version(self, connection: sqlite3.Connection) -> None:
        application, version = _marks(connection)
        if application != _APPLICATION_ID:
            raise BundleError(
                f"{self.path}: found a SQLite file of another program (application id "
                f"{application}), expected a fault library. Restore the file from a copy."
            )
        if version > SCHEMA_VERSION:
            raise BundleError(
                f"{self.path}: found fault library version {version}, expected at most "
                f"{SCHEMA_VERSION}: written by a newer version. Upgrade traffic-siamese."
            )
        if version < SCHEMA_VERSION:
            raise BundleError(
                f"{self.path}: found fault library version {version}, expected {SCHEMA_VERSION}. "
                "Train the model again."
            )

    def _explain(self, err: sqlite3.Error) -> TrafficSiameseError:
        code = getattr(err, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return LibraryError(
                f"{self.path}: found a read-only file or directory, expected to write to it. "
                "Copy the model to where you may write, and change the copy."
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return LibraryError(
                f"{self.path}: another process has been writing for {_BUSY_TIMEOUT_S:.0f} s, "
                "expected it to be done by then. Try again when it has finished."
            )
        if code == sqlite3.SQLITE_FULL:
            return LibraryError(f"{self.path}: the disk is full, nothing was changed. Make room.")
        if code == sqlite3.SQLITE_CANTOPEN:
            return BundleError(
                f"{self.path}: cannot be opened, expected a fault library that this user may read "
                "and whose directory exists. Check the path and its permissions."
            )
        return BundleError(
            f"{self.path}: found a damaged file or no SQLite file at all ({err}), expected a fault "
            "library. Restore it from a copy, or train the model again."
        )


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return int(application), int(version)


def _is_blank(connection: sqlite3.Connection) -> bool:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return tables == 0 and _marks(connection) == (0, 0)


def _create_schema(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _is_blank(connection):  # another process may have been faster
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")
