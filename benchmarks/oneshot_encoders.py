"""Encoders of the one-shot benchmark, trained as the package trains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from oneshot_data import SPEC, Corpus, Fold, training_logs

from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.encoder import to_onnx
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.labelled_logs import LabelledLogs
from traffic_siamese.oneshot.calibration import Calibration, calibrate
from traffic_siamese.oneshot.select import select_prototypes
from traffic_siamese.publishing import least_radius
from traffic_siamese.scaling import Scaler
from traffic_siamese.simulate.pool import RawWindows, one_shot_distances, synthetic_windows
from traffic_siamese.split import split_by_capture
from traffic_siamese.training import train_encoder
from traffic_siamese.types import FloatArray, StringArray

RAW_STRIDE = 2


@dataclass(frozen=True, eq=False)
class Trained:
    """An encoder with what classifying needs, and where it puts all windows of the corpus.

    Attributes
    ----------
    embed : callable
        From model inputs to embeddings.
    scaler : Scaler
    embeddings : ndarray of shape (n_windows, embedding_dim), float32
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
        Examples of the labels trained on, chosen as the package chooses them.
    prototype_labels : ndarray of shape (n_prototypes,), str
    calibration : Calibration
    """

    embed: Callable[[FloatArray], FloatArray]
    scaler: Scaler
    embeddings: FloatArray
    prototypes: FloatArray
    prototype_labels: StringArray
    calibration: Calibration

    def cube(self) -> FloatArray:
        """Return the first three axes of the embeddings."""
        return self.embeddings[:, :3]


def product_options(*, embedding_dim: int, steps: int | None, seed: int) -> FitOptions:
    """Return the package's defaults with so many axes, and steps where they are given."""
    options = FitOptions()
    epochs = options.training.epochs
    if steps is not None:
        epochs = max(1, round(steps / options.training.batches_per_epoch))
    encoder = replace(options.training.encoder, embedding_dim=embedding_dim)
    training = replace(options.training, epochs=epochs, seed=seed, encoder=encoder)
    return replace(options, training=training)


def original_options(*, steps: int | None, seed: int) -> FitOptions:
    """Return the original recipe: semi-hard triplets in a cube, both views, labelled data only."""
    options = product_options(embedding_dim=3, steps=steps, seed=seed)
    training = replace(options.training, loss="semi_hard")
    return replace(options, training=training, views="both", n_virtual_faults=0)


def train(corpus: Corpus, fold: Fold, options: FitOptions) -> Trained:
    """Train on a fold, as ``traffic_siamese.train`` does with a folder of logs."""
    data = training_logs(corpus, fold, views=options.views)
    shown, held = split_by_capture(
        data.windows, share=options.held_out_share, seed=options.training.seed
    )
    held = _at_stride(data, held)
    raw = _raw_windows(data, shown)
    synthetic = None
    if options.n_virtual_faults:
        synthetic = synthetic_windows(
            raw,
            data.scaler,
            n_faults=options.n_virtual_faults,
            n_cases=options.n_virtual_cases,
            seed=options.training.seed,
        )
    augment = replace(options.training.augment, n_views=data.scaler.n_views)
    model = train_encoder(
        data.windows.select(shown),
        data.windows.select(held) if len(held) else None,
        options=replace(options.training, augment=augment),
        synthetic=synthetic,
    ).model
    embed = OnnxEncoder(to_onnx(model), threads=0).embed
    rows = {"shown": _at_stride(data, shown), "held": held}
    return _with_library(corpus, data, embed, rows=rows, raw=raw, options=options)


def _with_library(
    corpus: Corpus,
    data: LabelledLogs,
    embed: Callable[[FloatArray], FloatArray],
    *,
    rows: dict[str, np.ndarray],
    raw: RawWindows,
    options: FitOptions,
) -> Trained:
    """Choose prototypes and calibrate, as publishing a model does."""
    shown = data.windows.select(rows["shown"])
    judged = data.windows.select(rows["held"]) if len(rows["held"]) else shown
    places = embed(shown.gather())
    chosen = select_prototypes(
        places,
        shown.label,
        groups=shown.capture,
        n_per_label=options.n_prototypes,
        seed=options.training.seed,
    )
    reach = one_shot_distances(raw, data.scaler, embed, seed=options.training.seed)
    calibration = calibrate(
        embed(judged.gather()),
        judged.label,
        places[chosen],
        shown.label[chosen],
        false_unknown_share=options.false_unknown_share,
        min_radius=least_radius(reach, options.false_unknown_share),
    )
    embeddings = embed(corpus.inputs(data.scaler))
    return Trained(embed, data.scaler, embeddings, places[chosen], shown.label[chosen], calibration)


def _at_stride(data: LabelledLogs, rows: np.ndarray) -> np.ndarray:
    return rows[data.windows.start_bin[rows] % SPEC.stride == 0]


def _raw_windows(data: LabelledLogs, rows: np.ndarray) -> RawWindows:
    some = data.windows.select(rows[data.windows.start_bin[rows] % RAW_STRIDE == 0])
    names = list(data.baselines)
    index = np.array([names.index(str(name)) for name in some.network], np.int64)
    return RawWindows(data.raw(some), index, list(data.baselines.values()), some.label)
