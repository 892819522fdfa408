"""Encoders of the one-shot benchmark, trained as the package trains them."""

from __future__ import annotations

from dataclasses import replace

from traffic_siamese.evaluation.encoders import train_fold as train
from traffic_siamese.evaluation.trained import Trained
from traffic_siamese.fit_options import FitOptions

__all__ = ["Trained", "original_options", "product_options", "train"]


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
