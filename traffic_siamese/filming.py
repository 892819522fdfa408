"""The film of a model: its training, and the faults that were added to it since."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from traffic_siamese.bundle import Bundle, load_bundle
from traffic_siamese.history import TrainingHistory
from traffic_siamese.model import load_model
from traffic_siamese.types import Prototype
from traffic_siamese.views.film_run import MARGIN, AddedExamples, FilmRun, no_examples

if TYPE_CHECKING:
    from traffic_siamese.views.film import FilmInfo
    from traffic_siamese.views.film_data import FilmOptions

VIDEO_ENDINGS = (".mp4", ".gif")


def film(
    model: str | Path,
    path: str | os.PathLike[str],
    *,
    other: str | Path | None = None,
    title: str | None = None,
    options: FilmOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> FilmInfo:
    """Write the film of a model's training: a page, or a video where the name ends so.

    Parameters
    ----------
    model : str or Path
        The model bundle's directory.
    path : path-like
        What to write: ``.mp4`` and ``.gif`` are videos, anything else is an HTML page.
    other : str or Path, optional
        A second model, to be shown beside the first.
    title : str, optional
        Heading; made of the models' names by default.
    options : FilmOptions, optional
        How much to show, and which axes.
    progress : callable, optional
        Told the share of a video that is painted; a page is there in a moment.

    Raises
    ------
    BundleError
        If a model is missing or damaged.
    TrainingError
        If a history shows nothing, or not what is asked for.
    MissingExtraError
        If a video is asked for and the packages of the ``video`` extra are not installed.
    """
    names = model_names(model, other)
    models = [model] if other is None else [model, other]
    runs = [load_run(one, name=name) for one, name in zip(models, names, strict=True)]
    title = title or f"How {' and '.join(names)} learned"
    if Path(path).suffix.lower() in VIDEO_ENDINGS:
        from traffic_siamese.views.video import write_video

        return write_video(runs, path, title=title, options=options, progress=progress)
    from traffic_siamese.views.film import write_film

    return write_film(runs, path, title=title, options=options)


def model_names(model: str | Path, other: str | Path | None) -> list[str]:
    """Return what to call one or two models: their directories, told apart by the folders above."""
    paths = [Path(one).resolve() for one in (model, other) if one is not None]
    if len(set(paths)) < len(paths):
        return [path.name for path in paths]
    for n_parts in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-n_parts:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def load_run(model: str | Path, *, name: str | None = None) -> FilmRun:
    """Load what a film shows of a model.

    Faults that were added since the last training are embedded by the encoder as it is now.

    Parameters
    ----------
    model : str or Path
        The model bundle's directory.
    name : str, optional
        What to call it; the directory's name by default.

    Raises
    ------
    BundleError
        If the model is missing or damaged.
    """
    bundle = load_bundle(model)
    history = TrainingHistory.load(bundle.history_path)
    calibration = bundle.info.calibration
    return FilmRun(
        history,
        name=Path(model).resolve().name if name is None else name,
        added=_added(bundle, history),
        embedding_dim=bundle.info.embedding_dim,
        radii=calibration.radii,
        pooled_radius=calibration.pooled_radius,
        margin=_margin(bundle),
        false_unknown_share=calibration.false_unknown_share,
    )


def _margin(bundle: Bundle) -> float:
    margin = bundle.info.training.get("margin", MARGIN)
    return float(margin) if isinstance(margin, int | float) else MARGIN


def _added(bundle: Bundle, history: TrainingHistory) -> AddedExamples:
    """Return the examples of labels that only people taught."""
    library = bundle.library()
    if library.stale(bundle.encoder_id):
        load_model(bundle.path)  # embeds again what another encoder embedded
    summary = library.summary(bundle.encoder_id)
    trained = {*history.label.tolist(), *(row.label for row in summary if row.n_trained)}
    found = [p for p in library.prototypes(bundle.encoder_id) if p.label not in trained]
    return _examples(found) if found else no_examples()


def _examples(prototypes: Sequence[Prototype]) -> AddedExamples:
    def told(key: str) -> list[str]:
        return [str(prototype.source.get(key, "")) for prototype in prototypes]

    return AddedExamples(
        np.array([prototype.embedding for prototype in prototypes], np.float32),
        np.array([prototype.label for prototype in prototypes], np.str_),
        np.array(told("capture"), np.str_),
        np.array(told("network"), np.str_),
        np.array(told("start"), np.str_),
    )
