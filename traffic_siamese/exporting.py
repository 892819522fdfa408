"""Hand a model to other tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from traffic_siamese.bundle import load_bundle
from traffic_siamese.history import TrainingHistory
from traffic_siamese.model import load_model
from traffic_siamese.times import format_time
from traffic_siamese.types import Prototype

_META = ("label", "network", "capture", "start", "kind")


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


def export_projector(model: str | Path, folder: str | Path) -> int:
    """Write embeddings for the TensorFlow embedding projector.

    ``vecs.tsv`` holds one point a line, ``meta.tsv`` under a heading what each is: an example of
    the fault library, or a window that was followed in training (held out of it, or not).

    Returns
    -------
    int
        The number of points.

    Raises
    ------
    BundleError
        If the model is missing or damaged.
    OSError
        If the files cannot be written.
    """
    loaded = load_model(model)
    history = TrainingHistory.load(loaded.bundle.history_path)
    keep = np.flatnonzero(~history.prototype)
    vectors = np.concatenate([loaded.prototypes, history.embeddings[-1][keep]])
    meta = _examples(loaded.library.prototypes(loaded.bundle.encoder_id))
    meta += _followed(history, keep.tolist())
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "vecs.tsv", [[f"{value:.7g}" for value in row] for row in vectors.tolist()])
    _write(folder / "meta.tsv", [list(_META), *meta])
    return len(vectors)


def _examples(prototypes: list[Prototype]) -> list[list[str]]:
    names = ("network", "capture", "start")
    return [[p.label, *(p.source.get(name, "") for name in names), "example"] for p in prototypes]


def _followed(history: TrainingHistory, rows: list[int]) -> list[list[str]]:
    return [
        [
            str(history.label[row]),
            str(history.network[row]),
            str(history.capture[row]),
            format_time(int(history.start_ns[row])),
            "held out" if history.held_out[row] else "trained",
        ]
        for row in rows
    ]


def _write(path: Path, rows: list[list[str]]) -> None:
    lines = ("\t".join(cell.replace("\t", " ") for cell in row) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace", newline="\n")
