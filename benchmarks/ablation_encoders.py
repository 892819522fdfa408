"""Encoders that the package does not build, to compare its own with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traffic_siamese.backend import keras
from traffic_siamese.encoder import EncoderOptions, build_encoder, save_keras

SCALES_BINS = (16, 8)


def _mean(windows: Any, states: Callable[[Any], Any]) -> list[Any]:
    frames, _ = states(windows)
    return [keras.layers.GlobalAveragePooling1D()(frames)]


def _max(windows: Any, states: Callable[[Any], Any]) -> list[Any]:
    frames, _ = states(windows)
    return [keras.layers.GlobalMaxPooling1D()(frames)]


def _multi_scale(windows: Any, states: Callable[[Any], Any]) -> list[Any]:
    """Run the same recurrent network over the whole window and over its last bins alone."""
    n_bins = windows.shape[1]
    parts = []
    for scale in (n_bins, *SCALES_BINS):
        seen = keras.layers.Cropping1D((n_bins - min(scale, n_bins), 0))(windows)
        frames, last = states(seen)
        pooled = keras.layers.GlobalAveragePooling1D(), keras.layers.GlobalMaxPooling1D()
        parts += [last, *(layer(frames) for layer in pooled)]
    return parts


SHAPES: dict[str, Callable[[Any, Callable[[Any], Any]], list[Any]]] = {
    "mean": _mean,
    "max": _max,
    "multi_scale": _multi_scale,
}


def starting_encoder(
    shape: str, window: tuple[int, int], *, options: EncoderOptions, seed: int
) -> bytes:
    """Return an untrained encoder with another way from states to embedding.

    Projection and recurrent layers are those that the package builds from the same seed.

    Parameters
    ----------
    shape : str
        One of the names in `SHAPES`.
    window : tuple of int
        Timesteps and channels.
    options : EncoderOptions
    seed : int

    Returns
    -------
    bytes
        A ``.keras`` file, for `train_encoder` to start from.
    """
    base = build_encoder(*window, options=options, seed=seed)
    shared = [layer for layer in base.layers if layer.name == "frame"]
    recurrent = [layer for layer in base.layers if isinstance(layer, keras.layers.LSTM)]

    def states(seen: Any) -> tuple[Any, Any]:
        for layer in shared:
            seen = layer(seen)
        for layer in recurrent:
            seen, last, _ = layer(seen)
        return seen, last

    windows = keras.Input(window, name="windows")
    parts = SHAPES[shape](windows, states)
    pooled = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    hidden = _dense(options.hidden_units, "relu", "hidden", seed)(pooled)
    embeddings = _dense(options.embedding_dim, "sigmoid", "embeddings", seed + 1)(hidden)
    return save_keras(keras.Model(windows, embeddings, name="encoder"))


def _dense(units: int, activation: str, name: str, seed: int) -> keras.layers.Layer:
    start = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=start, name=name)
