"""Which three axes of an embedding are drawn; the same for every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import TrainingError
from traffic_siamese.principal import PrincipalAxes, principal_axes
from traffic_siamese.types import CUBE_DIM, FloatArray
from traffic_siamese.views.film_run import FilmRun

ProjectionKind = Literal["axes", "pca"]
_ROOM = 1.04  # a little air between the outermost point and the cube


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """How embeddings become points in the unit cube.

    Attributes
    ----------
    axes : tuple of str
        What the three axes are called.
    note : str
        What the viewer must know about it; empty where the cube is the embedding itself.
    principal : PrincipalAxes, optional
        The rotation; None where the first axes are drawn.
    middle : ndarray of shape (3,), float64
        What comes to the middle of the cube.
    edge : float
        Length of the cube's edge in units of the embedding.
    is_whole : bool
        Whether distances in the cube are those that the model decides by.
    """

    axes: tuple[str, str, str]
    note: str
    principal: PrincipalAxes | None
    middle: NDArray[np.float64]
    edge: float
    is_whole: bool

    def place(self, embeddings: FloatArray) -> NDArray[np.float32]:
        """Return where embeddings of shape (..., dim) are drawn: (..., 3), in [0, 1]."""
        return self.scaled(self.principal.turn(embeddings) if self.principal else embeddings)

    def scaled(self, turned: FloatArray) -> NDArray[np.float32]:
        """Bring positions along the axes into the cube; missing axes lie at 0.5."""
        drawn = turned[..., :CUBE_DIM]
        n_axes = drawn.shape[-1]
        placed = np.full((*drawn.shape[:-1], CUBE_DIM), 0.5, np.float32)
        placed[..., :n_axes] = (drawn - self.middle[:n_axes]) / self.edge + 0.5
        return np.clip(placed, 0.0, 1.0)


def choose_projection(run: FilmRun, kind: ProjectionKind = "axes") -> Projection:
    """Choose the axes to draw.

    Parameters
    ----------
    run : FilmRun
        The training.
    kind : {"axes", "pca"}
        ``axes`` draws the first three, which training holds apart by themselves; ``pca`` the
        principal axes of all dimensions after the last epoch, scaled into the cube with one
        scale for the three, so that distances keep their proportions.

    Raises
    ------
    TrainingError
        If the history does not hold what ``pca`` needs.
    ValueError
        If the kind is none of the two.
    """
    if kind not in ("axes", "pca"):
        raise ValueError(f"projection={kind!r}, expected 'axes' or 'pca'")
    if kind == "axes" or run.n_dims < CUBE_DIM:
        note = _note_of_axes(run.n_dims)
        whole = run.n_dims <= CUBE_DIM
        return Projection(("x", "y", "z"), note, None, np.full(3, 0.5), 1.0, whole)
    return _principal(run)


def place_history(run: FilmRun, projection: Projection) -> NDArray[np.float32]:
    """Return where a history's points are drawn: (n_epochs + 1, n_points, 3), float32."""
    if projection.principal is None:
        return projection.place(run.history.embeddings)
    return projection.scaled(_turned(run, projection.principal))


def _principal(run: FilmRun) -> Projection:
    last = run.history.last
    if last.shape[1] < run.n_dims:
        raise TrainingError(
            f"model {run.name!r}: its history holds {last.shape[1]} of {run.n_dims} axes, expected "
            "all of them for the principal axes. Draw the first axes, or train it again."
        )
    axes = principal_axes(last)
    drawn = [_turned(run, axes).reshape(-1, CUBE_DIM)]
    if len(run.added.label):
        drawn.append(axes.turn(run.added.embeddings))
    low = np.min([part.min(axis=0) for part in drawn], axis=0)
    high = np.max([part.max(axis=0) for part in drawn], axis=0)
    edge = max(float((high - low).max()), 1e-9) * _ROOM
    note = (
        f"The embedding has {run.n_dims} dimensions. The cube shows the three principal axes of "
        f"the last epoch, which hold {axes.share:.0%} of its spread; the axes are the same in "
        "every frame."
    )
    whole = run.n_dims == CUBE_DIM
    names = ("axis 1", "axis 2", "axis 3")
    return Projection(names, note, axes, (low + high).astype(np.float64) / 2, edge, whole)


def _turned(run: FilmRun, axes: PrincipalAxes) -> FloatArray:
    history = run.history
    if history.embeddings.shape[2] == len(axes.centre):
        return axes.turn(history.embeddings)
    if not history.principal.size:
        raise TrainingError(
            f"model {run.name!r}: its history holds the principal axes of the last epoch only, "
            "expected those of every epoch. Draw the first axes, or train it again."
        )
    return history.principal.astype(np.float32)


def _note_of_axes(n_dims: int) -> str:
    if n_dims == CUBE_DIM:
        return ""
    if n_dims > CUBE_DIM:
        return (
            f"The embedding has {n_dims} dimensions. The cube shows the first three, which are "
            "trained to hold the labels apart by themselves; the model decides by all of them."
        )
    plural = "s" if n_dims > 1 else ""
    return f"The embedding has {n_dims} dimension{plural}; the others are drawn at 0.5."
