"""Run the encoder without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.errors import BundleError, ShapeError
from traffic_siamese.types import FloatArray

_INPUT, _OUTPUT = "windows", "embeddings"
_BATCH = 512  # larger batches are slower: the states no longer fit the cache


class OnnxEncoder:
    """The encoder of a model bundle, run by ONNX Runtime.

    One encoder may be used from several threads at once.

    Parameters
    ----------
    model : bytes, str or Path
        The ONNX model, or the file that holds it: input ``windows`` of shape (batch,
        n_timesteps, n_channels), output ``embeddings`` of shape (batch, embedding_dim), float32.
    threads : int, default 1
        Threads that one call of ``embed`` may use.

    Attributes
    ----------
    n_timesteps, n_channels : int or None
        What ``embed`` expects; None where the model takes any.
    embedding_dim : int
        Width of an embedding.

    Raises
    ------
    BundleError
        If the model cannot be loaded, or has other inputs and outputs.
    """

    def __init__(self, model: bytes | str | Path, *, threads: int = 1) -> None:
        self._where = "encoder" if isinstance(model, bytes) else str(model)
        self._session = _open_session(model, threads, self._where)
        window, embedding = self._signature()
        self.n_timesteps, self.n_channels = (_fixed(axis) for axis in window[1:])
        width = _fixed(embedding[1])
        if width is None:
            raise self._bundle_error(f"width {embedding[1]!r}", "a fixed embedding width")
        self.embedding_dim = width

    def embed(self, X: FloatArray) -> FloatArray:
        """Map windows to points.

        Parameters
        ----------
        X : ndarray of shape (n_windows, n_timesteps, n_channels), float32
            Scaled windows; NaN is not accepted and not looked for.

        Returns
        -------
        ndarray of shape (n_windows, embedding_dim), float32, in (0, 1)

        Raises
        ------
        ShapeError
            If the windows have another shape than the encoder was trained with.
        """
        X = np.asarray(X, np.float32)
        self._check(X.shape)
        out = np.empty((len(X), self.embedding_dim), np.float32)
        for first in range(0, len(X), _BATCH):
            batch = np.ascontiguousarray(X[first : first + _BATCH])
            out[first : first + _BATCH] = self._session.run([_OUTPUT], {_INPUT: batch})[0]
        return out

    def _check(self, shape: tuple[int, ...]) -> None:
        expected = (self.n_timesteps, self.n_channels)
        fits = len(shape) == 3 and all(
            want is None or got == want for got, want in zip(shape[1:], expected, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"windows have shape {shape}, {self._where} was trained with (n, "
                f"{self.n_timesteps or 'any'}, {self.n_channels or 'any'}). "
                "Cut and scale them with the bundle's own window and feature specification."
            )

    def _signature(self) -> tuple[list[Any], list[Any]]:
        inputs = {node.name: node.shape for node in self._session.get_inputs()}
        outputs = {node.name: node.shape for node in self._session.get_outputs()}
        if len(inputs.get(_INPUT, ())) != 3 or len(outputs.get(_OUTPUT, ())) != 2:
            raise self._bundle_error(
                f"inputs {inputs} and outputs {outputs}",
                f"{_INPUT!r} with 3 axes and {_OUTPUT!r} with 2",
            )
        return inputs[_INPUT], outputs[_OUTPUT]

    def _bundle_error(self, got: str, expected: str) -> BundleError:
        return BundleError(
            f"{self._where}: found {got}, expected {expected}. Train the model again."
        )


def _fixed(axis: object) -> int | None:
    return axis if isinstance(axis, int) else None


def _open_session(model: bytes | str | Path, threads: int, where: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as err:  # ONNX Runtime raises a dozen unrelated classes
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise BundleError(
            f"{where}: ONNX Runtime cannot load the encoder ({reason}). "
            "Restore the file from a copy, or train the model again."
        ) from err
