"""What a training leaves for those who watch it: three kinds of small files in one folder.

``run.json`` says how far the training is, ``points.npz`` which windows are followed, and one
``epoch-00012.npz`` an epoch where they stand. Each is replaced in one step, ``run.json`` last, so
whoever reads them while they are written sees one state or the next. An epoch costs a few
kilobytes; nothing is waited for to reach the disk, since the checkpoint beside them is what counts.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import CUBE_DIM, FloatArray, Int64Array, StringArray

RUN_NAME = "run.json"
POINTS_NAME = "points.npz"
CURVES = ("loss", "val_loss", "separation")
STEPS = 65535
"""Positions are written in steps of 1/65535 of the cube's edge."""

RunState = Literal["training", "trained", "broken off"]
Positions = NDArray[np.uint16]


class UnreadableRunError(Exception):
    """The files are not there, or not all, or damaged; told to nobody, for they may come yet."""


@dataclass(frozen=True, slots=True)
class RunHead:
    """What ``run.json`` says.

    Attributes
    ----------
    run_id : str
        Another one for every training that is begun anew; a continued one keeps it.
    state : {"training", "trained", "broken off"}
        ``trained`` when no epoch is to come and the model is being written.
    epoch, n_epochs, first_epoch : int
        Epochs done, epochs at most, and the epoch after which the run was continued; 0 if it was
        not.
    eta_s : float or None
        Time to go when it was written; None before it is known.
    longest_epoch_s : float
        How long the slowest epoch of this process took; 0 before the first.
    written_s : float
        When it was written, seconds since the Unix epoch.
    pid : int
    host : str
        Of the process that trains.
    """

    run_id: str
    state: RunState
    epoch: int
    n_epochs: int
    first_epoch: int
    eta_s: float | None
    longest_epoch_s: float
    written_s: float
    pid: int
    host: str


@dataclass(frozen=True, slots=True, eq=False)
class WatchedPoints:
    """The windows that are followed.

    Attributes
    ----------
    label, capture, network : ndarray of shape (n_points,), str
    start_ns : ndarray of shape (n_points,), int64
        Start of each window, nanoseconds since the epoch, UTC.
    held_out, prototype : ndarray of shape (n_points,), bool
        True where the network is not trained on the window, and where it is an example of the
        finished model.
    """

    label: StringArray
    capture: StringArray
    network: StringArray
    start_ns: Int64Array
    held_out: NDArray[np.bool_]
    prototype: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class WatchedEpoch:
    """One epoch.

    Attributes
    ----------
    positions : ndarray of shape (n_points, 3), uint16
        From ``to_steps``.
    curves : dict of str to float
        A number for each of ``CURVES``; NaN where there is none.
    """

    positions: Positions
    curves: dict[str, float]


def to_steps(embeddings: FloatArray) -> Positions:
    """Return where points are drawn: the first three axes, 0 to 1 as 0 to 65535.

    Parameters
    ----------
    embeddings : ndarray of shape (..., n_points, embedding_dim), float32
        In (0, 1); what is not a number is put in the middle, as axes that are missing are.

    Returns
    -------
    ndarray of shape (..., n_points, 3), uint16
    """
    drawn = embeddings[..., :CUBE_DIM]
    shape = (*embeddings.shape[:-1], CUBE_DIM)
    placed = np.full(shape, 0.5, np.float64)
    placed[..., : drawn.shape[-1]] = np.nan_to_num(drawn, nan=0.5)
    steps: Positions = np.rint(np.clip(placed, 0, 1) * STEPS).astype(np.uint16)
    return steps


def epoch_name(epoch: int) -> str:
    """Return the name of an epoch's file."""
    return f"epoch-{epoch:05d}.npz"


def write_head(folder: Path, head: RunHead) -> None:
    """Write ``run.json``. Raises OSError."""
    _replace(folder / RUN_NAME, json.dumps(asdict(head)).encode())


def read_head(folder: Path) -> RunHead:
    """Read ``run.json``.

    Raises
    ------
    UnreadableRunError
        If it is not there, or not what ``write_head`` writes.
    """
    try:
        head = RunHead(**json.loads((folder / RUN_NAME).read_bytes()))
    except (OSError, ValueError, TypeError) as err:
        raise UnreadableRunError(str(err)) from err
    counts = (head.epoch, head.n_epochs, head.first_epoch, head.pid)
    if not all(isinstance(number, int) and number >= 0 for number in counts):
        raise UnreadableRunError(f"{RUN_NAME}: {counts} are no numbers of epochs and processes")
    return head


def write_points(folder: Path, points: WatchedPoints) -> None:
    """Write ``points.npz``. Raises OSError."""
    _replace_arrays(folder / POINTS_NAME, asdict(points))


def read_points(folder: Path) -> WatchedPoints:
    """Read ``points.npz``. Raises UnreadableRunError."""
    points = WatchedPoints(**_read_arrays(folder / POINTS_NAME, WatchedPoints.__slots__))
    if len({len(getattr(points, name)) for name in WatchedPoints.__slots__}) != 1:
        raise UnreadableRunError(f"{POINTS_NAME}: columns differ in length")
    return points


def write_epoch(folder: Path, number: int, epoch: WatchedEpoch) -> None:
    """Write an epoch's file. Raises OSError."""
    curves = np.array([epoch.curves[name] for name in CURVES], np.float64)
    _replace_arrays(folder / epoch_name(number), {"positions": epoch.positions, "curves": curves})


def read_epoch(folder: Path, number: int, *, n_points: int) -> WatchedEpoch:
    """Read an epoch's file. Raises UnreadableRunError."""
    name = epoch_name(number)
    found = _read_arrays(folder / name, ("positions", "curves"))
    positions, curves = found["positions"], found["curves"]
    if positions.shape != (n_points, CUBE_DIM) or positions.dtype != np.uint16:
        raise UnreadableRunError(f"{name}: positions are {positions.dtype} {positions.shape}")
    if curves.shape != (len(CURVES),):
        raise UnreadableRunError(f"{name}: curves have shape {curves.shape}")
    return WatchedEpoch(positions, dict(zip(CURVES, map(float, curves), strict=True)))


def _replace_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def _read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as err:
        raise UnreadableRunError(f"{path.name}: {err}") from err
