"""What the film shows of a training history: which points, which epochs, where in the cube."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrainingError
from traffic_siamese.types import Int64Array, StringArray

POSITION_BITS = 12  # a fifth of a pixel on a large screen; 16 bits take 1.6 times the room


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """How embeddings of any width become points in the unit cube.

    Attributes
    ----------
    axes : tuple of str
        What the three axes are called.
    note : str
        What the viewer must know about it; empty where the cube is the embedding itself.
    centre : ndarray of shape (embedding_dim,), float64
        What is taken off first.
    directions : ndarray of shape (embedding_dim, 3), float64
        Orthonormal columns; the same for all epochs.
    """

    axes: tuple[str, str, str]
    note: str
    centre: NDArray[np.float64]
    directions: NDArray[np.float64]


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


def fit_projection(last: NDArray[np.float32]) -> Projection:
    """Choose the three axes to draw, from where the points stand after the last epoch.

    Up to three dimensions are drawn as they are. More are turned to the principal axes of the last
    epoch, each signed so that its largest loading is positive: one history gives one view.

    Parameters
    ----------
    last : ndarray of shape (n_points, embedding_dim), float32
        Positions after the last epoch.

    References
    ----------
    Jolliffe 2002, Principal Component Analysis, section 3.1.
    """
    dim = last.shape[1]
    if dim <= 3:
        return Projection(("x", "y", "z"), _low_note(dim), np.zeros(dim), np.eye(dim, 3))
    centre = last.mean(axis=0, dtype=np.float64)
    scatter = np.cov(last - centre, rowvar=False, ddof=0)
    spread, directions = np.linalg.eigh(scatter)
    directions = directions[:, ::-1][:, :3]
    biggest = directions[np.abs(directions).argmax(axis=0), np.arange(3)]
    share = spread[-3:].sum() / spread.sum() if spread.sum() > 0 else 1.0
    note = (
        f"The embedding has {dim} dimensions. The cube shows the three principal axes of the last "
        f"epoch, which hold {share:.0%} of its spread; the axes are the same in every frame."
    )
    axes = ("axis 1", "axis 2", "axis 3")
    return Projection(axes, note, centre, directions * np.where(biggest < 0, -1.0, 1.0))


def project(embeddings: NDArray[np.float32], projection: Projection) -> NDArray[np.float32]:
    """Place embeddings in the unit cube, all epochs by the same rule.

    Parameters
    ----------
    embeddings : ndarray of shape (n_frames, n_points, embedding_dim), float32
        In (0, 1) where the embedding is drawn as it is.
    projection : Projection
        From ``fit_projection``.

    Returns
    -------
    ndarray of shape (n_frames, n_points, 3), float32
        In [0, 1]. One scale serves the three axes, so distances keep their proportions. Missing
        dimensions lie at 0.5.
    """
    dim = embeddings.shape[2]
    if dim <= 3:
        positions = np.full((*embeddings.shape[:2], 3), 0.5, np.float32)
        positions[:, :, :dim] = np.clip(embeddings, 0.0, 1.0)
        return positions
    turned = (embeddings - projection.centre) @ projection.directions
    low, high = turned.min(axis=(0, 1)), turned.max(axis=(0, 1))
    edge = max(float((high - low).max()), 1e-9) * 1.04
    placed: NDArray[np.float32] = ((turned - (low + high) / 2) / edge + 0.5).astype(np.float32)
    return np.clip(placed, 0.0, 1.0)


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


def _low_note(dim: int) -> str:
    if dim == 3:
        return ""
    plural = "s" if dim > 1 else ""
    return f"The embedding has {dim} dimension{plural}; the others are drawn at 0.5."
