"""Distances as windows to come will have them: judged by networks that never saw the window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray


def out_of_bag_distances(
    points: FloatArray, prototypes: FloatArray, unseen: NDArray[np.bool_]
) -> FloatArray:
    """Estimate the distances of all networks' axes from those of networks that did not see a point.

    A network draws what it was trained on to its label's other windows, so its distance says
    nothing of windows to come. The squared distance is the sum over networks, and the mean of some
    stands for the mean of all.

    Parameters
    ----------
    points : ndarray of shape (n, embedding_dim), float32
    prototypes : ndarray of shape (n_prototypes, embedding_dim), float32
    unseen : ndarray of shape (n, n_networks), bool
        Networks, with equal parts of the axes, that were not trained on the point's capture; a
        point that all of them saw is judged by all.

    Returns
    -------
    ndarray of shape (n, n_prototypes), float32

    References
    ----------
    Breiman 1996, Out-of-bag estimation, technical report, University of California, section 2.
    """
    n_networks = unseen.shape[1]
    judges = np.where(unseen.any(axis=1, keepdims=True), unseen, True)
    squared = np.zeros((len(points), len(prototypes)), np.float64)
    parts = np.split(points, n_networks, axis=1), np.split(prototypes, n_networks, axis=1)
    for network, (own, theirs) in enumerate(zip(*parts, strict=True)):
        rows = np.flatnonzero(judges[:, network])
        gaps = own[rows, None].astype(np.float64) - theirs[None]
        squared[rows] += np.square(gaps).sum(axis=-1)
    scale = n_networks / judges.sum(axis=1, keepdims=True)
    return np.asarray(np.sqrt(squared * scale), np.float32)
