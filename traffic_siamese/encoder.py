"""The shared network: a window of traffic goes in, a point of the unit cube comes out."""

from __future__ import annotations

import math
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.backend import keras
from traffic_siamese.errors import BundleError
from traffic_siamese.types import FloatArray

_MEMBER_AXES = 16
POOLINGS = ("mean_max", "mean", "last")


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """The shape of the network. There is no batch normalisation in it, on purpose.

    Attributes
    ----------
    embedding_dim : int
        Axes of the space that windows are placed in, of all members together. The first three are
        the cube that is drawn; 3 leaves the cube alone to decide.
    n_members : int
        Networks of this shape side by side, each with an equal part of the axes: what one of them
        overlooks in a fault that nobody trained on, another may see. 0: one for each 16 axes.
    spans : tuple of float, in (0, 1]
        Share of the window, up to its end, that each member looks at; members take turns. The
        first has the cube. A short span answers sooner, and sees what a long one averages away.
    frame_units : int
        Units that each time step is projected to first; 0 leaves the projection out.
    lstm_units, n_layers : int
        Units of each recurrent layer, and how many there are.
    pooling : {"mean_max", "mean", "last"}
        What is kept of the time axis: last state with mean and maximum over time, last state with
        mean, or the last state alone.
    hidden_units : int
        Units of the layer between pooling and embedding.
    dropout : float, in [0, 1)
        Share of the inputs of each layer that are dropped while training.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    embedding_dim: int = 96
    n_members: int = 0
    spans: tuple[float, ...] = (1.0, 0.5, 0.25)
    frame_units: int = 48
    lstm_units: int = 64
    n_layers: int = 1
    pooling: str = "mean_max"
    hidden_units: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Check the values once."""
        for name in ("embedding_dim", "lstm_units", "n_layers", "hidden_units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        if self.n_members < 0 or self.embedding_dim % max(1, self.n_members):
            raise ValueError(
                f"n_members is {self.n_members}, expected a divisor of the {self.embedding_dim} "
                "axes, or 0"
            )
        if not self.spans or not all(0 < span <= 1 for span in self.spans):
            raise ValueError(f"spans is {self.spans}, expected shares of the window in (0, 1]")
        if self.frame_units < 0:
            raise ValueError(f"frame_units is {self.frame_units}, expected 0 or more")
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}, expected one of {', '.join(POOLINGS)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, expected a share in [0, 1)")

    @property
    def members(self) -> int:
        """How many networks there are: of 16 axes each, or the next wider that fit."""
        most = self.n_members or max(1, self.embedding_dim // _MEMBER_AXES)
        return next(n for n in range(most, 0, -1) if self.embedding_dim % n == 0)

    def span_bins(self, member: int, n_timesteps: int) -> int:
        """How many of a window's bins a member looks at: the last ones."""
        return math.ceil(n_timesteps * self.spans[member % len(self.spans)])


def build_encoder(
    n_timesteps: int, n_channels: int, *, options: EncoderOptions, seed: int = 0
) -> keras.Model:
    """Build the network that all branches share.

    Parameters
    ----------
    n_timesteps, n_channels : int
        Shape of one window.
    options : EncoderOptions
        Shape of the network.
    seed : int
        Initial weights and dropout depend on it and on nothing else.

    Returns
    -------
    keras.Model
        Maps (batch, n_timesteps, n_channels) float32 to (batch, embedding_dim) in (0, 1).
    """
    windows = keras.Input((n_timesteps, n_channels), name="windows")
    parts = [
        _member(windows, options, options.span_bins(member, n_timesteps), member, seed=seed)
        for member in range(options.members)
    ]
    embeddings = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="all")(parts)
    return keras.Model(windows, embeddings, name="encoder")


def n_members_of(model: keras.Model) -> int:
    """Return how many networks stand side by side in an encoder."""
    return sum(layer.name.startswith("embeddings") for layer in model.layers)


def members_of(model: keras.Model) -> list[keras.Model]:
    """Return the networks that stand side by side in an encoder, each with its own axes.

    They share their weights with the encoder.
    """
    names = [f"embeddings{suffix_of(member)}" for member in range(n_members_of(model))]
    return [keras.Model(model.inputs, model.get_layer(name).output) for name in names]


def suffix_of(member: int) -> str:
    """Return what the names of a member's layers end in."""
    return f"_of_{member}" if member else ""


def _member(windows: Any, options: EncoderOptions, n_bins: int, member: int, *, seed: int) -> Any:
    """Place the last bins of windows on one member's axes."""
    entropy = np.random.SeedSequence([seed, member])
    seeds = iter(entropy.generate_state(4 * options.n_layers + 16).tolist())
    suffix, n_axes = suffix_of(member), options.embedding_dim // options.members
    frames = windows
    if n_bins < windows.shape[1]:
        frames = keras.layers.Cropping1D((windows.shape[1] - n_bins, 0), name=f"span{suffix}")(
            windows
        )
    frames = _dropped(frames, options.dropout, next(seeds))
    if options.frame_units:
        frames = _dense(options.frame_units, "tanh", f"frame{suffix}", next(seeds))(frames)
    for layer in range(options.n_layers):
        if layer:
            frames = _dropped(frames, options.dropout, next(seeds))
        name = f"lstm_{layer}{suffix}"
        frames, last = _lstm(options.lstm_units, name, next(seeds), next(seeds))(frames)
    pooled = _pool(frames, last, options.pooling, suffix)
    pooled = _dropped(pooled, options.dropout, next(seeds))
    hidden = _dense(options.hidden_units, "relu", f"hidden{suffix}", next(seeds))(pooled)
    return _dense(n_axes, "sigmoid", f"embeddings{suffix}", next(seeds))(hidden)


def freeze_recurrent(model: keras.Model) -> None:
    """Keep the weights of every member up to its last LSTM as they are."""
    for layer in model.layers:
        layer.trainable = layer.name.startswith(("hidden", "embeddings"))


def _dropped(values: Any, rate: float, seed: int) -> Any:
    return keras.layers.Dropout(rate, seed=seed)(values) if rate else values


def _dense(units: int, activation: str, name: str, seed: int) -> keras.layers.Layer:
    glorot = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=glorot, name=name)


def _lstm(units: int, name: str, kernel_seed: int, recurrent_seed: int) -> Any:
    layer = keras.layers.LSTM(
        units,
        return_sequences=True,
        return_state=True,
        kernel_initializer=keras.initializers.GlorotUniform(seed=kernel_seed),
        recurrent_initializer=keras.initializers.Orthogonal(seed=recurrent_seed),
        name=name,
    )
    return lambda frames: layer(frames)[:2]


def _pool(frames: Any, last: Any, pooling: str, suffix: str) -> Any:
    parts = [last]
    if pooling != "last":
        parts.append(keras.layers.GlobalAveragePooling1D(name=f"mean{suffix}")(frames))
    if pooling == "mean_max":
        parts.append(keras.layers.GlobalMaxPooling1D(name=f"max{suffix}")(frames))
    return keras.layers.Concatenate(name=f"pooled{suffix}")(parts) if len(parts) > 1 else last


def embed(model: keras.Model, X: FloatArray, *, batch_size: int = 512) -> FloatArray:
    """Embed windows with Keras, in batches of one size so that nothing is compiled twice.

    Parameters
    ----------
    model : keras.Model
        What ``build_encoder`` built.
    X : ndarray of shape (n_windows, n_timesteps, n_channels), float32
        Scaled windows.
    batch_size : int
        Windows in one call; the last batch is padded.

    Returns
    -------
    ndarray of shape (n_windows, embedding_dim), float32, in [0, 1]
    """
    size = min(batch_size, max(len(X), 1))
    out = np.empty((len(X), model.output_shape[-1]), np.float32)
    for start in range(0, len(X), size):
        part = X[start : start + size]
        padded = np.pad(part, ((0, size - len(part)), (0, 0), (0, 0)))
        out[start : start + size] = model.predict_on_batch(padded)[: len(part)]
    return out


def save_keras(model: keras.Model) -> bytes:
    """Return the network as the content of a ``.keras`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "encoder.keras")
        with warnings.catch_warnings():  # Keras copies its variables in a way that numpy 2 warns of
            warnings.simplefilter("ignore", DeprecationWarning)
            model.save(path)
        return path.read_bytes()


def load_keras(source: bytes | str | os.PathLike[str]) -> keras.Model:
    """Read a network that ``save_keras`` wrote.

    Parameters
    ----------
    source : bytes or path-like
        The content of the file, or where it lies.

    Raises
    ------
    BundleError
        If it is no network that this Keras can read.
    """
    if isinstance(source, bytes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "encoder.keras")
            path.write_bytes(source)
            return load_keras(path)
    try:
        return keras.saving.load_model(source, compile=False)
    except Exception as error:  # Keras raises a dozen kinds for a damaged archive
        raise BundleError(
            f"{source}: Keras {keras.__version__} cannot read it ({error}); "
            "expected an encoder. Train again to write a new one."
        ) from error
