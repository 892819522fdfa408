"""What a page or a video shows of one training: chosen, placed, and measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import FloatArray, Int64Array, StringArray
from traffic_siamese.views.film_frames import check_positions, choose_epochs, choose_points
from traffic_siamese.views.film_measures import DrawnMeasures, measure_drawn, measured_reach
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.projection import (
    Projection,
    ProjectionKind,
    choose_projection,
    place_history,
)

TRAINED, HELD_OUT, PROTOTYPE, ADDED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """How much a film shows, and which axes.

    Attributes
    ----------
    max_points : int
        Windows to draw, at least 1. Above it the labels are thinned to equal numbers; prototypes
        all stay.
    max_frames : int
        Epochs to show, at least 2; above it epochs are left out at even steps.
    projection : {"axes", "pca"}
        See ``views.projection.choose_projection``.

    Raises
    ------
    ValueError
        If a number is too small.
    """

    max_points: int = 3000
    max_frames: int = 120
    projection: ProjectionKind = "axes"

    def __post_init__(self) -> None:
        """Check the numbers once."""
        if self.max_points < 1 or self.max_frames < 2:
            raise ValueError(
                f"max_points={self.max_points}, max_frames={self.max_frames}; "
                "expected at least 1 and 2"
            )


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRun:
    """One training as it is drawn; rows are points, added examples last.

    Attributes
    ----------
    run : FilmRun
        Where it comes from.
    projection : Projection
        How its points are placed.
    epochs : ndarray of shape (n_frames,), int64
        Epochs that are kept.
    rows : ndarray of shape (n_history,), int64
        Points of the history that are drawn, those of one label and kind side by side.
    positions : ndarray of shape (n_frames, n_history, 3), float32
        Where they are, in the unit cube.
    added : ndarray of shape (n_added, 3), float32
        Where the added examples are.
    label : ndarray of shape (n_history + n_added,), str
    kind : ndarray of shape (n_history + n_added,), int64
        ``TRAINED``, ``HELD_OUT``, ``PROTOTYPE`` or ``ADDED``.
    measures : DrawnMeasures
        Over all points of the history, at every epoch.
    reach : dict of str to float
        Per label, the radius of the spheres around its prototypes, in edges of the cube.
    """

    run: FilmRun
    projection: Projection
    epochs: Int64Array
    rows: Int64Array
    positions: NDArray[np.float32]
    added: NDArray[np.float32]
    label: StringArray
    kind: Int64Array
    measures: DrawnMeasures
    reach: dict[str, float]

    @property
    def groups(self) -> list[tuple[int, int]]:
        """Runs of points of equal label and kind, as (start, stop)."""
        change = (self.label[1:] != self.label[:-1]) | (np.diff(self.kind) != 0)
        bounds = [0, *(np.flatnonzero(change) + 1).tolist(), len(self.label)]
        return list(pairwise(bounds))

    @property
    def notes(self) -> list[str]:
        """What the viewer must know: about the axes, the spheres, and what is left out."""
        history, notes = self.run.history, [self.projection.note]
        if self.reach and not self.projection.is_whole:
            share = 1 - self.run.false_unknown_share
            notes.append(
                f"Spheres: where {share:.0%} of a label's windows lie around its examples, "
                "measured on the three axes drawn."
            )
        elif self.reach:
            notes.append("Spheres: how far from an example a window is still recognised.")
        if len(self.rows) < len(history.label):
            notes.append(
                f"{len(self.rows):,} of {len(history.label):,} windows are drawn, "
                "labels in equal numbers."
            )
        if len(self.epochs) <= history.n_epochs:
            notes.append(
                f"{len(self.epochs)} of {history.n_epochs + 1} epochs are shown, at even steps."
            )
        return [note for note in notes if note]


def draw_run(run: FilmRun, options: FilmOptions) -> DrawnRun:
    """Choose, place and measure what is drawn.

    Raises
    ------
    TrainingError
        If the history is empty, the training diverged, or the projection needs what is not there.
    """
    history = run.history
    check_positions(history.embeddings)
    projection = choose_projection(run, options.projection)
    placed = place_history(run, projection)
    rows = _drawing_order(run, options.max_points)
    epochs = choose_epochs(history.n_epochs, max_frames=options.max_frames)
    order = np.argsort(run.added.label, kind="stable")
    added = projection.place(run.added.embeddings)[order] if len(order) else np.empty((0, 3), "f4")
    return DrawnRun(
        run=run,
        projection=projection,
        epochs=epochs,
        rows=rows,
        positions=placed[np.ix_(epochs, rows)],
        added=added,
        label=np.concatenate([history.label[rows], run.added.label[order]]),
        kind=np.concatenate([kind_of(run)[rows], np.full(len(order), ADDED)]).astype(np.int64),
        measures=measure_drawn(placed, history.label, margin=run.margin / projection.edge**2),
        reach=_reach(run, projection, placed[-1]),
    )


def kind_of(run: FilmRun) -> Int64Array:
    """Return for each point of the history whether it is trained on, held out, or a prototype."""
    kind = np.where(run.history.held_out, HELD_OUT, TRAINED)
    return np.where(run.history.prototype, PROTOTYPE, kind).astype(np.int64)


def _drawing_order(run: FilmRun, max_points: int) -> Int64Array:
    history = run.history
    rows = choose_points(history.label, history.prototype, max_points=max_points)
    order = np.lexsort((history.start_ns[rows], kind_of(run)[rows], history.label[rows]))
    return rows[order]


def _reach(run: FilmRun, projection: Projection, last: FloatArray) -> dict[str, float]:
    """Take the model's own radii where all of its axes are drawn, and measure them elsewhere."""
    history = run.history
    if not history.prototype.any():
        return {}
    radii, pooled = dict(run.radii), run.pooled_radius
    if projection.is_whole:
        radii = {label: radius / projection.edge for label, radius in radii.items()}
        pooled /= projection.edge
    else:
        share = run.false_unknown_share
        radii, pooled = measured_reach(
            last, history.label, history.prototype, false_unknown_share=share
        )
    names = {*history.label[history.prototype].tolist(), *run.added.label.tolist()}
    found = {name: radii.get(name, pooled) for name in sorted(names)}
    return {name: radius for name, radius in found.items() if np.isfinite(radius)}
