"""The shared network: a window of traffic goes in, a point of the unit cube comes out."""

from __future__ import annotations

import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from traffic_siamese.backend import keras
from traffic_siamese.errors import BundleError
from traffic_siamese.types import FloatArray

POOLINGS = ("mean_max", "mean", "last")
_OPSET = 17
_IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """The shape of the network. There is no batch normalisation in it, on purpose.

    Attributes
    ----------
    embedding_dim : int
        Axes of the space that windows are placed in. The first three are the cube that is drawn;
        3 leaves the cube alone to decide.
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

    embedding_dim: int = 16
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
        if self.frame_units < 0:
            raise ValueError(f"frame_units is {self.frame_units}, expected 0 or more")
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}, expected one of {', '.join(POOLINGS)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, expected a share in [0, 1)")


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
    seeds = iter(np.random.SeedSequence(seed).generate_state(4 * options.n_layers + 16).tolist())
    windows = keras.Input((n_timesteps, n_channels), name="windows")
    frames = _dropped(windows, options.dropout, next(seeds))
    if options.frame_units:
        frames = _dense(options.frame_units, "tanh", "frame", next(seeds))(frames)
    for layer in range(options.n_layers):
        if layer:
            frames = _dropped(frames, options.dropout, next(seeds))
        frames, last = _lstm(options.lstm_units, f"lstm_{layer}", next(seeds), next(seeds))(frames)
    pooled = _dropped(_pool(frames, last, options.pooling), options.dropout, next(seeds))
    hidden = _dense(options.hidden_units, "relu", "hidden", next(seeds))(pooled)
    embeddings = _dense(options.embedding_dim, "sigmoid", "embeddings", next(seeds))(hidden)
    return keras.Model(windows, embeddings, name="encoder")


def freeze_recurrent(model: keras.Model) -> None:
    """Keep the weights of every layer up to the last LSTM as they are."""
    last = max(i for i, one in enumerate(model.layers) if isinstance(one, keras.layers.LSTM))
    for layer in model.layers[: last + 1]:
        layer.trainable = False


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


def _pool(frames: Any, last: Any, pooling: str) -> Any:
    parts = [last]
    if pooling != "last":
        parts.append(keras.layers.GlobalAveragePooling1D(name="mean")(frames))
    if pooling == "mean_max":
        parts.append(keras.layers.GlobalMaxPooling1D(name="max")(frames))
    return keras.layers.Concatenate(name="pooled")(parts) if len(parts) > 1 else last


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


def to_onnx(model: keras.Model) -> bytes:
    """Write the network as an ONNX graph, the form that runs without TensorFlow.

    Parameters
    ----------
    model : keras.Model
        What ``build_encoder`` built, trained or not.

    Returns
    -------
    bytes
        A graph with input ``windows`` (batch, n_timesteps, n_channels) and output ``embeddings``
        (batch, embedding_dim), both float32; ``batch`` is free. Dropout is left out.

    Notes
    -----
    One LSTM node a layer. Keras orders the gates i, f, c, o and ONNX i, o, f, c.
    """
    graph = _Graph()
    layers = {layer.name: layer for layer in model.layers}
    frames = "windows"
    if "frame" in layers:
        frames = graph.dense(frames, layers["frame"], "Tanh")
    frames = graph.node("Transpose", frames, perm=[1, 0, 2])  # (time, batch, units) from here on
    for name in (name for name in layers if name.startswith("lstm_")):
        frames = graph.lstm(frames, layers[name])
    pooled = graph.pool(frames, [name for name in ("mean", "max") if name in layers])
    hidden = graph.dense(pooled, layers["hidden"], "Relu")
    graph.dense(hidden, layers["embeddings"], "Sigmoid", output="embeddings")
    return graph.build(model.input_shape[1:], model.output_shape[-1])


class _Graph:
    """An ONNX graph while it grows; every method returns the name of the value it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def dense(self, value: str, layer: Any, activation: str, output: str | None = None) -> str:
        kernel, bias = (self.constant(weight) for weight in layer.get_weights())
        product = self.node("MatMul", value, kernel)
        return self.node(activation, self.node("Add", product, bias), output=output)

    def lstm(self, value: str, layer: Any) -> str:
        kernel, recurrent, bias = (_reorder_gates(weight) for weight in layer.get_weights())
        both_biases = np.concatenate([bias, np.zeros_like(bias)])  # ONNX adds a recurrent one
        weights = [kernel.T[None], recurrent.T[None], both_biases[None]]
        names = [self.constant(weight) for weight in weights]
        states = self.node("LSTM", value, *names, hidden_size=layer.units)
        return self.node("Squeeze", states, self.constant(np.array([1])))  # drop the directions

    def pool(self, value: str, kinds: list[str]) -> str:
        parts = [self.node("Gather", value, self.constant(np.array(-1)), axis=0)]
        for kind in kinds:
            reduce = {"mean": "ReduceMean", "max": "ReduceMax"}[kind]
            parts.append(self.node(reduce, value, axes=[0], keepdims=0))
        return self.node("Concat", *parts, axis=1)

    def build(self, window_shape: tuple[int, int], embedding_dim: int) -> bytes:
        windows = ["batch", *window_shape]
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [helper.make_tensor_value_info("windows", TensorProto.FLOAT, windows)],
            [
                helper.make_tensor_value_info(
                    "embeddings", TensorProto.FLOAT, ["batch", embedding_dim]
                )
            ],
            self.constants,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString()
        return data


def _reorder_gates(weight: Any) -> Any:
    """Turn the last axis from Keras's gates i, f, c, o to ONNX's i, o, f, c."""
    i, f, c, o = np.split(weight, 4, axis=-1)
    return np.concatenate([i, o, f, c], axis=-1)
