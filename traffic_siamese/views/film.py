"""The training film: one HTML page in which the labels are seen to separate, epoch by epoch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.history import TrainingHistory
from traffic_siamese.types import FloatArray, Int64Array
from traffic_siamese.views.colours import UNLABELLED, label_colours
from traffic_siamese.views.film_frames import (
    POSITION_BITS,
    check_positions,
    choose_epochs,
    choose_points,
    fit_projection,
    pack_positions,
    project,
)
from traffic_siamese.views.plotly_page import (
    assemble,
    escape,
    pack_bytes,
    pack_json,
    packed_plotly,
    part,
    write_page,
)

TRAINED, HELD_OUT, PROTOTYPE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """What was written.

    Attributes
    ----------
    path : Path
        The page.
    n_bytes : int
        Its size.
    n_points, n_frames : int
        How many windows and epochs it shows.
    """

    path: Path
    n_bytes: int
    n_points: int
    n_frames: int


def write_film(
    history: TrainingHistory,
    path: str | os.PathLike[str],
    *,
    title: str = "Training film",
    max_points: int = 3000,
    max_frames: int = 120,
) -> FilmInfo:
    """Write the film as one HTML page that needs no network and no server.

    Parameters
    ----------
    history : TrainingHistory
        Where every point stood after each epoch.
    path : path-like
        The page to write; an existing one is replaced whole.
    title : str
        Heading of the page.
    max_points : int
        Windows to draw. Above it the labels are thinned to equal numbers; prototypes all stay.
    max_frames : int
        Epochs to show, at least 2; above it epochs are left out at even steps.

    Returns
    -------
    FilmInfo

    Raises
    ------
    TrainingError
        If the history is empty or the training diverged.
    ValueError
        If ``max_points`` or ``max_frames`` is too small.
    """
    if max_points < 1 or max_frames < 2:
        raise ValueError(
            f"max_points={max_points}, max_frames={max_frames}; expected at least 1 and 2"
        )
    check_positions(history.embeddings)
    rows = _drawing_order(history, max_points)
    epochs = choose_epochs(history.n_epochs, max_frames=max_frames)
    projection = fit_projection(history.embeddings[-1])
    positions = project(history.embeddings[np.ix_(epochs, rows)], projection)
    scene = _scene(history, rows, epochs) | {
        "axes": projection.axes,
        "notes": [note for note in (projection.note, *_thinning(history, rows, epochs)) if note],
    }
    page = _page(title, headline(history), pack_json(scene), pack_bytes(pack_positions(positions)))
    return FilmInfo(Path(path), write_page(path, page), len(rows), len(epochs))


def headline(history: TrainingHistory) -> str:
    """Say in one sentence what the training did.

    Parameters
    ----------
    history : TrainingHistory
        What was recorded.

    Returns
    -------
    str
        Such as ``7 labels, 700 windows, 60 epochs: separation 0.9 → 8.4``.
    """
    counts = (
        (len(np.unique(history.label)), "label"),
        (len(history.label), "window"),
        (history.n_epochs, "epoch"),
    )
    text = ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    known = history.separation[np.isfinite(history.separation)]
    if history.n_epochs and len(known) > 1:
        text += f": separation {known[0]:.1f} → {known[-1]:.1f}"
    return text


def _page(title: str, sentence: str, scene: str, frames: str) -> str:
    parts = {
        "title": escape(title),
        "headline": escape(sentence),
        "style": part("film.css"),
        "script": "\n".join(part(f"film{suffix}.js") for suffix in ("_scene", "_curves", "")),
        "plotly": packed_plotly(),
        "scene": scene,
        "frames": frames,
    }
    return assemble(part("film.html"), parts)


def _kind(history: TrainingHistory) -> NDArray[np.int64]:
    kind = np.where(history.held_out, HELD_OUT, TRAINED)
    return np.where(history.prototype, PROTOTYPE, kind).astype(np.int64)


def _drawing_order(history: TrainingHistory, max_points: int) -> Int64Array:
    """Choose the rows to draw and bring those of one label and one kind together."""
    rows = choose_points(history.label, history.prototype, max_points=max_points)
    order = np.lexsort((history.start_ns[rows], _kind(history)[rows], history.label[rows]))
    return rows[order]


def _scene(history: TrainingHistory, rows: Int64Array, epochs: Int64Array) -> dict[str, Any]:
    labels, label = np.unique(history.label[rows], return_inverse=True)
    colours = label_colours(labels.tolist())
    captures, capture = np.unique(history.capture[rows], return_inverse=True)
    networks, network = np.unique(history.network[rows], return_inverse=True)
    names = ("loss", "val_loss", "separation", "active_triplets")
    return {
        "labels": [
            {
                "name": name or UNLABELLED,
                "colour": colours[name],
                "windows": int(np.count_nonzero(history.label == name)),
            }
            for name in labels.tolist()
        ],
        "groups": _groups(label, _kind(history)[rows]),
        "captures": captures.tolist(),
        "networks": networks.tolist(),
        "capture": capture.tolist(),
        "network": network.tolist(),
        "held_out": history.held_out[rows].astype(int).tolist(),
        "start_ms": (history.start_ns[rows] // 1_000_000).tolist(),
        "epochs": epochs.tolist(),
        "n_epochs": history.n_epochs,
        "n_points": len(rows),
        "bits": POSITION_BITS,
        "curves": {name: _numbers(getattr(history, name)) for name in names},
    }


def _groups(label: Int64Array, kind: Int64Array) -> list[dict[str, int]]:
    """Return the runs of equal label and kind; each is drawn as one trace."""
    edges = np.flatnonzero((np.diff(label) != 0) | (np.diff(kind) != 0)) + 1
    bounds = [0, *edges.tolist(), len(label)]
    return [
        {"label": int(label[start]), "kind": int(kind[start]), "start": start, "stop": stop}
        for start, stop in pairwise(bounds)
    ]


def _numbers(curve: FloatArray) -> list[float | None]:
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve.tolist()]


def _thinning(history: TrainingHistory, rows: Int64Array, epochs: Int64Array) -> tuple[str, ...]:
    notes = []
    if len(rows) < len(history.label):
        notes.append(
            f"{len(rows):,} of {len(history.label):,} windows are drawn, labels in equal numbers."
        )
    if len(epochs) <= history.n_epochs:
        notes.append(f"{len(epochs)} of {history.n_epochs + 1} epochs are shown, at even steps.")
    return tuple(notes)
