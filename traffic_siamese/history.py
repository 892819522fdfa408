"""Where every point of the film stood after each epoch: the training history, on disk and off."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import BundleError
from traffic_siamese.types import FloatArray, Int64Array, StringArray

_PER_POINT = ("label", "capture", "network", "start_ns", "held_out", "prototype")
_PER_EPOCH = ("loss", "val_loss", "separation", "active_triplets")
_DTYPES: dict[str, type[np.generic]] = {
    "embeddings": np.float32,
    "label": np.str_,
    "capture": np.str_,
    "network": np.str_,
    "start_ns": np.int64,
    "held_out": np.bool_,
    "prototype": np.bool_,
    "loss": np.float32,
    "val_loss": np.float32,
    "separation": np.float32,
    "active_triplets": np.float32,
    "final": np.float32,
    "principal": np.float16,  # to a thousandth of the cube: finer than a film shows
}
_OPTIONAL = ("final", "principal")


def _nothing() -> NDArray[np.float32]:
    return np.empty((0, 0), np.float32)


def _nothing_turned() -> NDArray[np.float16]:
    return np.empty((0, 0, 3), np.float16)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingHistory:
    """What the recorder saw: the same windows, embedded before training and after each epoch.

    Attributes
    ----------
    embeddings : ndarray of shape (n_epochs + 1, n_points, embedding_dim), float32
        Where the points stood; row 0 is before training.
    label, capture, network : ndarray of shape (n_points,), str
        What each point shows and where it was seen.
    start_ns : ndarray of shape (n_points,), int64
        Start of each point's window, nanoseconds since the epoch, UTC.
    held_out : ndarray of shape (n_points,), bool
        True where the network was never trained on the window.
    prototype : ndarray of shape (n_points,), bool
        True where the window is a prototype in the fault library.
    loss, val_loss : ndarray of shape (n_epochs + 1,), float32
        Loss on the training batches and on the held-out windows; NaN where there is none.
    separation : ndarray of shape (n_epochs + 1,), float32
        Mean distance between labels divided by mean distance within a label, over the points.
    active_triplets : ndarray of shape (n_epochs + 1,), float32
        Share of triplets that violate the margin, over the held-out points (over all of them
        where none is held out).
    final : ndarray of shape (n_points, n_axes), float32
        Where the points stood at the last epoch, with all axes of the embedding, when
        ``embeddings`` holds only those that are drawn; empty otherwise.
    principal : ndarray of shape (n_epochs + 1, n_points, 3), float16
        Where the points stood along the principal axes of ``final``, see ``principal``; empty
        where ``final`` is, and in older histories.

    Raises
    ------
    ValueError
        If the arrays' lengths do not belong together.
    """

    embeddings: NDArray[np.float32]
    label: StringArray
    capture: StringArray
    network: StringArray
    start_ns: Int64Array
    held_out: NDArray[np.bool_]
    prototype: NDArray[np.bool_]
    loss: FloatArray
    val_loss: FloatArray
    separation: FloatArray
    active_triplets: FloatArray
    final: NDArray[np.float32] = field(default_factory=_nothing)
    principal: NDArray[np.float16] = field(default_factory=_nothing_turned)

    def __post_init__(self) -> None:
        """Check the shapes once, so that readers may trust them."""
        if self.embeddings.ndim != 3:
            raise ValueError(
                f"embeddings have shape {self.embeddings.shape}, "
                "expected (n_epochs + 1, n_points, embedding_dim)"
            )
        n_rows, n_points, _ = self.embeddings.shape
        for names, expected in ((_PER_POINT, n_points), (_PER_EPOCH, n_rows)):
            for name in names:
                if getattr(self, name).shape != (expected,):
                    raise ValueError(
                        f"{name} has shape {getattr(self, name).shape}, expected ({expected},) "
                        f"to go with embeddings of shape {self.embeddings.shape}"
                    )
        if self.final.size and (self.final.ndim != 2 or len(self.final) != n_points):
            raise ValueError(
                f"final has shape {self.final.shape}, expected ({n_points}, n_axes) "
                f"to go with embeddings of shape {self.embeddings.shape}"
            )
        if self.principal.size and self.principal.shape != (n_rows, n_points, 3):
            raise ValueError(
                f"principal has shape {self.principal.shape}, expected ({n_rows}, {n_points}, 3)"
            )

    @property
    def n_epochs(self) -> int:
        """Epochs trained; one less than there are rows."""
        return len(self.embeddings) - 1

    @property
    def last(self) -> NDArray[np.float32]:
        """Where the points stood at the last epoch, with as many axes as were kept."""
        return self.final if self.final.size else self.embeddings[-1]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history as one compressed ``.npz`` file, without pickle.

        Parameters
        ----------
        path : path-like
            The file to write, under exactly this name. An old file is replaced in one step.
        """
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        with partial.open("wb") as stream:
            self.write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)

    def write(self, stream: BinaryIO, *, compressed: bool = True) -> None:
        """Write what ``save`` writes to an open binary stream."""
        arrays = {name: np.asarray(getattr(self, name), _DTYPES[name]) for name in _DTYPES}
        save = np.savez_compressed if compressed else np.savez
        save(stream, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingHistory:
        """Read a history that ``save`` wrote.

        Raises
        ------
        BundleError
            If the file is missing, damaged, or no training history.
        """
        try:
            with Path(path).open("rb") as stream:
                return cls.read(stream)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{path}: {error}; expected a training history. Train again to write a new one."
            ) from error

    @classmethod
    def read(cls, stream: BinaryIO) -> TrainingHistory:
        """Read what ``write`` wrote, from an open binary stream that can seek.

        Raises
        ------
        ValueError, KeyError, EOFError, zipfile.BadZipFile
            If the stream is damaged, or holds no training history.
        """
        with np.load(stream, allow_pickle=False) as archive:
            names = [name for name in _DTYPES if name not in _OPTIONAL or name in archive.files]
            return cls(**{name: _read(archive, name) for name in names})


def _read(archive: Any, name: str) -> NDArray[Any]:
    array: NDArray[Any] = archive[name]
    wanted = np.dtype(_DTYPES[name])
    if array.dtype.kind != wanted.kind:
        raise ValueError(f"{name} holds {array.dtype}, expected {wanted.name}")
    return array.astype(wanted, copy=False)
