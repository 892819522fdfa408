"""Watch training: where the same windows stand before it and after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.backend import keras
from traffic_siamese.collapse import EmbeddingMeasures, measure, sample_triplets
from traffic_siamese.encoder import embed
from traffic_siamese.history import TrainingHistory
from traffic_siamese.types import FloatArray, Int64Array
from traffic_siamese.windows import WindowSet, join_windows

_N_TRIPLETS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class RecordedPoints:
    """The windows that the recorder follows.

    Attributes
    ----------
    windows : WindowSet
        Trained ones first, then held-out ones.
    held_out : ndarray of shape (n_points,), bool
        True where the network that has the cube is not trained on the window.
    """

    windows: WindowSet
    held_out: NDArray[np.bool_]


def choose_points(
    train: WindowSet, held_out: WindowSet | None, *, max_points: int, seed: int
) -> RecordedPoints:
    """Choose windows to follow: even over labels, half of them held out where there are any.

    Parameters
    ----------
    train, held_out : WindowSet
        Labelled windows. Both must come from one scaling.
    max_points : int
        How many at most; the film grows with points times epochs.
    seed : int
        The same seed chooses the same windows.
    """
    rng = np.random.default_rng(seed)
    if held_out is None or not len(held_out):
        trained = train.select(_even_rows(train, max_points, rng))
        return RecordedPoints(trained, np.zeros(len(trained), np.bool_))
    unseen = held_out.select(_even_rows(held_out, max_points // 2, rng))
    trained = train.select(_even_rows(train, max_points - len(unseen), rng))
    mask = np.repeat([False, True], [len(trained), len(unseen)])
    return RecordedPoints(join_windows(trained, unseen), mask)


def _even_rows(windows: WindowSet, max_rows: int, rng: np.random.Generator) -> Int64Array:
    """Take turns between the labels until enough rows are taken, or none is left."""
    names = np.unique(windows.label[windows.label != ""])
    rows, turn = [], []
    for name in names:
        mine = rng.permutation(np.flatnonzero(windows.label == name))
        rows.append(mine)
        turn.append(np.arange(len(mine)))
    if not rows:
        return np.empty(0, np.int64)
    chosen = np.concatenate(rows)[np.argsort(np.concatenate(turn), kind="stable")[:max_rows]]
    return np.sort(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class EpochRow:
    """One row of the history: the points' embeddings, the two losses, and the measures."""

    embeddings: FloatArray
    loss: float
    val_loss: float
    separation: float
    active_triplets: float


class Recorder(keras.callbacks.Callback):
    """Keras callback that keeps one ``EpochRow`` before training and one after each epoch.

    Parameters
    ----------
    encoder : keras.Model
        The shared network; the model that is fitted may be wrapped around it.
    points : RecordedPoints
        The windows to follow.
    margin : float
        What counts as an active triplet, as a squared distance.
    held_out_loss : callable, optional
        Gives the present loss on held-out windows.
    seed : int
        Which triplets are counted depends on it.

    Attributes
    ----------
    rows : list of EpochRow
        What was recorded. Rows put here before training starts are continued.
    measures : EmbeddingMeasures
        How the points lay at the last row.
    """

    def __init__(
        self,
        encoder: keras.Model,
        points: RecordedPoints,
        *,
        margin: float,
        held_out_loss: Callable[[], float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.points = points
        self.margin = margin
        self.held_out_loss = held_out_loss
        self.rows: list[EpochRow] = []
        self._X = points.windows.gather()
        self._triplets = _watched_triplets(points, seed)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Record where the points stand before training, unless a run is continued."""
        if not self.rows:
            self.record(float("nan"))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record where the points stand now."""
        self.record(float((logs or {}).get("loss", float("nan"))))

    def record(self, loss: float) -> None:
        """Add a row.

        Parameters
        ----------
        loss : float
            The epoch's training loss.
        """
        embeddings = embed(self.encoder, self._X)
        found = self.measure(embeddings)
        val_loss = self.held_out_loss() if self.held_out_loss else float("nan")
        self.rows.append(
            EpochRow(embeddings, loss, val_loss, found.separation, found.active_triplets)
        )

    def measure(self, embeddings: FloatArray) -> EmbeddingMeasures:
        """Measure how the points lie when they stand at these embeddings."""
        label = self.points.windows.label
        return measure(embeddings, label, triplets=self._triplets, margin=self.margin)

    def history(self) -> TrainingHistory:
        """Return what was recorded so far; no point is marked as a prototype yet."""
        windows = self.points.windows
        return TrainingHistory(
            embeddings=np.stack([row.embeddings for row in self.rows]),
            label=windows.label,
            capture=windows.capture,
            network=windows.network,
            start_ns=windows.start_ns,
            held_out=self.points.held_out,
            prototype=np.zeros(len(windows), np.bool_),
            loss=np.array([row.loss for row in self.rows], np.float32),
            val_loss=np.array([row.val_loss for row in self.rows], np.float32),
            separation=np.array([row.separation for row in self.rows], np.float32),
            active_triplets=np.array([row.active_triplets for row in self.rows], np.float32),
        )

    def restore(self, history: TrainingHistory) -> None:
        """Take up the rows of a run that was broken off."""
        curves = (history.loss, history.val_loss, history.separation, history.active_triplets)
        self.rows = [
            EpochRow(embeddings, *(float(value) for value in values))
            for embeddings, *values in zip(history.embeddings, *curves, strict=True)
        ]


def _watched_triplets(points: RecordedPoints, seed: int) -> Int64Array:
    """Draw triplets among the held-out points, or among all where those give none."""
    rows = np.flatnonzero(points.held_out)
    label = points.windows.label
    triplets = sample_triplets(label[rows], n_triplets=_N_TRIPLETS, seed=seed)
    if len(triplets):
        return rows[triplets]
    return sample_triplets(label, n_triplets=_N_TRIPLETS, seed=seed)
