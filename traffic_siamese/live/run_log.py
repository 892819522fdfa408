"""Leave a training's state on disk after every epoch, for those who watch it."""

from __future__ import annotations

import os
import platform
import secrets
import time
from contextlib import suppress
from pathlib import Path

from traffic_siamese.live.run_files import (
    RunHead,
    RunState,
    UnreadableRunError,
    WatchedEpoch,
    WatchedPoints,
    epoch_name,
    read_head,
    write_epoch,
    write_head,
    write_points,
)


class RunLog:
    """Writes the files of ``run_files``; a training never fails because it is watched.

    What cannot be written (the disk is full, or a watcher on Windows holds a file open) is tried
    again after the next epoch.

    Parameters
    ----------
    folder : Path
        Where to write. A run that is found there is continued.
    points : WatchedPoints
        The windows that are followed.
    n_epochs : int
        Epochs at most.
    first_epoch : int
        Epochs that were done before this process; 0 begins a new run.
    """

    def __init__(
        self, folder: Path, points: WatchedPoints, *, n_epochs: int, first_epoch: int
    ) -> None:
        self.folder = folder
        self.n_epochs = n_epochs
        self.first_epoch = first_epoch
        self._points: WatchedPoints | None = points
        self._run_id = _run_id(folder) if first_epoch else secrets.token_hex(8)
        self._waiting: dict[int, WatchedEpoch] = {}
        self._n_rows = 0
        self._eta_s: float | None = None
        self._longest_s = 0.0
        self._last_s = time.monotonic()

    @property
    def n_rows(self) -> int:
        """How many rows were added: one before training and one an epoch."""
        return self._n_rows

    def add(self, epoch: WatchedEpoch, *, eta_s: float | None = None) -> None:
        """Add the next row; it is on disk after ``tell``."""
        number, before_s = self._n_rows, self._last_s
        self._n_rows, self._last_s, self._eta_s = number + 1, time.monotonic(), eta_s
        if number > self.first_epoch:
            self._longest_s = max(self._longest_s, self._last_s - before_s)
        elif (self.folder / epoch_name(number)).exists():
            return  # left there before the run was broken off
        self._waiting[number] = epoch

    def tell(self, state: RunState = "training") -> None:
        """Write what was added, and how the training stands."""
        with suppress(OSError):
            self._write(state)

    def _write(self, state: RunState) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._points is not None:
            write_points(self.folder, self._points)
            self._points = None
        for number in sorted(self._waiting):
            write_epoch(self.folder, number, self._waiting[number])
            del self._waiting[number]
        write_head(self.folder, self._head(state))

    def _head(self, state: RunState) -> RunHead:
        return RunHead(
            run_id=self._run_id,
            state=state,
            epoch=max(self._n_rows - 1, 0),
            n_epochs=self.n_epochs,
            first_epoch=self.first_epoch,
            eta_s=self._eta_s,
            longest_epoch_s=self._longest_s,
            written_s=time.time(),
            pid=os.getpid(),
            host=platform.node(),
        )


def _run_id(folder: Path) -> str:
    try:
        return read_head(folder).run_id
    except UnreadableRunError:
        return secrets.token_hex(8)
