"""What the film shows of a training history: which points, which epochs, how it is packed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrainingError
from traffic_siamese.types import Int64Array, StringArray

POSITION_BITS = 12  # a fifth of a pixel on a large screen; 16 bits take 1.6 times the room


def choose_points(
    label: StringArray, prototype: NDArray[np.bool_], *, max_points: int
) -> Int64Array:
    """Choose the points to draw: all prototypes, and of the rest the same number per label.

    A label with fewer points than its share leaves the rest to the others. Within a label the
    points are taken at even steps, so early and late windows both appear.

    Parameters
    ----------
    label : ndarray of shape (n_points,), str
        What each point shows.
    prototype : ndarray of shape (n_points,), bool
        Points that are kept whatever the limit.
    max_points : int
        How many to draw; exceeded only if there are more prototypes than that.

    Returns
    -------
    ndarray of shape (n_chosen,), int64
        Rising row numbers.
    """
    if len(label) <= max_points:
        return np.arange(len(label), dtype=np.int64)
    keep = prototype.copy()
    names, members = np.unique(label, return_inverse=True)
    room = np.bincount(members[~prototype], minlength=len(names))
    quota = fair_shares(room, total=max(max_points - int(keep.sum()), 0))
    for index, share in enumerate(quota):
        rows = np.flatnonzero((members == index) & ~prototype)
        steps = (np.arange(share) * len(rows)) // max(int(share), 1)
        keep[rows[steps]] = True
    return np.flatnonzero(keep).astype(np.int64)


def fair_shares(available: Int64Array, *, total: int) -> Int64Array:
    """Deal ``total`` out one each in turn until it, or what is available, is used up."""
    shares = np.zeros(len(available), np.int64)
    order = np.argsort(available, kind="stable")
    for position, index in enumerate(order):
        shares[index] = min(int(available[index]), total // (len(order) - position))
        total -= int(shares[index])
    return shares


def choose_epochs(n_epochs: int, *, max_frames: int) -> Int64Array:
    """Return at most ``max_frames`` epochs at even steps, the first (0) and the last included."""
    n_frames = min(n_epochs + 1, max_frames)
    return np.rint(np.linspace(0, n_epochs, n_frames)).astype(np.int64)


def pack_positions(positions: NDArray[np.float32]) -> bytes:
    """Encode positions small: steps of 1/4095, each frame as its change from the one before.

    Changes are folded (0, -1, 1, -2, ... become 0, 1, 2, 3, ...) and written as all low bytes,
    then all high bytes, in the order frame, axis, point: gzip then finds the long runs of zeros.

    Parameters
    ----------
    positions : ndarray of shape (n_frames, n_points, 3), float32
        In [0, 1].

    Returns
    -------
    bytes
        2 x n_frames x 3 x n_points of them.
    """
    steps = np.rint(positions * ((1 << POSITION_BITS) - 1)).astype(np.int32)
    change = np.diff(steps, axis=0, prepend=0).transpose(0, 2, 1)  # (n_frames, 3, n_points)
    folded = (change << 1) ^ (change >> 31)
    return (folded & 255).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()


def check_positions(embeddings: NDArray[np.float32]) -> None:
    """Refuse a history that cannot be drawn.

    Parameters
    ----------
    embeddings : ndarray of shape (n_epochs + 1, n_points, embedding_dim), float32
        As recorded.

    Raises
    ------
    TrainingError
        If there is nothing to draw, or the training diverged.
    """
    if 0 in embeddings.shape:
        raise TrainingError(
            f"training history: embeddings have shape {embeddings.shape}, expected at least one "
            "epoch, one point and one dimension. Train again with labelled windows."
        )
    broken = np.flatnonzero(~np.isfinite(embeddings).all(axis=(1, 2)))
    if len(broken):
        raise TrainingError(
            f"training history: positions after epoch {broken[0]} are not finite numbers; the "
            "training diverged. Train again with a lower learning rate."
        )
