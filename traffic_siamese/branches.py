"""The branches of the siamese network: one encoder, shown several windows at once."""

from __future__ import annotations

from traffic_siamese.backend import keras
from traffic_siamese.encoder import members_of
from traffic_siamese.losses import PairwiseHead


def as_laid_out(encoder: keras.Model, layout: str, *, apart: bool) -> keras.Model:
    """Return the model to fit, which takes windows as the loss's batches are laid out.

    Parameters
    ----------
    encoder : keras.Model
    layout : {"labels", "triplets", "pairs"}
        Of the loss; see ``losses``.
    apart : bool
        Whether each network of the encoder is shown windows of its own; for ``labels``.
    """
    if layout == "labels":
        return shown_apart(encoder) if apart else keras.Model(encoder.inputs, encoder.outputs)
    n_branches = {"triplets": 3, "pairs": 2}[layout]
    shape = encoder.input_shape[1:]
    branches = keras.Input((n_branches, *shape))
    folded = encoder(keras.ops.reshape(branches, (-1, *shape)))  # one call for all branches
    embeddings = keras.ops.reshape(folded, (-1, n_branches, encoder.output_shape[-1]))
    if layout == "triplets":
        return keras.Model(branches, embeddings)
    return keras.Model(branches, PairwiseHead(name="head")(embeddings))


def shown_apart(encoder: keras.Model) -> keras.Model:
    """Return a model that shows each network of an encoder windows of its own.

    It takes (batch, n_networks, n_timesteps, n_channels) and shares the encoder's weights.
    """
    members = members_of(encoder)
    shown = keras.Input((len(members), *encoder.input_shape[1:]))
    parts = [member(shown[:, place]) for place, member in enumerate(members)]
    return keras.Model(shown, keras.layers.Concatenate()(parts))
