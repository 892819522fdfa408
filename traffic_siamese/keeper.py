"""Judge every epoch of a run: keep the best weights, stop in time, report, write the checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.checkpoint import Checkpoint, load_checkpoint
from traffic_siamese.live.run_files import CURVES, RunState, WatchedEpoch, WatchedPoints, to_steps
from traffic_siamese.live.run_log import RunLog
from traffic_siamese.recorder import Recorder

_TOLERANCE = 0.25
_LEAST = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class EpochReport:
    """What is known after an epoch; ``val_loss`` is NaN without held-out windows.

    ``epoch`` counts from 1; ``eta_s`` is the time to the last epoch, if training does not stop
    before it. ``learning_rate`` is that of the next step, and ``recorder`` holds where all
    followed windows stood after this and every earlier epoch.
    """

    epoch: int
    n_epochs: int
    loss: float
    val_loss: float
    eta_s: float
    separation: float
    active_triplets: float
    learning_rate: float
    recorder: Recorder


class Keeper:
    """Follows a run epoch by epoch; call ``on_epoch_end`` after the recorder has its row.

    Parameters
    ----------
    model : keras.Model
        The compiled model that is fitted.
    recorder : Recorder
        Whose last row is judged.
    made_with : dict of str to str
        What a checkpoint must have been made with to be continued.
    epochs, patience : int
        Epochs at most, and epochs without a better one before the run stops.

    Attributes
    ----------
    folder : Path or None
        Where the checkpoint is kept, and what a watcher reads; None keeps none.
    progress : callable or None
        Called with an ``EpochReport`` after every epoch.
    epoch : int
        Epochs done.
    best_epoch : int
        The epoch whose weights are kept so far; 0 is before training.
    """

    def __init__(
        self,
        model: Any,
        recorder: Recorder,
        *,
        made_with: dict[str, str],
        epochs: int,
        patience: int,
    ) -> None:
        self.model = model
        self.recorder = recorder
        self.made_with = made_with
        self.epochs = epochs
        self.patience = patience
        self.folder: Path | None = None
        self.progress: Callable[[EpochReport], None] | None = None
        self.epoch = 0
        self._first_epoch = 0
        self._started_s = time.monotonic()
        self._state = {"score": float("inf"), "best_epoch": 0, "waited": 0}
        self._best = model.get_weights()
        self._log: RunLog | None = None

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept so far."""
        return int(self._state["best_epoch"])

    @property
    def finished(self) -> bool:
        """True when there is no epoch left, or none was better for too long."""
        return self.epoch >= self.epochs or self._state["waited"] >= self.patience

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Let watchers see the row before training."""
        self._tell("training")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the epoch that just ended (Keras counts from 0)."""
        self.epoch = epoch + 1
        self._judge()
        if self.folder is not None:
            self._checkpoint().save(self.folder)
        report = self._report()
        self._tell("training", eta_s=report.eta_s)
        if self.progress is not None:
            self.progress(report)
        self.model.stop_training = self.finished

    def _judge(self) -> None:
        """Keep the latest epoch that is not clearly worse than the best.

        Compared by held-out loss, or by training loss without one. Few captures are held out, so
        small differences say nothing, while later epochs know faults better that nobody labelled.
        """
        row = self.recorder.rows[-1]
        score = row.loss if np.isnan(row.val_loss) else row.val_loss
        best = min(score, self._state["score"])
        if score > best + max(_TOLERANCE * abs(best), _LEAST):
            self._state["waited"] += 1
            return
        self._best = self.model.get_weights()
        self._state = {"score": best, "best_epoch": self.epoch, "waited": 0}

    def _report(self) -> EpochReport:
        row = self.recorder.rows[-1]
        per_epoch_s = (time.monotonic() - self._started_s) / (self.epoch - self._first_epoch)
        return EpochReport(
            epoch=self.epoch,
            n_epochs=self.epochs,
            loss=row.loss,
            val_loss=row.val_loss,
            eta_s=per_epoch_s * (self.epochs - self.epoch),
            separation=row.separation,
            active_triplets=row.active_triplets,
            learning_rate=float(self.model.optimizer.learning_rate),
            recorder=self.recorder,
        )

    def _tell(self, state: RunState, *, eta_s: float | None = None) -> None:
        """Leave the rows that are new for those who watch."""
        if self.folder is None or not self.recorder.rows:
            return
        if self._log is None:
            self._log = _run_log(self, self.folder)
        for row in self.recorder.rows[self._log.n_rows :]:
            curves = {name: float(getattr(row, name)) for name in CURVES}
            self._log.add(WatchedEpoch(to_steps(row.embeddings), curves), eta_s=eta_s)
        self._log.tell(state)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            self.made_with,
            self._state,
            variables=[variable.numpy() for variable in self.model.variables],
            optimizer=[variable.numpy() for variable in self.model.optimizer.variables],
            best=self._best,
            history=self.recorder.history(),
        )

    def resume(self) -> None:
        """Take up the checkpoint, if there is one.

        Raises
        ------
        TrainingError
            If it is damaged, or was made with other options or other data.
        """
        found = load_checkpoint(self.folder, self.made_with) if self.folder else None
        if found is None:
            return
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        variables = [*self.model.variables, *optimizer.variables]
        for variable, values in zip(variables, [*found.variables, *found.optimizer], strict=True):
            variable.assign(values)
        self.recorder.restore(found.history)
        self._state, self._best = dict(found.state), found.best
        self.epoch = self._first_epoch = found.history.n_epochs

    def restore_best(self) -> None:
        """Put the best epoch's weights into the model; no epoch is to come."""
        self.model.set_weights(self._best)
        self._tell("trained")

    def break_off(self) -> None:
        """Let watchers know that the run stops before its end."""
        self._tell("broken off")


def _run_log(keeper: Keeper, folder: Path) -> RunLog:
    points = keeper.recorder.points
    windows = points.windows
    watched = WatchedPoints(
        label=windows.label,
        capture=windows.capture,
        network=windows.network,
        start_ns=windows.start_ns,
        held_out=points.held_out,
        prototype=np.zeros(len(windows), np.bool_),
    )
    return RunLog(folder, watched, n_epochs=keeper.epochs, first_epoch=keeper.epoch)
