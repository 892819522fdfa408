"""Hand a model to other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.bundle import load_bundle
from traffic_siamese.history import TrainingHistory
from traffic_siamese.model import Model, load_model
from traffic_siamese.projector_files import (
    COLUMNS,
    JSON_NAME,
    META_NAME,
    PBTXT_NAME,
    VECTORS_NAME,
    ProjectorTensor,
    point_row,
    write_json_config,
    write_meta,
    write_pbtxt_config,
    write_vectors,
)
from traffic_siamese.times import format_time
from traffic_siamese.types import Prototype


@dataclass(frozen=True, slots=True)
class ProjectorExport:
    """What `export_projector` wrote.

    Attributes
    ----------
    n_points, n_axes : int
        Points, and numbers that each has.
    n_model_axes : int
        Axes of the model; models that were made before all were kept give only those drawn.
    """

    n_points: int
    n_axes: int
    n_model_axes: int


def export_onnx(model: str | Path, path: str | Path) -> int:
    """Write a model's encoder as an ONNX file; return its size in bytes.

    Input ``windows`` (batch, n_timesteps, n_channels), output ``embeddings`` (batch,
    embedding_dim), both float32; the windows are scaled as ``scaling.Scaler`` does.

    Raises
    ------
    BundleError
        If the model is missing or damaged.
    OSError
        If the file cannot be written.
    """
    return Path(path).write_bytes(load_bundle(model).onnx)


def export_projector(
    model: str | Path, folder: str | Path, *, address: str = ""
) -> ProjectorExport:
    """Write a model's points for the TensorFlow Embedding Projector.

    ``vecs.tsv`` holds one point a line, ``meta.tsv`` under a heading what each is: an example of
    the fault library, or a window that was followed in training. ``projector_config.json`` names
    both for the stand-alone Projector, ``projector_config.pbtxt`` for TensorBoard.

    Parameters
    ----------
    model : str or Path
        The model bundle's directory.
    folder : str or Path
        Where to write; made if it is missing.
    address : str, optional
        Where the folder will be published. The stand-alone Projector, which is a web page, needs
        whole addresses; without one, paths are written.

    Returns
    -------
    ProjectorExport

    Raises
    ------
    BundleError
        If the model is missing or damaged.
    OSError
        If the files cannot be written.
    """
    loaded = load_model(model)
    history = TrainingHistory.load(loaded.bundle.history_path)
    followed = np.flatnonzero(~history.prototype)
    vectors = _vectors(loaded, history.last[followed])
    rows = [_example(one) for one in loaded.library.prototypes(loaded.bundle.encoder_id)]
    rows += [_followed(history, row) for row in followed.tolist()]
    _write_all(Path(folder), vectors, rows, name=Path(model).resolve().name, address=address)
    n_points, n_axes = vectors.shape
    return ProjectorExport(n_points, n_axes, loaded.prototypes.shape[1])


def _vectors(loaded: Model, followed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put examples before followed windows, with the axes that both have."""
    n_axes = min(loaded.prototypes.shape[1], followed.shape[1])
    return np.concatenate([loaded.prototypes[:, :n_axes], followed[:, :n_axes]])


def _write_all(
    folder: Path,
    vectors: NDArray[np.float32],
    rows: list[list[str]],
    *,
    name: str,
    address: str,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_vectors(folder / VECTORS_NAME, vectors)
    write_meta(folder / META_NAME, COLUMNS, rows)
    n_points, n_axes = vectors.shape
    base = address.rstrip("/") + "/" if address else ""
    published = ProjectorTensor(name, (n_points, n_axes), base + VECTORS_NAME, base + META_NAME)
    write_json_config(folder / JSON_NAME, [published])
    write_pbtxt_config(folder / PBTXT_NAME, [ProjectorTensor(name, (n_points, n_axes))])


def _example(prototype: Prototype) -> list[str]:
    source = prototype.source
    return point_row(
        prototype.label,
        *(source.get(name, "") for name in ("capture", "network", "start")),
        held_out="added_at" in source,  # by hand, after the training
        prototype=True,
    )


def _followed(history: TrainingHistory, row: int) -> list[str]:
    return point_row(
        str(history.label[row]),
        str(history.capture[row]),
        str(history.network[row]),
        format_time(int(history.start_ns[row])),
        held_out=bool(history.held_out[row]),
        prototype=False,
    )
