"""Train one row of the ablation on one fold, and ask the questions of the one-shot benchmark."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from unittest.mock import patch

import numpy as np
from ablation_recipes import Recipe, recipe
from ablation_tasks import Result, Task
from oneshot_data import Corpus, Fold, training_logs
from oneshot_peers import Points
from oneshot_protocol import draw_examples, measure

from traffic_siamese.fit_options import FitOptions
from traffic_siamese.fitting import make_splits, raw_windows
from traffic_siamese.labelled_logs import LabelledLogs
from traffic_siamese.losses import LOSSES
from traffic_siamese.simulate.pool import synthetic_windows
from traffic_siamese.training import train_encoder
from traffic_siamese.types import CUBE_DIM, VIRTUAL, FloatArray, Int64Array
from traffic_siamese.windows import WindowSet

ONE_NETWORK_AXES = 16


def carry_out(task: Task, corpus: Corpus, fold: Fold) -> Result:
    """Train a row on a fold and measure it.

    Returns
    -------
    dict
        The task's own values; ``seconds`` it took; ``values`` by measure, one a draw; ``cube``, the
        same of the first three axes alone where there are more.
    """
    from traffic_siamese.backend import keras

    started_s = time.perf_counter()
    keras.backend.clear_session()
    row = recipe(task.row)
    embeddings = train_row(row, corpus, fold, options=row_options(row, task))
    draws = draw_examples(corpus, fold, n=task.draws, seed=task.seed)
    found = {"values": measure(corpus, fold, Points(embeddings), draws).values, "cube": {}}
    if embeddings.shape[1] > CUBE_DIM:
        cube = Points(embeddings[:, :CUBE_DIM])
        found["cube"] = measure(corpus, fold, cube, draws).values
    return {**asdict(task), "seconds": round(time.perf_counter() - started_s, 1), **found}


def row_options(row: Recipe, task: Task) -> FitOptions:
    """Return the package's options, of one network, as the row changes them."""
    options = FitOptions()
    encoder = replace(options.training.encoder, embedding_dim=ONE_NETWORK_AXES)
    training = replace(options.training, seed=task.seed, encoder=encoder)
    if task.steps is not None:
        epochs = max(1, round(task.steps / training.batches_per_epoch))
        training = replace(training, epochs=epochs)
    return row.change(replace(options, training=training))


def train_row(row: Recipe, corpus: Corpus, fold: Fold, *, options: FitOptions) -> FloatArray:
    """Train an encoder as the row says, and embed all windows of the corpus."""
    from traffic_siamese.encoder import embed

    data = training_logs(corpus, fold, views=options.views)
    splits = make_splits(data.windows, options)[: None if row.apart else 1]
    n_views = 1 if row.absolute_only else data.scaler.n_views
    augment = replace(options.training.augment, n_views=n_views)
    with ExitStack() as patches:
        for target, stand_in in row.patches:
            patches.enter_context(patch(target, stand_in))
        synthetic = [
            _synthetic(row, data, train, options=options, member=member)
            for member, (train, _) in enumerate(splits)
        ]
        trained = train_encoder(
            _seen(row, data.windows),
            splits,
            options=replace(options.training, augment=augment),
            synthetic=synthetic,
            start=_start(row, data, options),
        )
    X = corpus.inputs(data.scaler)
    return embed(trained.model, X[..., : X.shape[-1] // 2] if row.absolute_only else X)


def _start(row: Recipe, data: LabelledLogs, options: FitOptions) -> bytes | None:
    if not row.encoder:
        return None
    from ablation_encoders import starting_encoder

    window = data.windows.n_timesteps, data.windows.inputs[0].shape[1]
    training = options.training
    return starting_encoder(row.encoder, window, options=training.encoder, seed=training.seed)


def _seen(row: Recipe, windows: WindowSet) -> WindowSet:
    """Take the relative view away where the row says so."""
    if not row.absolute_only:
        return windows
    half = windows.inputs[0].shape[1] // 2
    return replace(windows, inputs=tuple(values[:, :half] for values in windows.inputs))


def _synthetic(
    row: Recipe, data: LabelledLogs, rows: Int64Array, *, options: FitOptions, member: int
) -> WindowSet | None:
    """Make the row's synthetic windows; none for losses that are given triplets or pairs."""
    if row.synthetic == "none" or LOSSES[options.training.loss].layout != "labels":
        return None
    made = synthetic_windows(
        raw_windows(data, rows),
        data.scaler,
        n_faults=0 if row.synthetic == "moved" else options.n_virtual_faults,
        n_cases=options.n_virtual_cases,
        permuted_share=options.permuted_share,
        seed=[options.training.seed, member],
    )
    if row.synthetic == "virtual":
        made = made.select(np.char.startswith(made.label, VIRTUAL))
    return _seen(row, made)
