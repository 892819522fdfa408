"""The page of one fault: its examples second by second, and where they lie beside the others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from traffic_siamese.log_detail import FeatureTrack
from traffic_siamese.types import FloatArray, Prototype
from traffic_siamese.views.colours import label_colours
from traffic_siamese.views.plotly_page import (
    assemble,
    escape,
    head,
    pack_json,
    packed_plotly,
    part,
    script,
    write_page,
)
from traffic_siamese.views.report_data import examples

_SCRIPTS = (
    "unpack",
    "cube",
    "report_basics",
    "report_words",
    "report_timeline",
    "report_cube",
    "prototype",
)
_STYLES = ("report", "prototype")


@dataclass(frozen=True, slots=True, eq=False)
class DrawnExample:
    """One example of a fault, with its reason.

    Attributes
    ----------
    source : mapping of str to str
        Where it came from.
    reason : str
        What differs from the normal of its network, at length.
    clauses : tuple of str
        The changes in words, most important first.
    features : tuple of str
        The features that these speak of.
    tracks : tuple of FeatureTrack
        Features over the window's bins; those named first.
    matters : ndarray of shape (n_clauses, n_stretches), float32
        For each change and each equal part of the window's time: how much of the way to normal the
        window goes when what changed is normal in that part.
    bin_s : float
        Length of a bin in seconds.
    """

    source: Mapping[str, str]
    reason: str
    clauses: tuple[str, ...]
    features: tuple[str, ...]
    tracks: tuple[FeatureTrack, ...]
    matters: FloatArray
    bin_s: float


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFault:
    """A fault of a model, ready to be drawn.

    Attributes
    ----------
    label : str
    model : str
        Name of the model.
    reach : float
        Distance from an example within which a window is taken for the fault.
    examples : sequence of DrawnExample
    distances : mapping of str to float
        For each other label, the distance between the nearest examples of the two; nearest first.
    prototypes : sequence of Prototype
        All examples of the model, drawn in the cube.
    """

    label: str
    model: str
    reach: float
    examples: Sequence[DrawnExample]
    distances: Mapping[str, float]
    prototypes: Sequence[Prototype] = field(default_factory=tuple)


def write_prototype_page(fault: DrawnFault, path: str | os.PathLike[str]) -> int:
    """Write the page; return its size in bytes.

    Parameters
    ----------
    fault : DrawnFault
    path : path-like
        An HTML file; it needs no network. An existing one is replaced whole.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    parts = {
        "head": head(fault.label, _STYLES),
        "title": escape(fault.label),
        "script": script(_SCRIPTS),
        "fault": pack_json(_scene(fault)),
        "plotly": packed_plotly(),
    }
    return write_page(path, assemble(part("prototype.html"), parts))


def _scene(fault: DrawnFault) -> dict[str, Any]:
    labels = {one.label for one in fault.prototypes} | set(fault.distances) | {fault.label}
    dim = fault.prototypes[0].embedding.shape[0] if fault.prototypes else 0
    return {
        "label": fault.label,
        "model": fault.model,
        "reach": round(fault.reach, 3),
        "dim": dim,
        "colours": label_colours(labels),
        "distances": [[name, round(value, 3)] for name, value in fault.distances.items()],
        "examples": examples(fault.prototypes),
        "own": [_example(one) for one in fault.examples],
    }


def _example(one: DrawnExample) -> dict[str, Any]:
    return {
        "source": dict(one.source),
        "clauses": list(one.clauses),
        "reason": one.reason,
        "matters": _rounded(one.matters),
        "bin_s": one.bin_s,
        "tracks": [
            {
                "name": track.name,
                "title": track.title,
                "unit": track.unit,
                "meaning": track.meaning,
                "normal": [float(f"{value:.4g}") for value in track.normal],
                "values": _rounded(track.values),
            }
            for track in one.tracks
        ],
    }


def _rounded(values: FloatArray) -> Any:
    """Keep four digits: no picture shows more."""
    if np.ndim(values) > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.4g}") for value in values.tolist()]
