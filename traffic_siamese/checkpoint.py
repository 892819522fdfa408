"""Keep a training run on disk after every epoch, so that it can be continued."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrainingError
from traffic_siamese.history import TrainingHistory
from traffic_siamese.windows import WindowSet

CHECKPOINT_NAME = "checkpoint.npz"

Arrays = list[NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A run after some epoch.

    Attributes
    ----------
    made_with : dict of str to str
        Options and digest of the data; a run is only continued with the same.
    state : dict of str to float
        Counters of the early stopping.
    variables, optimizer, best : list of ndarray
        The model's state, the optimiser's state, and the weights of the best epoch.
    history : TrainingHistory
        What was recorded so far.
    """

    made_with: dict[str, str]
    state: dict[str, float]
    variables: Arrays
    optimizer: Arrays
    best: Arrays
    history: TrainingHistory

    def save(self, folder: Path) -> None:
        """Write the checkpoint into a folder; the last one is replaced in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / (CHECKPOINT_NAME + ".partial")
        with partial.open("wb") as stream:
            np.savez(stream, **self._arrays())  # type: ignore[arg-type]
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(folder / CHECKPOINT_NAME)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        about = json.dumps({"made_with": self.made_with, "state": self.state})
        history = io.BytesIO()
        self.history.write(history, compressed=False)  # it is written after every epoch
        arrays: dict[str, NDArray[Any]] = {
            "about": np.array(about),
            "history": np.frombuffer(history.getvalue(), np.uint8),
        }
        for group in ("variables", "optimizer", "best"):
            for number, values in enumerate(getattr(self, group)):
                arrays[f"{group}_{number}"] = values
        return arrays


def load_checkpoint(folder: Path, made_with: dict[str, str]) -> Checkpoint | None:
    """Read a folder's checkpoint, if there is one.

    Parameters
    ----------
    folder : Path
        Where ``Checkpoint.save`` wrote.
    made_with : dict of str to str
        Options and digest of the data of the run that wants to continue.

    Raises
    ------
    TrainingError
        If it is damaged, or was made with other options or other data.
    """
    path = folder / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            checkpoint = _read(archive)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: {error}; expected the checkpoint of a training run. "
            "Remove it to start from the beginning."
        ) from error
    _require_same(path, checkpoint.made_with, made_with)
    return checkpoint


def _read(archive: Any) -> Checkpoint:
    about = json.loads(str(archive["about"]))
    history = TrainingHistory.read(io.BytesIO(archive["history"].tobytes()))
    groups = {
        group: [archive[f"{group}_{n}"] for n in range(_count(archive, group))]
        for group in ("variables", "optimizer", "best")
    }
    return Checkpoint(about["made_with"], about["state"], history=history, **groups)


def _count(archive: Any, group: str) -> int:
    return sum(name.startswith(f"{group}_") for name in archive.files)


def _require_same(path: Path, before: dict[str, str], now: dict[str, str]) -> None:
    names = sorted(before.keys() | now.keys())
    changed = [
        f"{name} was {before.get(name, 'unset')}, now {now.get(name, 'unset')}"
        for name in names
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise TrainingError(
            f"{path}: the run cannot be continued: {'; '.join(changed)}. "
            "Train with what it was started with, or remove the file to start anew."
        )


def digest(windows: WindowSet | None) -> str:
    """Return a short fingerprint of a window set: its values, places, labels and captures."""
    if windows is None:
        return "none"
    state = hashlib.blake2b(digest_size=8)
    for series in windows.inputs:
        state.update(np.ascontiguousarray(series).data)
    for column in (windows.series_index, windows.start_bin, windows.start_ns):
        state.update(np.ascontiguousarray(column).data)
    for words in (windows.label, windows.capture, windows.network):
        state.update("\0".join(words.tolist()).encode())
    return f"{len(windows)} windows, {state.hexdigest()}"
