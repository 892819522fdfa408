"""Files of a model: written whole, named and checked by the hash of their contents."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.manifest import CONTENT_NAME

_TEMPORARY = ".unfinished-"


def read_checked(path: Path, entry: dict[str, str]) -> bytes:
    """Read the file that ``entry`` names, and compare its SHA-256.

    Raises
    ------
    BundleError
        If it cannot be read, or is not what was written.
    """
    where = path / entry["name"]
    try:
        blob = where.read_bytes()
    except OSError as err:
        raise BundleError(
            f"{where}: cannot be read ({err.strerror}), but the bundle names it. "
            "Restore the file from a copy, or train the model again."
        ) from err
    found = hashlib.sha256(blob).hexdigest()
    if found != entry["sha256"]:
        raise BundleError(
            f"{where}: damaged: found {len(blob)} bytes with SHA-256 {found[:16]}, expected "
            f"{entry['sha256'][:16]}. Restore the file from a copy, or train the model again."
        )
    return blob


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Bytes of an ``.npz`` file. Raises ValueError for an array that only pickle could store."""
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"scaling array {name!r} has dtype object, expected numbers or text")
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(where: Path, blob: bytes) -> dict[str, NDArray[Any]]:
    """Arrays of an ``.npz`` file. Raises BundleError, naming ``where``, if it is none."""
    try:
        with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, OSError, KeyError) as err:
        raise BundleError(f"{where}: no npz file ({err}). Train the model again.") from err


def write_durably(target: Path, blob: bytes) -> None:
    """Put a whole file in place of another, on the disk before it is seen. Raises OSError."""
    # Writers hold the model's lock, so the name needs not be unique; open() honours the umask.
    temporary = target.with_name(_TEMPORARY + target.name)
    with temporary.open("wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    if os.name == "nt":  # directories cannot be opened there
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_others(path: Path, keep: set[str]) -> None:
    """Remove what earlier saves left, finished or not; the caller holds the model's lock."""
    for file in path.iterdir():
        ours = CONTENT_NAME.fullmatch(file.name) or file.name.startswith(_TEMPORARY)
        if ours and file.name not in keep:
            file.unlink(missing_ok=True)
