"""Files of the TensorFlow Embedding Projector: vectors, what they are, and where both lie."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VECTORS_NAME = "vecs.tsv"
META_NAME = "meta.tsv"
JSON_NAME = "projector_config.json"
PBTXT_NAME = "projector_config.pbtxt"
COLUMNS = ("label", "capture", "network", "time", "held out", "prototype")
"""What ``meta.tsv`` tells of a point; the Projector calls it by the first to begin with."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class ProjectorTensor:
    """One set of points that the Projector offers.

    Attributes
    ----------
    name : str
        What the Projector calls it.
    shape : tuple of int
        Points, and axes.
    vectors, meta : str
        Where they lie: addresses, or paths from where the configuration lies.
    """

    name: str
    shape: tuple[int, int]
    vectors: str = VECTORS_NAME
    meta: str = META_NAME


def point_row(
    label: str, capture: str, network: str, time: str, *, held_out: bool, prototype: bool
) -> list[str]:
    """Return what ``meta.tsv`` says of one point, in the order of ``COLUMNS``."""
    answers = ["yes" if answer else "no" for answer in (held_out, prototype)]
    return [label, capture, network, time, *answers]


def write_vectors(path: Path, vectors: NDArray[Any]) -> None:
    """Write vectors (n_points, n_axes), one a line, seven digits a number.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    _write(path, ([f"{value:.7g}" for value in row] for row in np.asarray(vectors).tolist()))


def write_meta(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    r"""Write what the points are, one a line in the vectors' order.

    The Projector takes the first line for a heading where there are two columns or more, and for a
    point where there is one. Tabs, line ends and backslashes in names are written as ``\t``,
    ``\n``, ``\r`` and ``\\``.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    heading = [columns] if len(columns) > 1 else []
    _write(path, (list(row) for row in [*heading, *rows]))


def write_json_config(path: Path, tensors: Sequence[ProjectorTensor]) -> None:
    """Write what the stand-alone Projector reads when it is opened with ``?config=ADDRESS``.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    entries = [
        {
            "tensorName": tensor.name,
            "tensorShape": list(tensor.shape),
            "tensorPath": tensor.vectors,
            "metadataPath": tensor.meta,
        }
        for tensor in tensors
    ]
    path.write_text(json.dumps({"embeddings": entries}, indent=2) + "\n", encoding="utf-8")


def write_pbtxt_config(path: Path, tensors: Sequence[ProjectorTensor]) -> None:
    """Write what TensorBoard's Projector reads in the folder that it is started with.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.write_text("".join(_pbtxt(tensor) for tensor in tensors), encoding="utf-8")


def _pbtxt(tensor: ProjectorTensor) -> str:
    shape = "".join(f"  tensor_shape: {length}\n" for length in tensor.shape)
    # JSON's quoting is understood by protobuf's text format.
    return (
        "embeddings {\n"
        f"  tensor_name: {json.dumps(tensor.name)}\n"
        f"{shape}"
        f"  tensor_path: {json.dumps(tensor.vectors)}\n"
        f"  metadata_path: {json.dumps(tensor.meta)}\n"
        "}\n"
    )


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    lines = ("\t".join(cell.translate(_ESCAPES) for cell in row) + "\n" for row in rows)
    # The Projector may be reading the file that is there.
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(lines), encoding="utf-8", errors="backslashreplace", newline="\n")
    partial.replace(path)
