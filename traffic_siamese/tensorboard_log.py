"""Write a training for TensorBoard: its curves, and its points for the Projector."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from traffic_siamese.errors import MissingExtraError
from traffic_siamese.keeper import EpochReport
from traffic_siamese.projector_files import (
    COLUMNS,
    META_NAME,
    PBTXT_NAME,
    ProjectorTensor,
    point_row,
    write_meta,
    write_pbtxt_config,
    write_vectors,
)
from traffic_siamese.recorder import EpochRow, RecordedPoints
from traffic_siamese.times import format_time
from traffic_siamese.types import FloatArray

_CURVES = ("loss", "val_loss", "separation", "active_triplets")
_N_SNAPSHOTS = 10
_NEWEST = "embedding"


class TensorBoardLog:
    """Callback for the ``progress`` of ``train``: scalars, and the embedding for the Projector.

    Scalars are ``loss``, ``val_loss``, ``separation``, ``active_triplets`` and ``learning_rate``;
    epoch 0 is before training. The Projector offers the newest points as ``embedding`` and those
    of about ten earlier epochs, with all axes and with what each point shows.

    Parameters
    ----------
    folder : str or Path
        What ``tensorboard --logdir`` is given. A run that is continued in its old folder is
        continued there; a new run should have a new one.

    Raises
    ------
    MissingExtraError
        If TensorBoard is not installed.
    OSError
        If the folder cannot be made.

    Examples
    --------
    >>> with TensorBoardLog("runs/first") as log:  # doctest: +SKIP
    ...     train("captures", "captures/labels.csv", "model", progress=log)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._is_new = not any(self.folder.glob("events.out.tfevents.*"))
        self._writer = _writer(self.folder)
        self._next_row: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, report: EpochReport) -> None:
        """Write what is known after an epoch.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if self._next_row is None:
            self._begin(report)
        rows = report.recorder.rows
        for number in range(self._next_row or 0, len(rows)):
            self._add_scalars(rows[number], number)
            if number % _step(report.n_epochs) == 0:
                write_vectors(self._snapshot(number), rows[number].embeddings)
        self._next_row = len(rows)
        self._writer.add_scalar("learning_rate", report.learning_rate, report.epoch)
        self._writer.flush()
        write_vectors(self.folder / f"{_NEWEST}.tsv", rows[-1].embeddings)
        self._configure(report.n_epochs, rows[-1].embeddings)

    def close(self) -> None:
        """Finish the file of events."""
        self._writer.close()

    def _begin(self, report: EpochReport) -> None:
        # The folder of a run that is continued has its earlier epochs already.
        self._next_row = 0 if self._is_new or report.epoch == 1 else report.epoch
        write_meta(self.folder / META_NAME, COLUMNS[:-1], _meta(report.recorder.points))

    def _add_scalars(self, row: EpochRow, number: int) -> None:
        for name in _CURVES:
            value = getattr(row, name)
            if math.isfinite(value):
                self._writer.add_scalar(name, value, number)

    def _snapshot(self, number: int) -> Path:
        return self.folder / f"epoch-{number:05d}.tsv"

    def _configure(self, n_epochs: int, embeddings: FloatArray) -> None:
        n_points, n_axes = embeddings.shape
        tensors = [ProjectorTensor(_NEWEST, (n_points, n_axes), f"{_NEWEST}.tsv")]
        for number in range(0, n_epochs + 1, _step(n_epochs)):
            path = self._snapshot(number)
            if path.exists():
                tensors.append(ProjectorTensor(f"epoch {number}", (n_points, n_axes), path.name))
        write_pbtxt_config(self.folder / PBTXT_NAME, tensors)


def _step(n_epochs: int) -> int:
    return max(1, n_epochs // _N_SNAPSHOTS)


def _meta(points: RecordedPoints) -> list[list[str]]:
    windows = points.windows
    columns = (windows.label, windows.capture, windows.network)
    times = map(format_time, np.asarray(windows.start_ns).tolist())
    return [
        point_row(str(label), str(capture), str(network), time, held_out=held_out, prototype=False)[
            : len(COLUMNS) - 1
        ]
        for label, capture, network, time, held_out in zip(
            *columns, times, points.held_out.tolist(), strict=True
        )
    ]


def _writer(folder: Path) -> Any:
    try:
        from tensorboard.summary import Writer
    except ModuleNotFoundError as err:
        raise MissingExtraError(
            f"writing for TensorBoard needs {err.name}, which is not installed. "
            'Install it with: pip install "traffic-siamese[tensorboard]"'
        ) from err
    return Writer(str(folder))
