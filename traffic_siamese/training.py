"""Fit the shared encoder, watch it, stop in time, and go on where a run was broken off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.backend import keras
from traffic_siamese.bags import Bag, Split, make_bags, unseen_by
from traffic_siamese.branches import as_laid_out
from traffic_siamese.checkpoint import digest
from traffic_siamese.collapse import describe, is_collapsed
from traffic_siamese.encoder import (
    build_encoder,
    freeze_recurrent,
    load_keras,
    n_members_of,
)
from traffic_siamese.errors import TrainingError
from traffic_siamese.generators import BalancedBatches, PairBatches, TripletBatches
from traffic_siamese.history import TrainingHistory
from traffic_siamese.keeper import EpochReport, Keeper
from traffic_siamese.losses import LOSSES, get_loss
from traffic_siamese.member_batches import MemberBatches
from traffic_siamese.nested_loss import NestedLoss
from traffic_siamese.recorder import Recorder, choose_points
from traffic_siamese.split import split_by_capture
from traffic_siamese.training_options import TrainingOptions
from traffic_siamese.types import CUBE_DIM
from traffic_siamese.windows import WindowSet

__all__ = [
    "EpochReport",
    "TrainedEncoder",
    "TrainingOptions",
    "split_by_capture",
    "train_encoder",
]

_FREE_TO_CHANGE = ("epochs", "patience")  # a run may be continued with other values of these
_VALIDATION_BATCHES = 4


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEncoder:
    """The outcome of a training run.

    Attributes
    ----------
    model : keras.Model
        The encoder with the weights of the best epoch.
    history : TrainingHistory
        Where the points stood; row ``best_epoch`` is where ``model`` puts them.
    unseen : ndarray of shape (n_points, n_bags), bool
        Which bags hold each point's capture out; see ``oneshot.out_of_bag``.
    best_epoch : int
        The epoch whose weights were kept; 0 is before training.
    summary : str
        How the points lie at that epoch, in one sentence.
    warnings : tuple of str
        What a user should know before relying on it.
    """

    model: keras.Model
    history: TrainingHistory
    unseen: NDArray[np.bool_]
    best_epoch: int
    summary: str
    warnings: tuple[str, ...]


def train_encoder(
    windows: WindowSet,
    splits: Sequence[Split],
    *,
    options: TrainingOptions,
    synthetic: Sequence[WindowSet | None] = (),
    start: bytes | None = None,
    checkpoint_dir: Path | None = None,
    progress: Callable[[EpochReport], None] | None = None,
) -> TrainedEncoder:
    """Fit the encoder on labelled windows.

    Parameters
    ----------
    windows : WindowSet
        Model inputs with labels; unlabelled windows (empty label) are left out.
    splits : sequence of (train, held_out)
        Rows of ``windows``, from ``split_by_capture``: of each network of the encoder, for losses
        that find pairs in a batch, or one for all networks. Held-out ones decide which epoch is
        kept and when to stop.
    options : TrainingOptions
        How to train.
    synthetic : sequence of WindowSet or None, optional
        More windows to train on, for each split, which are neither watched nor drawn in the film;
        see ``simulate.pool``.
    start : bytes, optional
        A ``.keras`` file: the encoder to train further. Its shape takes the place of
        ``options.encoder``.
    checkpoint_dir : Path, optional
        Where the run is kept after every epoch. A run that is found there is continued, with the
        same result as if it had not been broken off.
    progress : callable, optional
        Called with an ``EpochReport`` after every epoch.

    Raises
    ------
    TrainingError
        If there are fewer than two labels, or a label with fewer than two windows, or if the run in
        ``checkpoint_dir`` was made with other options or data.
    """
    bags, warnings = make_bags(windows, splits, synthetic)
    run = _Run(bags, options, start)
    keeper = run.keeper
    keeper.folder, keeper.progress = checkpoint_dir, progress
    keeper.resume()
    if not keeper.finished:
        try:
            _fit(run)
        except BaseException:  # Ctrl-C too
            keeper.break_off()
            raise
    keeper.restore_best()
    return _outcome(run, warnings)


def _fit(run: _Run) -> None:
    run.batches.epoch = run.keeper.epoch
    judge = keras.callbacks.LambdaCallback(
        on_train_begin=run.keeper.on_train_begin, on_epoch_end=run.keeper.on_epoch_end
    )
    run.model.fit(
        run.batches,
        initial_epoch=run.keeper.epoch,
        epochs=run.options.epochs,
        callbacks=[run.recorder, judge],  # in this order: the judge reads the recorder's row
        verbose=0,
        shuffle=False,
    )


class _Run:
    """The parts of one training run, wired together."""

    def __init__(
        self,
        bags: list[Bag],
        options: TrainingOptions,
        start: bytes | None,
    ) -> None:
        self.options = options
        self.bags = bags
        first = bags[0]
        self.encoder = _encoder(first.train, options, start)
        if len(bags) not in (1, n_members_of(self.encoder)):
            raise ValueError(f"{len(bags)} splits for {n_members_of(self.encoder)} networks")
        self.loss = _loss(options, self.encoder)
        self.model = as_laid_out(self.encoder, self.loss.layout, apart=len(bags) > 1)
        self.model.compile(
            optimizer=keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(
                    options.learning_rate, options.epochs * options.batches_per_epoch
                ),
                clipnorm=options.clipnorm,
            ),
            loss=self.loss,
            # XLA takes seconds to compile the loop over time and does not run it faster on a CPU.
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        self.batches = _batches(
            [bag.all for bag in bags],
            options,
            n_batches=options.batches_per_epoch,
            augment=options.augment,
        )
        points = choose_points(
            first.train, first.held_out, max_points=options.max_points, seed=options.seed
        )
        self.unseen = unseen_by(bags, points.windows.capture)
        self.recorder = Recorder(
            self.encoder,
            points,
            margin=options.margin,
            held_out_loss=self._held_out_loss(),
            seed=options.seed,
        )
        self.keeper = Keeper(
            self.model,
            self.recorder,
            made_with={
                **_made_with(bags, options),
                "starting encoder": hashlib.sha256(start or b"").hexdigest(),
            },
            epochs=options.epochs,
            patience=options.patience,
        )

    def _held_out_loss(self) -> Callable[[], float] | None:
        """Return the loss on fixed batches of held-out windows, each network by its own."""
        held_out = [bag.held_out for bag in self.bags if bag.held_out is not None]
        if len(held_out) < len(self.bags):
            return None
        mixed = replace(self.options, same_network_share=0.0)
        drawn = _batches(held_out, mixed, n_batches=_VALIDATION_BATCHES)
        fixed = [drawn[number] for number in range(_VALIDATION_BATCHES)]

        def loss() -> float:
            self.model.reset_metrics()
            values = [self.model.test_on_batch(X, y) for X, y in fixed]
            return float(values[-1])  # Keras gives the mean of all since the reset

        return loss


def _encoder(train: WindowSet, options: TrainingOptions, start: bytes | None) -> keras.Model:
    shape = (train.n_timesteps, train.inputs[0].shape[1])
    if start is None:
        return build_encoder(*shape, options=options.encoder, seed=options.seed)
    encoder = load_keras(start)
    if encoder.input_shape[1:] != shape:
        raise TrainingError(
            f"the encoder to start from takes windows of {encoder.input_shape[1:]}, these are "
            f"{shape}. Use the window length and the views that it was trained with."
        )
    if options.freeze == "lstm":
        freeze_recurrent(encoder)
    return encoder


def _made_with(bags: list[Bag], options: TrainingOptions) -> dict[str, str]:
    settings = {k: v for k, v in asdict(options).items() if k not in _FREE_TO_CHANGE}
    train = bags[0].train
    shape = f"{train.n_timesteps} x {train.inputs[0].shape[1]}"
    made_with = {name: json.dumps(value) for name, value in settings.items()}
    return {
        **made_with,
        "window shape": shape,
        "training data": "; ".join(digest(bag.train) for bag in bags),
        "held-out data": "; ".join(digest(bag.held_out) for bag in bags),
        "synthetic data": "; ".join(digest(bag.synthetic) for bag in bags),
    }


def _loss(options: TrainingOptions, encoder: keras.Model) -> Any:
    settings: dict[str, Any] = {}
    if options.loss in ("triplet", "semi_hard", "hard"):
        settings["margin"] = options.margin
    if options.loss == "semi_hard":
        settings["n_per_label"] = options.n_per_label
    loss = get_loss(options.loss, **settings)
    if encoder.output_shape[-1] <= CUBE_DIM or options.loss == "pairwise":
        return loss
    return NestedLoss(loss, CUBE_DIM, n_members=n_members_of(encoder))


def _batches(windows: Sequence[WindowSet], options: TrainingOptions, **how: Any) -> Any:
    how["seed"] = options.seed
    layout = LOSSES[options.loss].layout
    if layout != "labels":
        kind = TripletBatches if layout == "triplets" else PairBatches
        return kind(windows[0], batch_size=options.batch_size, **how)
    members = [
        BalancedBatches(
            mine,
            n_labels=options.n_labels,
            n_per_label=options.n_per_label,
            n_virtual=options.n_virtual,
            same_network_share=options.same_network_share,
            member=member,
            **how,
        )
        for member, mine in enumerate(windows)
    ]
    return members[0] if len(members) == 1 else MemberBatches(members)


def _outcome(run: _Run, warnings: list[str]) -> TrainedEncoder:
    history, best_epoch = run.recorder.history(), run.keeper.best_epoch
    measures = run.recorder.measure(history.embeddings[best_epoch])
    summary = describe(measures)
    if is_collapsed(measures):
        warnings = [*warnings, summary]
    return TrainedEncoder(run.encoder, history, run.unseen, best_epoch, summary, tuple(warnings))
