"""The model bundle: one directory that holds all that classifying needs, replaced in one step.

``bundle.json`` points to the other files by names that carry their contents' hash. New files are
written beside the old ones and the pointer is moved last, so a kill leaves the old bundle or the
new one. ``library.sqlite`` alone changes in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.oneshot.manifest import (
    FILES,
    FORMAT_VERSION,
    BundleInfo,
    from_json,
    package_versions,
    to_json,
)
from traffic_siamese.oneshot.storage import (
    pack,
    read_checked,
    remove_others,
    unpack,
    write_durably,
)
from traffic_siamese.spelling import did_you_mean

__all__ = [
    "FORMAT_VERSION",
    "Bundle",
    "BundleContents",
    "BundleInfo",
    "copy_bundle",
    "encoder_id",
    "library_path",
    "load_bundle",
    "package_versions",
    "rename_label",
    "save_bundle",
]

_POINTER = "bundle.json"
COLUMN_NAMES = "column_names"
"""Array of the scaling that names the columns of a table, where the model was trained on one."""
_LIBRARY = "library.sqlite"
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, eq=False)
class BundleContents:
    """All that ``save_bundle`` writes.

    Attributes
    ----------
    info : BundleInfo
        What the model is.
    keras, onnx : bytes
        The encoder in both forms.
    scaling : mapping of str to ndarray
        Statistics that turn features into model inputs; no object arrays.
    history : bytes
        The training history, an ``.npz`` file.
    """

    info: BundleInfo
    keras: bytes
    onnx: bytes
    scaling: Mapping[str, NDArray[Any]]
    history: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A loaded model; made by `load_bundle`.

    Attributes
    ----------
    path : Path
        Its directory.
    info : BundleInfo
        What the model is.
    encoder_id : str
        Hash of the ONNX encoder: the name under which the library keeps embeddings.
    onnx : bytes
        The encoder.
    scaling : dict of str to ndarray
        As it was given to `save_bundle`.
    keras_path, history_path : Path
        Files that only training, export and the film read; checked when loaded. A later
        `save_bundle` takes them away.
    """

    path: Path
    info: BundleInfo
    encoder_id: str
    onnx: bytes
    scaling: dict[str, NDArray[Any]]
    keras_path: Path
    history_path: Path

    def encoder(self, *, threads: int = 1) -> OnnxEncoder:
        """Start the encoder; see `OnnxEncoder`."""
        return OnnxEncoder(self.onnx, threads=threads)

    def library(self) -> FaultLibrary:
        """Open the fault library. Raises BundleError if it is missing or damaged."""
        return FaultLibrary(self.path / _LIBRARY, create=False)


def encoder_id(onnx: bytes) -> str:
    """Name of an encoder: the first 16 hexadecimal digits of the SHA-256 of its ONNX bytes."""
    return hashlib.sha256(onnx).hexdigest()[:16]


def library_path(path: str | Path) -> Path:
    """Where the fault library of the model in directory ``path`` lies."""
    return Path(path) / _LIBRARY


def save_bundle(path: str | Path, contents: BundleContents) -> Bundle:
    """Write a model into a directory, in place of the one that is there.

    The library is made if it is missing and otherwise left alone: store the trained prototypes of
    the new encoder before, and drop those of the old one after.

    Raises
    ------
    BundleError
        If the directory cannot be made or written to, or holds a damaged library.
    LibraryError
        If another process keeps writing to the model, or nobody may.
    ValueError
        If an array or a setting cannot be stored.
    """
    path = Path(path)
    blobs = {
        "keras": contents.keras,
        "onnx": contents.onnx,
        "scaling": pack(contents.scaling),
        "history": contents.history,
    }
    digests = {kind: hashlib.sha256(blob).hexdigest() for kind, blob in blobs.items()}
    files = {
        kind: {"name": FILES[kind].format(digest[:16]), "sha256": digest}
        for kind, digest in digests.items()
    }
    pointer = to_json(contents.info, files)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with FaultLibrary(path / _LIBRARY).locked():
            for kind, blob in blobs.items():
                write_durably(path / files[kind]["name"], blob)
            write_durably(path / _POINTER, pointer)
            remove_others(path, {entry["name"] for entry in files.values()})
    except OSError as err:
        raise _unwritable(path, err) from err
    return load_bundle(path)


def copy_bundle(source: str | Path, path: str | Path) -> Bundle:
    """Copy a model, library and all, to another directory; its pointer is written last.

    Raises
    ------
    BundleError
        If the source is missing or damaged, or the target cannot be written to.
    """
    path, found = Path(path), load_bundle(source)
    entries = json.loads((found.path / _POINTER).read_bytes())["files"].values()
    try:
        path.mkdir(parents=True, exist_ok=True)
        for name in (_LIBRARY, *(entry["name"] for entry in entries), _POINTER):
            write_durably(path / name, (found.path / name).read_bytes())
    except OSError as err:
        raise _unwritable(path, err) from err
    return load_bundle(path)


def load_bundle(path: str | Path) -> Bundle:
    """Read a model and check that it is whole. Imports neither TensorFlow nor Keras.

    Raises
    ------
    BundleError
        If the directory or a file is missing, damaged, or of another format.
    """
    path = Path(path)
    pointer = _read_pointer(path)
    for _ in range(_ATTEMPTS):
        try:
            return _load(path, pointer)
        except BundleError:
            # Another process may have moved the pointer and taken the old files away.
            moved = _read_pointer(path)
            if moved == pointer:
                raise
            pointer = moved
    return _load(path, pointer)


def rename_label(path: str | Path, old: str, new: str) -> None:
    """Rename a label in the library and, where it was trained, in what the model says of it.

    A kill between the two leaves a renamed label with the pooled radius in place of its own.

    Raises
    ------
    BundleError
        If the model is missing or damaged, or cannot be written to.
    LibraryError
        If the library refuses the change.
    """
    path = Path(path)
    library = FaultLibrary(path / _LIBRARY, create=False)
    library.rename(old, new)
    with library.locked():
        info, files = from_json(path / _POINTER, _read_pointer(path))
        renamed = replace(
            info,
            labels=tuple(sorted(new if name == old else name for name in info.labels)),
            calibration=info.calibration.renamed(old, new),
        )
        try:
            write_durably(path / _POINTER, to_json(renamed, files))
        except OSError as err:
            raise _unwritable(path, err) from err


def _unwritable(path: Path, err: OSError) -> BundleError:
    return BundleError(
        f"{path}: cannot write the model ({err.strerror}), expected a directory that may be "
        "written to. Choose another place or make room."
    )


def _load(path: Path, pointer: bytes) -> Bundle:
    where = path / _POINTER
    info, files = from_json(where, pointer)
    blobs = {kind: read_checked(path, files[kind]) for kind in FILES}
    return Bundle(
        path,
        info,
        encoder_id(blobs["onnx"]),
        blobs["onnx"],
        unpack(path / files["scaling"]["name"], blobs["scaling"]),
        path / files["keras"]["name"],
        path / files["history"]["name"],
    )


def _read_pointer(path: Path) -> bytes:
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise BundleError(
            f"{path}: found {found}, expected the directory of a model. "
            f"Make one: traffic-siamese init {path}, or train.{_near(path)}"
        )
    try:
        return (path / _POINTER).read_bytes()
    except FileNotFoundError as err:
        raise BundleError(
            f"{path}: found no {_POINTER} in it, expected the directory of a model. Check the "
            f"path, or make a model: traffic-siamese init NAME, or train.{_near(path)}"
        ) from err
    except OSError as err:
        raise BundleError(
            f"{path}: cannot read {_POINTER} ({err.strerror}), expected the directory of a model. "
            "Check its permissions."
        ) from err


def _near(path: Path) -> str:
    """Ask whether a model beside this path is meant, or one in it."""
    around = [*path.parent.glob(f"*/{_POINTER}"), *path.glob(f"*/{_POINTER}")]
    models = {str(one.parent): one.parent.name for one in around}
    inside = [name for name in models if Path(name).parent == path]
    if len(inside) == 1:
        return f" Did you mean {inside[0]!r}?"
    return did_you_mean(str(path), models)
