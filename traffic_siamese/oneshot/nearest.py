"""Distances from windows to labels: the one kernel under classifying, calibrating and warning."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# prototypes x rows of one block stays in the second-level cache.
_BLOCK_ELEMENTS = 1 << 18


def nearest_labels(
    embeddings: NDArray[Any],
    prototypes: NDArray[Any],
    prototype_label_index: NDArray[np.int64],
    n_labels: int,
) -> NDArray[Any]:
    """Euclidean distance from each embedding to the nearest prototype of each label.

    Differences are squared one axis at a time, not expanded into norms and products: two
    embeddings that nearly agree keep all digits of their distance.

    Parameters
    ----------
    embeddings : ndarray of shape (n, embedding_dim), float32 or float64
        Points asked about. NaN makes the whole row of the result NaN.
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32 or float64
        Labelled points.
    prototype_label_index : ndarray of shape (n_prototypes,), int64, in [0, n_labels)
        Which label each prototype belongs to.
    n_labels : int
        Columns of the result.

    Returns
    -------
    ndarray of shape (n, n_labels), float32 or float64
        In the wider of the two inputs' types. A label without prototypes is infinitely far.
    """
    dtype = np.result_type(embeddings, prototypes, np.float32)
    out = np.full((len(embeddings), n_labels), np.inf, dtype)
    if not len(prototypes) or not len(embeddings):
        return out
    order = np.argsort(prototype_label_index, kind="stable")
    present, starts = np.unique(prototype_label_index[order], return_index=True)
    ordered = np.ascontiguousarray(prototypes[order], dtype)
    step = max(1, _BLOCK_ELEMENTS // len(prototypes))
    for first in range(0, len(embeddings), step):
        rows = np.ascontiguousarray(embeddings[first : first + step].T, dtype)
        squared = _squared_distances(rows, ordered)
        nearest = np.minimum.reduceat(squared, starts, axis=0)
        out[first : first + step, present] = np.sqrt(nearest).T
    return out


def _squared_distances(rows: NDArray[Any], prototypes: NDArray[Any]) -> NDArray[Any]:
    # rows: (embedding_dim, n); prototypes: (n_prototypes, embedding_dim) -> (n_prototypes, n)
    total = np.zeros((len(prototypes), rows.shape[1]), rows.dtype)
    difference = np.empty_like(total)
    for axis in range(len(rows)):
        np.subtract(prototypes[:, axis, None], rows[axis], out=difference)
        np.multiply(difference, difference, out=difference)
        total += difference
    return total


def label_index(prototype_labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Sorted distinct labels, and for each prototype the position of its own among them."""
    labels, index = np.unique(prototype_labels, return_inverse=True)
    return labels, index.reshape(-1).astype(np.int64)
