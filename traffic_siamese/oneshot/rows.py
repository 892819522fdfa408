"""Prototypes and baselines as rows of the fault library: arrays as little-endian float32."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from traffic_siamese.errors import BundleError, ShapeError
from traffic_siamese.types import FloatArray, Prototype

_STRAYING = "farthest normal, "
COLUMNS = "label, raw, baseline, embedding, source"


@dataclass(frozen=True, slots=True, eq=False)
class StoredBaseline:
    """What normal looks like on one network.

    Attributes
    ----------
    network : str
        Its name.
    feature_hash : str
        Which features, in which order, the columns are.
    center, spread : ndarray of shape (n_features,), float32
        Robust location and scale of each feature.
    n_bins : int
        Bins of normal traffic it was learned from.
    source : dict of str to str
        Where it came from; and how far its normal traffic strays, see `straying`.
    learned_at : str
        RFC 3339 time, UTC.
    """

    network: str
    feature_hash: str
    center: FloatArray
    spread: FloatArray
    n_bins: int
    source: dict[str, str] = field(default_factory=dict)
    learned_at: str = ""

    def straying(self, encoder_id: str) -> float:
        """How far from the nearest normal example its normal traffic strays; 0 if not known.

        It was measured with one encoder, and means nothing to another.
        """
        return float(self.source.get(f"{_STRAYING}{encoder_id}", 0))

    def strays(self, farthest: float, encoder_id: str) -> Self:
        """Return it with how far its normal traffic strays, in the units of an encoder."""
        return replace(self, source={**self.source, f"{_STRAYING}{encoder_id}": f"{farthest:.4g}"})


def to_blob(array: FloatArray) -> bytes:
    """Bytes of an array, float32, little endian, rows first."""
    return np.ascontiguousarray(array, "<f4").tobytes()


def _from_blob(blob: bytes, shape: tuple[int, ...]) -> FloatArray:
    return np.frombuffer(blob, "<f4").reshape(shape).astype(np.float32)


def prototype_to_row(label: str, prototype: Prototype) -> tuple[str, bytes, bytes, bytes, str]:
    """Values of ``COLUMNS``."""
    arrays = (prototype.raw, prototype.baseline, prototype.embedding)
    raw, baseline, embedding = (to_blob(array) for array in arrays)
    return label, raw, baseline, embedding, json.dumps(prototype.source, sort_keys=True)


def prototype_from_row(path: Path, label: str, *columns: Any) -> Prototype:
    """Build a prototype from the values of ``COLUMNS``.

    Raises
    ------
    BundleError
        If a value is damaged.
    """
    raw, baseline, embedding, source = columns
    n_features = max(1, len(baseline) // 8)
    try:
        return Prototype(
            label,
            _from_blob(raw, (-1, n_features)),
            _from_blob(baseline, (2, n_features)),
            _from_blob(embedding, (-1,)),
            json.loads(source),
        )
    except ValueError as err:
        raise _damaged(path, f"an example of {label!r}") from err


def check_prototypes(
    prototypes: Sequence[Prototype], there: tuple[int, int, int] | None = None
) -> None:
    """Check that all have one shape, that of those in the library, and hold finite numbers.

    Parameters
    ----------
    prototypes : sequence of Prototype
        To be stored.
    there : (n_timesteps, n_features, embedding_dim), optional
        Of what is stored already.

    Raises
    ------
    ShapeError
        If one has another shape, or holds NaN or infinity.
    """
    for prototype in prototypes:
        raw, baseline, embedding = prototype.raw, prototype.baseline, prototype.embedding
        found = (raw.shape, baseline.shape, embedding.shape)
        if there is None and raw.ndim == 2 and embedding.ndim == 1:
            there = (*raw.shape, *embedding.shape)
        n_timesteps, n_features, dim = there or ("n_timesteps", "n_features", "embedding_dim")
        expected = ((n_timesteps, n_features), (2, n_features), (dim,))
        if found != expected:
            raise ShapeError(
                f"example of {prototype.label!r}: found window, baseline and embedding of shapes "
                f"{found}, expected {expected}. Make it with the model it is stored in."
            )
        if not all(np.isfinite(array).all() for array in (raw, baseline, embedding)):
            raise ShapeError(
                f"example of {prototype.label!r}: found NaN or infinity, expected finite numbers. "
                "Choose a time range without gaps."
            )


def baseline_to_row(baseline: StoredBaseline) -> tuple[str, str, bytes, bytes, int, str, str]:
    """Values of one row of the table.

    Raises
    ------
    ShapeError
        If centre and spread are not two finite vectors of one length.
    """
    center, spread = np.asarray(baseline.center), np.asarray(baseline.spread)
    finite = np.isfinite(center).all() and np.isfinite(spread).all()
    if center.ndim != 1 or center.shape != spread.shape or not finite:
        raise ShapeError(
            f"baseline of {baseline.network!r}: found centre and spread of shapes {center.shape} "
            f"and {spread.shape}, expected two finite vectors of one length."
        )
    return (
        baseline.network,
        baseline.feature_hash,
        to_blob(center),
        to_blob(spread),
        int(baseline.n_bins),
        json.dumps(baseline.source, sort_keys=True),
        baseline.learned_at,
    )


def baseline_from_row(path: Path, network: str, feature_hash: str, *columns: Any) -> StoredBaseline:
    """Build a baseline from one row of the table.

    Raises
    ------
    BundleError
        If a value is damaged.
    """
    center, spread, n_bins, source, learned_at = columns
    try:
        arrays = (_from_blob(center, (-1,)), _from_blob(spread, (-1,)))
        values = (n_bins, json.loads(source), learned_at)
        return StoredBaseline(network, feature_hash, *arrays, *values)
    except ValueError as err:
        raise _damaged(path, f"the baseline of {network!r}") from err


def _damaged(path: Path, what: str) -> BundleError:
    return BundleError(
        f"{path}: {what} is damaged, expected float32 blobs and JSON. "
        "Restore the file from a copy, or train the model again."
    )
