"""The encoder as an ONNX graph: the form that runs without TensorFlow."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from traffic_siamese.backend import keras
from traffic_siamese.encoder import n_members_of, suffix_of

_OPSET = 17
_IR_VERSION = 8


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
    members = range(n_members_of(model))
    parts = [graph.member(layers, suffix_of(member)) for member in members]
    graph.node("Concat", *parts, axis=1, output="embeddings")
    return graph.build(model.input_shape[1:], model.output_shape[-1])


class _Graph:
    """An ONNX graph while it grows; every method returns the name of the value it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def member(self, layers: dict[str, Any], suffix: str) -> str:
        """Add one member of the network; ``layers`` are those of all."""
        frames = "windows"
        if f"span{suffix}" in layers:
            frames = self.last_bins(frames, layers[f"span{suffix}"].cropping[0])
        if f"frame{suffix}" in layers:
            frames = self.dense(frames, layers[f"frame{suffix}"], "Tanh")
        frames = self.node("Transpose", frames, perm=[1, 0, 2])  # (time, batch, units) from here
        for number in itertools.count():
            if f"lstm_{number}{suffix}" not in layers:
                break
            frames = self.lstm(frames, layers[f"lstm_{number}{suffix}"])
        pooled = self.pool(frames, [one for one in ("mean", "max") if one + suffix in layers])
        hidden = self.dense(pooled, layers[f"hidden{suffix}"], "Relu")
        return self.dense(hidden, layers[f"embeddings{suffix}"], "Sigmoid")

    def constant(self, values: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def last_bins(self, value: str, first: int) -> str:
        ends = (np.array([end]) for end in (first, np.iinfo(np.int64).max, 1))
        return self.node("Slice", value, *(self.constant(end) for end in ends))

    def dense(self, value: str, layer: Any, activation: str) -> str:
        kernel, bias = (self.constant(weight) for weight in layer.get_weights())
        product = self.node("MatMul", value, kernel)
        return self.node(activation, self.node("Add", product, bias))

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
