"""Fit the shared encoder, watch it, stop in time, and go on where a run was broken off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.augment import AugmentOptions
from traffic_siamese.backend import keras
from traffic_siamese.checkpoint import digest
from traffic_siamese.collapse import describe, is_collapsed
from traffic_siamese.encoder import EncoderOptions, build_encoder
from traffic_siamese.generators import BalancedBatches, PairBatches, TripletBatches
from traffic_siamese.history import TrainingHistory
from traffic_siamese.keeper import EpochReport, Keeper
from traffic_siamese.losses import LOSSES, NestedLoss, PairwiseHead, get_loss
from traffic_siamese.recorder import RecordedPoints, Recorder, choose_points
from traffic_siamese.split import labelled, split_by_capture
from traffic_siamese.types import CUBE_DIM, FloatArray
from traffic_siamese.windows import WindowSet, join_windows

__all__ = [
    "EpochReport",
    "TrainedEncoder",
    "TrainingOptions",
    "split_by_capture",
    "train_encoder",
]

_FREE_TO_CHANGE = ("epochs", "patience")  # a run may be continued with other values of these
_VALIDATION_BATCHES = 8


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How the encoder is trained.

    Attributes
    ----------
    loss : str
        One of the names that ``losses.get_loss`` knows.
    margin : float
        For the losses that have one, and for counting active triplets: a squared distance.
    epochs, batches_per_epoch : int
        Epochs at most, and batches in each.
    n_labels, n_per_label : int
        Labels in a mined batch, and windows of each.
    n_virtual : int
        Virtual faults in a mined batch, beside the labels.
    batch_size : int
        Triplets or pairs in a batch, for the losses that are given them.
    learning_rate, clipnorm : float
        Of Adam; the rate falls to 0 along a cosine, and the gradient's norm is clipped, since the
        lossless loss can reach thousands.
    patience : int
        Epochs with a clearly worse held-out loss before training stops.
    max_points : int
        Windows that the recorder follows at most.
    seed : int
        Everything random depends on it.
    encoder : EncoderOptions
        Shape of the network.
    augment : AugmentOptions
        Variations of the training windows.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    loss: str = "supervised_contrastive"
    margin: float = 0.4
    epochs: int = 40
    batches_per_epoch: int = 15
    n_labels: int = 8
    n_per_label: int = 6
    n_virtual: int = 12
    batch_size: int = 48
    learning_rate: float = 2e-3
    clipnorm: float = 1.0
    patience: int = 15
    max_points: int = 1500
    seed: int = 0
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    augment: AugmentOptions = field(
        default_factory=lambda: AugmentOptions(
            severity=0.3, load=0.5, mix=0.4, drift=0.08, noise=0.05, n_views=1
        )
    )

    def __post_init__(self) -> None:
        """Check the values once."""
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}, expected one of {', '.join(LOSSES)}")
        for name in ("epochs", "batches_per_epoch", "batch_size", "patience", "max_points"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        for name in ("n_labels", "n_per_label"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 2 or more")
        for name in ("margin", "learning_rate", "clipnorm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEncoder:
    """The outcome of a training run.

    Attributes
    ----------
    model : keras.Model
        The encoder with the weights of the best epoch.
    history : TrainingHistory
        Where the points stood; row ``best_epoch`` is where ``model`` puts them.
    best_epoch : int
        The epoch whose weights were kept; 0 is before training.
    summary : str
        How the points lie at that epoch, in one sentence.
    warnings : tuple of str
        What a user should know before relying on it.
    """

    model: keras.Model
    history: TrainingHistory
    best_epoch: int
    summary: str
    warnings: tuple[str, ...]


def train_encoder(
    train: WindowSet,
    held_out: WindowSet | None = None,
    *,
    options: TrainingOptions,
    synthetic: WindowSet | None = None,
    checkpoint_dir: Path | None = None,
    progress: Callable[[EpochReport], None] | None = None,
) -> TrainedEncoder:
    """Fit the encoder on labelled windows.

    Parameters
    ----------
    train, held_out : WindowSet
        Model inputs with labels; unlabelled windows (empty label) are left out. The held-out ones
        decide which epoch is kept and when to stop; see ``split_by_capture``.
    options : TrainingOptions
        How to train.
    synthetic : WindowSet, optional
        More windows to train on, which are neither watched nor drawn in the film; see
        ``simulate.pool``.
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
    train, held_out, warnings = labelled(train, held_out)
    run = _Run(train, held_out, synthetic, options)
    keeper = run.keeper
    keeper.folder, keeper.progress = checkpoint_dir, progress
    keeper.resume()
    if not keeper.finished:
        _fit(run)
    keeper.restore_best()
    return _outcome(run, warnings)


def _fit(run: _Run) -> None:
    run.batches.epoch = run.keeper.epoch
    judge = keras.callbacks.LambdaCallback(on_epoch_end=run.keeper.on_epoch_end)
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
        train: WindowSet,
        held_out: WindowSet | None,
        synthetic: WindowSet | None,
        options: TrainingOptions,
    ) -> None:
        self.options = options
        self.encoder = build_encoder(
            train.n_timesteps, train.inputs[0].shape[1], options=options.encoder, seed=options.seed
        )
        self.loss = _loss(options)
        self.model, self.head = _wrapped(self.encoder, self.loss.layout)
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
            train if synthetic is None else join_windows(train, synthetic),
            options,
            n_batches=options.batches_per_epoch,
            augment=options.augment,
        )
        points = choose_points(train, held_out, max_points=options.max_points, seed=options.seed)
        self.recorder = Recorder(
            self.encoder,
            points,
            margin=options.margin,
            held_out_loss=self._held_out_loss(points) if held_out is not None else None,
            seed=options.seed,
        )
        self.keeper = Keeper(
            self.model,
            self.recorder,
            made_with=_made_with(train, held_out, synthetic, options),
            epochs=options.epochs,
            patience=options.patience,
        )

    def _held_out_loss(self, points: RecordedPoints) -> Callable[[FloatArray], float]:
        """Return the loss on fixed batches of the held-out points, given all embeddings."""
        unseen = np.flatnonzero(points.held_out)
        drawn = _batches(points.windows.select(unseen), self.options, n_batches=1)
        fixed = [
            (unseen[rows], y)
            for rows, y in (
                drawn.draw(np.random.default_rng([self.options.seed, number]))
                for number in range(_VALIDATION_BATCHES)
            )
        ]

        def loss(embeddings: FloatArray) -> float:
            values = [self.loss(y, self.head(embeddings[rows])) for rows, y in fixed]
            return float(np.mean([float(value) for value in values]))

        return loss


def _made_with(
    train: WindowSet,
    held_out: WindowSet | None,
    synthetic: WindowSet | None,
    options: TrainingOptions,
) -> dict[str, str]:
    settings = {k: v for k, v in asdict(options).items() if k not in _FREE_TO_CHANGE}
    shape = f"{train.n_timesteps} x {train.inputs[0].shape[1]}"
    made_with = {name: json.dumps(value) for name, value in settings.items()}
    return {
        **made_with,
        "window shape": shape,
        "training data": digest(train),
        "held-out data": digest(held_out),
        "synthetic data": digest(synthetic),
    }


def _loss(options: TrainingOptions) -> Any:
    settings: dict[str, Any] = {}
    if options.loss in ("triplet", "semi_hard", "hard"):
        settings["margin"] = options.margin
    if options.loss == "semi_hard":
        settings["n_per_label"] = options.n_per_label
    loss = get_loss(options.loss, **settings)
    if options.encoder.embedding_dim <= CUBE_DIM or options.loss == "pairwise":
        return loss
    return NestedLoss(loss, CUBE_DIM)


def _wrapped(encoder: keras.Model, layout: str) -> tuple[keras.Model, Callable[[Any], Any]]:
    """Return the model to fit, and what it does to embeddings before the loss sees them."""
    if layout == "labels":
        return keras.Model(encoder.inputs, encoder.outputs), np.asarray
    n_branches = {"triplets": 3, "pairs": 2}[layout]
    shape = encoder.input_shape[1:]
    branches = keras.Input((n_branches, *shape))
    folded = encoder(keras.ops.reshape(branches, (-1, *shape)))  # one call for all branches
    embeddings = keras.ops.reshape(folded, (-1, n_branches, encoder.output_shape[-1]))
    if layout == "triplets":
        return keras.Model(branches, embeddings), np.asarray
    head = PairwiseHead(name="head")
    return keras.Model(branches, head(embeddings)), head


def _batches(windows: WindowSet, options: TrainingOptions, **how: Any) -> Any:
    how["seed"] = options.seed
    layout = LOSSES[options.loss].layout
    if layout == "labels":
        return BalancedBatches(
            windows,
            n_labels=options.n_labels,
            n_per_label=options.n_per_label,
            n_virtual=options.n_virtual,
            **how,
        )
    kind = TripletBatches if layout == "triplets" else PairBatches
    return kind(windows, batch_size=options.batch_size, **how)


def _outcome(run: _Run, warnings: list[str]) -> TrainedEncoder:
    history, best_epoch = run.recorder.history(), run.keeper.best_epoch
    measures = run.recorder.measure(history.embeddings[best_epoch])
    summary = describe(measures)
    if is_collapsed(measures):
        warnings = [*warnings, summary]
    return TrainedEncoder(run.encoder, history, best_epoch, summary, tuple(warnings))
