"""The fault library: all labelled examples and network baselines of a model, in one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from traffic_siamese.errors import LibraryError
from traffic_siamese.oneshot.database import Database
from traffic_siamese.oneshot.names import check_label_name, check_network_name
from traffic_siamese.oneshot.rows import (
    COLUMNS,
    StoredBaseline,
    baseline_from_row,
    baseline_to_row,
    check_prototypes,
    prototype_from_row,
    prototype_to_row,
    to_blob,
)
from traffic_siamese.spelling import did_you_mean
from traffic_siamese.types import NORMAL, FloatArray, Prototype

_VISIBLE = "(origin = 'added' OR encoder_id = ?)"

Origin = Literal["trained", "added"]


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """One label of a library.

    Attributes
    ----------
    label : str
    n_trained, n_added : int
        Its trained and its added examples.
    phases : tuple of str
        Which phases of the fault the examples show, sorted.
    """

    label: str
    n_trained: int
    n_added: int
    phases: tuple[str, ...] = ("steady",)


class FaultLibrary:
    """All prototypes and baselines of one model.

    Any number of threads and processes may read and write at once: writers wait for one another,
    every change happens whole or not at all, and what a method returned from is on the disk.

    Trained prototypes belong to the encoder they were trained with. Those of several encoders may
    stand side by side, so that a new model can be written before the old one is let go. Added
    prototypes belong to the user; a new encoder embeds their raw windows again (see ``stale``).

    Parameters
    ----------
    path : str or Path
        The file.
    create : bool, default True
        Make it where it is missing.

    Raises
    ------
    BundleError
        If the file is missing, damaged, of another program or of another version.
    LibraryError
        From every changing method: if the change is refused, or the file may not be written.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self._database = Database(Path(path), create=create)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def add(
        self,
        label: str,
        prototypes: Sequence[Prototype],
        *,
        origin: Origin = "added",
        encoder_id: str,
        more: bool = False,
    ) -> None:
        """Store examples of one label, whatever label they carry themselves.

        Parameters
        ----------
        label : str
            Name; see `check_label_name`.
        prototypes : sequence of Prototype
            At least one; raw windows and embeddings shaped as those that are there.
        origin : {"added", "trained"}, default "added"
            Who brought them.
        encoder_id : str
            The encoder that embedded them.
        more : bool, default False
            Allow a name that exists, and add to its examples.

        Raises
        ------
        LibraryError
            If the name is not allowed, exists, or there is no example.
        ShapeError
            If the examples differ in shape among themselves or from those that are there.
        """
        check_label_name(label)
        if not prototypes:
            raise LibraryError(f"label {label!r}: got 0 examples, expected at least one.")
        with self._database.write() as connection:
            if not more and _count(connection, label, encoder_id):
                raise LibraryError(
                    f"label {label!r} is there already in {self.path}. Choose another name, or "
                    "add more examples to it (--more)."
                )
            _insert(connection, [(label, p) for p in prototypes], origin, encoder_id)

    def remove(self, label: str) -> int:
        """Forget a label; return how many examples it had."""
        if label == NORMAL:
            raise LibraryError(
                f"label {NORMAL!r} cannot be removed: without it every window would be a fault."
            )
        with self._database.write() as connection:
            cursor = connection.execute("DELETE FROM prototypes WHERE label = ?", (label,))
            if not cursor.rowcount:
                raise self._missing(connection, label)
            return cursor.rowcount

    def rename(self, old: str, new: str) -> None:
        """Give a label another name, which must be free."""
        check_label_name(new)
        if old == NORMAL:
            raise LibraryError(
                f"label {NORMAL!r} cannot be renamed: without it every window would be a fault."
            )
        with self._database.write() as connection:
            if _exists(connection, new):
                raise LibraryError(
                    f"label {new!r} is there already in {self.path}. Choose another name, or "
                    "remove that one first."
                )
            cursor = connection.execute(
                "UPDATE prototypes SET label = ? WHERE label = ?", (new, old)
            )
            if not cursor.rowcount:
                raise self._missing(connection, old)

    def labels(self, encoder_id: str | None = None) -> tuple[str, ...]:
        """Names, sorted; with an encoder, only its trained and all added ones."""
        return tuple(row.label for row in self.summary(encoder_id))

    def summary(self, encoder_id: str | None = None) -> list[LabelSummary]:
        """Labels with the numbers of their examples, sorted by name; see ``labels``."""
        seen = "1" if encoder_id is None else _VISIBLE
        query = (
            "SELECT label, sum(origin = 'trained'), sum(origin = 'added'), "
            "group_concat(DISTINCT coalesce(json_extract(source, '$.phase'), 'steady')) "
            f"FROM prototypes WHERE {seen} GROUP BY label ORDER BY label"
        )
        with self._database.read() as connection:
            rows = connection.execute(query, () if encoder_id is None else (encoder_id,))
            return [
                LabelSummary(label, n_trained, n_added, tuple(sorted(phases.split(","))))
                for label, n_trained, n_added, phases in rows
            ]

    def prototypes(self, encoder_id: str) -> list[Prototype]:
        """Examples that this encoder embedded, in the order in which they were stored."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM prototypes WHERE encoder_id = ? ORDER BY id", (encoder_id,)
            )
            return [prototype_from_row(self.path, *row) for row in rows]

    def replace_trained(self, encoder_id: str, prototypes: Sequence[Prototype]) -> None:
        """Store the trained examples of one encoder in place of those it had.

        Added examples and those of other encoders stay.

        Raises
        ------
        LibraryError
            If a label's name is not allowed.
        ShapeError
            If the examples differ in shape.
        """
        rows = [(check_label_name(p.label), p) for p in prototypes]
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM prototypes WHERE origin = 'trained' AND encoder_id = ?", (encoder_id,)
            )
            _insert(connection, rows, "trained", encoder_id)

    def drop_other_encoders(self, encoder_id: str) -> None:
        """Forget the trained examples of all other encoders: they are of no more use."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM prototypes WHERE origin = 'trained' AND encoder_id <> ?", (encoder_id,)
            )

    def stale(self, encoder_id: str) -> dict[int, Prototype]:
        """Return added examples that another encoder embedded, by number; to be embedded again."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id, {COLUMNS} FROM prototypes "
                "WHERE origin = 'added' AND encoder_id <> ? ORDER BY id",
                (encoder_id,),
            )
            return {row[0]: prototype_from_row(self.path, *row[1:]) for row in rows}

    def update_embeddings(self, encoder_id: str, embeddings: Mapping[int, FloatArray]) -> None:
        """Store the new embeddings of stale examples; one removed meanwhile stays removed."""
        rows = [(encoder_id, to_blob(point), number) for number, point in embeddings.items()]
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE prototypes SET encoder_id = ?, embedding = ? WHERE id = ?", rows
            )

    def set_baseline(self, baseline: StoredBaseline) -> None:
        """Store a network's baseline in place of the one it had; see `check_network_name`."""
        check_network_name(baseline.network)
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?, ?)",
                baseline_to_row(baseline),
            )

    def get_baseline(self, network: str, feature_hash: str) -> StoredBaseline | None:
        """Baseline of a network for these features; None if it was never learned."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM baselines WHERE network = ? AND feature_hash = ?",
                (network, feature_hash),
            ).fetchone()
        return baseline_from_row(self.path, *row) if row else None

    def networks(self) -> tuple[str, ...]:
        """Names of the networks with a baseline, sorted."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT DISTINCT network FROM baselines ORDER BY network")
            return tuple(row[0] for row in rows)

    def locked(self) -> AbstractContextManager[object]:
        """Keep all other writers out for the length of a ``with`` block, in any process.

        Changing the library inside the block would wait for itself.
        """
        return self._database.write()

    def _missing(self, connection: sqlite3.Connection, label: str) -> LibraryError:
        rows = connection.execute("SELECT DISTINCT label FROM prototypes ORDER BY label")
        there = [str(row[0]) for row in rows]
        return LibraryError(
            f"label {label!r} is not in {self.path}, expected one of: "
            f"{', '.join(there) or '(none)'}.{did_you_mean(label, there)}"
        )


def _exists(connection: sqlite3.Connection, label: str) -> bool:
    query = "SELECT 1 FROM prototypes WHERE label = ? LIMIT 1"
    return connection.execute(query, (label,)).fetchone() is not None


def _count(connection: sqlite3.Connection, label: str, encoder_id: str) -> int:
    query = f"SELECT count(*) FROM prototypes WHERE label = ? AND {_VISIBLE}"
    return int(connection.execute(query, (label, encoder_id)).fetchone()[0])


def _insert(
    connection: sqlite3.Connection,
    rows: Sequence[tuple[str, Prototype]],
    origin: Origin,
    encoder_id: str,
) -> None:
    there = connection.execute(
        "SELECT n_timesteps, n_features, length(embedding) / 4 FROM prototypes "
        "WHERE encoder_id = ? LIMIT 1",
        (encoder_id,),
    ).fetchone()
    check_prototypes([prototype for _, prototype in rows], there)
    connection.executemany(
        "INSERT INTO prototypes (origin, encoder_id, n_timesteps, n_features, "
        f"{COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(origin, encoder_id, *p.raw.shape, *prototype_to_row(label, p)) for label, p in rows],
    )
