"""The training film: one HTML page in which the labels are seen to separate, epoch by epoch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.types import StringArray
from traffic_siamese.views.colours import UNLABELLED, label_colours
from traffic_siamese.views.film_data import ADDED, DrawnRun, FilmOptions, draw_run
from traffic_siamese.views.film_frames import POSITION_BITS, pack_positions
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.film_words import caption_of, headline
from traffic_siamese.views.plotly_page import (
    assemble,
    escape,
    head,
    pack_bytes,
    pack_json,
    packed_plotly,
    part,
    script,
    write_page,
)

_SCRIPTS = (
    "unpack",
    "cube",
    "stage",
    "film_time",
    "film_scene",
    "film_pixels",
    "film_painter",
    "film_labels",
    "film_curves",
    "film_pane",
    "film_controls",
    "film",
)
_STYLES = ("stage", "film")


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """What was written.

    Attributes
    ----------
    path : Path
        The page or the video.
    n_bytes : int
        Its size.
    n_points, n_frames : int
        How many windows and epochs it shows; of two trainings, all windows and the most epochs.
    """

    path: Path
    n_bytes: int
    n_points: int
    n_frames: int


def write_film(
    runs: FilmRun | Sequence[FilmRun],
    path: str | os.PathLike[str],
    *,
    title: str = "Training film",
    options: FilmOptions | None = None,
) -> FilmInfo:
    """Write the film as one HTML page that needs no network and no server.

    Parameters
    ----------
    runs : FilmRun, or a sequence of one or two
        The training to show, or two side by side, their epochs aligned.
    path : path-like
        The page to write; an existing one is replaced whole.
    title : str
        Heading of the page.
    options : FilmOptions, optional
        How much to show, and which axes.

    Returns
    -------
    FilmInfo

    Raises
    ------
    TrainingError
        If a history is empty or the training diverged, or the axes asked for are not there.
    ValueError
        If there are no runs, or more than two.
    """
    drawn = draw_runs(runs, options)
    packed = b"".join(pack_positions(one.positions) for one in drawn)
    scene = pack_json(film_scene(drawn))
    names = [one.run.name if len(drawn) > 1 else "" for one in drawn]
    sentence = " | ".join(headline(one.run.history, n) for one, n in zip(drawn, names, strict=True))
    page = _page(title, sentence, scene, pack_bytes(packed))
    return film_info(path, write_page(path, page), drawn)


def draw_runs(
    runs: FilmRun | Sequence[FilmRun], options: FilmOptions | None = None
) -> list[DrawnRun]:
    """Choose, place and measure one or two trainings.

    Raises
    ------
    TrainingError, ValueError
        As ``write_film``.
    """
    found = [runs] if isinstance(runs, FilmRun) else list(runs)
    if len(found) not in (1, 2):
        raise ValueError(f"got {len(found)} trainings to film, expected one or two")
    return [draw_run(run, options or FilmOptions()) for run in found]


def film_info(path: str | os.PathLike[str], n_bytes: int, drawn: Sequence[DrawnRun]) -> FilmInfo:
    """Say what was written."""
    n_points = sum(len(one.label) for one in drawn)
    return FilmInfo(Path(path), n_bytes, n_points, max(len(one.epochs) for one in drawn))


def _page(title: str, sentence: str, scene: str, frames: str) -> str:
    parts = {
        "head": head(title, _STYLES),
        "title": escape(title),
        "headline": escape(sentence),
        "script": script(_SCRIPTS),
        "plotly": packed_plotly(),
        "scene": scene,
        "frames": frames,
    }
    return assemble(part("film.html"), parts)


def film_scene(drawn: Sequence[DrawnRun]) -> dict[str, Any]:
    """Return all but the positions, as plain values for ``json``; labels share their colours."""
    names = sorted({name for one in drawn for name in one.label.tolist()})
    colours = label_colours(names)
    return {
        "labels": [{"name": name or UNLABELLED, "colour": colours[name]} for name in names],
        "bits": POSITION_BITS,
        "runs": [_run(one, names) for one in drawn],
    }


def _run(drawn: DrawnRun, names: list[str]) -> dict[str, Any]:
    history, added = drawn.run.history, drawn.run.added
    captures, capture = _numbered(history.capture[drawn.rows])
    networks, network = _numbered(history.network[drawn.rows])
    order = np.argsort(added.label, kind="stable")
    return {
        "name": drawn.run.name,
        "n_points": len(drawn.rows),
        "groups": [_group(drawn, names, start, stop) for start, stop in drawn.groups],
        "windows": [_count(drawn, name) for name in names],
        "captures": captures,
        "networks": networks,
        "capture": capture,
        "network": network,
        "held_out": history.held_out[drawn.rows].astype(int).tolist(),
        "start_ms": (history.start_ns[drawn.rows] // 1_000_000).tolist(),
        "added": {
            "positions": np.round(drawn.added, 4).astype(np.float64).T.ravel().tolist(),
            "capture": added.capture[order].tolist(),
            "network": added.network[order].tolist(),
            "start": added.start[order].tolist(),
            "captions": {name: caption_of(drawn, name) for name in np.unique(added.label).tolist()},
        },
        "epochs": drawn.epochs.tolist(),
        "n_epochs": history.n_epochs,
        "axes": drawn.projection.axes,
        "notes": drawn.notes,
        "reach": [drawn.reach.get(name) for name in names],
        "curves": {
            "loss": _numbers(history.loss),
            "val_loss": _numbers(history.val_loss),
            "separation": _numbers(history.separation),
            "within": _numbers(drawn.measures.within),
            "between": _numbers(drawn.measures.between),
            "out_of_order": _numbers(drawn.measures.out_of_order),
        },
    }


def _group(drawn: DrawnRun, names: list[str], start: int, stop: int) -> dict[str, int]:
    label = names.index(str(drawn.label[start]))
    return {"label": label, "kind": int(drawn.kind[start]), "start": start, "stop": stop}


def _count(drawn: DrawnRun, name: str) -> int:
    """Count a label's windows in the whole history, and its added examples."""
    added = np.count_nonzero((drawn.label == name) & (drawn.kind == ADDED))
    return int(np.count_nonzero(drawn.run.history.label == name) + added)


def _numbered(texts: StringArray) -> tuple[list[str], list[int]]:
    names, number = np.unique(texts, return_inverse=True)
    return names.tolist(), number.tolist()


def _numbers(curve: NDArray[Any]) -> list[float | None]:
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve.tolist()]
