"""From features to model inputs: views of each feature, scaled with stored statistics.

The relative view says how a feature differs from the network's own normal, which is what lets a
fault learned on one network be known on another. The absolute view says how much there is; it
ties a model to networks like those it was trained on, and is left out unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import log_view, mirrored_log
from traffic_siamese.errors import BundleError, ShapeError
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import SIGNALLING
from traffic_siamese.like_columns import by_rank, like_columns
from traffic_siamese.relations import fit_relations, remainders
from traffic_siamese.schema_arrays import RELATIONS, schema_arrays, schema_from_arrays
from traffic_siamese.types import FloatArray

_MIN_SCALE = 0.5
_LIMIT = 8.0
VIEWS = ("both", "relative")


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Centre and scale of the views, learned in training and kept in the bundle.

    Attributes
    ----------
    center, scale : ndarray of shape (n_views, n_features), float32
        The last row is the relative view (its centre is 0: the network's normal); a row before it
        is the absolute view.
    schema : FeatureSchema
        The features, with their floors and views.
    relations : ndarray of shape (n_features, n_features), float32, optional
        Where the schema asks for them: how columns follow from one another, in the relative view.
    """

    center: FloatArray
    scale: FloatArray
    schema: FeatureSchema = SIGNALLING
    relations: FloatArray | None = None

    @classmethod
    def fit(
        cls,
        values: FloatArray,
        baselines: FloatArray,
        *,
        views: str = "relative",
        schema: FeatureSchema = SIGNALLING,
    ) -> Scaler:
        """Learn the scaler.

        Parameters
        ----------
        values : ndarray of shape (n_bins, n_features), float32
            Features of all training captures.
        baselines : ndarray of shape (n_bins, n_features), float32
            Centre of the baseline of each bin's network.
        views : {"relative", "both"}
            The relative view alone, or the absolute view beside it.
        schema : FeatureSchema
        """
        if views not in VIEWS:
            raise ValueError(f"views is {views!r}, expected one of {', '.join(VIEWS)}")
        if schema.relations and views != "relative":
            raise ValueError(f"views is {views!r}, expected relative where relations are seen")
        logs = log_view(values, schema)
        relative = _relative(logs, baselines, schema)
        center = np.stack([logs.mean(axis=0), np.zeros(logs.shape[1])])
        spread = np.stack([logs.std(axis=0), np.sqrt(np.mean(relative**2, axis=0))])
        # A feature that hardly moved in training must not shout when it moves for the first time.
        scale = np.maximum(spread, _MIN_SCALE)
        first = VIEWS.index(views)
        seen = (relative / scale[-1]).clip(-_LIMIT, _LIMIT).astype(np.float32)
        relations = fit_relations(seen) if schema.relations else None
        center, scale = (part[first:].astype(np.float32) for part in (center, scale))
        return cls(center, scale, schema, relations)

    @property
    def n_views(self) -> int:
        """How many views there are: 1 or 2."""
        return len(self.center)

    @property
    def n_channels_each(self) -> int:
        """How many channels of the inputs each feature has: its views, and what is left of it."""
        return self.n_views + (self.relations is not None)

    def inputs(self, values: FloatArray, baseline: FloatArray) -> FloatArray:
        """Turn features into model inputs.

        Parameters
        ----------
        values : ndarray of shape (..., n_features), float32
            Features as read.
        baseline : ndarray of shape (2, n_features), float32
            The network's normal.

        Returns
        -------
        ndarray of shape (..., n_channels_each * n_features), float32
            Absolute view if there is one, then relative view; limited to 8 scales either way. Then,
            where relations are seen, what is left of each column after what the others say.
            Columns of like elements stand by rank in each view: how far the farthest above its
            normal is, and so on, whichever element that is.

        Raises
        ------
        ShapeError
            If the number of features is not the one that was learned.
        """
        if values.shape[-1] != self.center.shape[1]:
            raise ShapeError(
                f"the log has {values.shape[-1]} features, the model was trained with "
                f"{self.center.shape[1]}. Read it with the version that trained the model."
            )
        logs = log_view(values, self.schema)
        views = [_relative(logs, baseline[0], self.schema) / self.scale[-1]]
        if self.n_views == len(VIEWS):
            views.insert(0, (logs - self.center[0]) / self.scale[0])
        if self.relations is not None:
            views.append(remainders(views[-1].clip(-_LIMIT, _LIMIT), self.relations))
        groups = like_columns(self.schema)
        ranked = [by_rank(view, groups) for view in views]
        joined: FloatArray = np.concatenate(ranked, axis=-1).astype(np.float32)
        return joined.clip(-_LIMIT, _LIMIT)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the statistics for the bundle."""
        arrays = {"center": self.center, "scale": self.scale, **schema_arrays(self.schema)}
        return arrays if self.relations is None else {**arrays, RELATIONS: self.relations}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Scaler:
        """Read what `arrays` gave.

        Raises
        ------
        BundleError
            If an array is missing or has another shape, or the columns are malformed.
        """
        try:
            center, scale = (np.asarray(arrays[name], np.float32) for name in ("center", "scale"))
        except KeyError as err:
            raise BundleError(
                f"the model's scaling lacks {err}, expected center and scale. Train it again."
            ) from err
        if center.ndim != 2 or len(center) not in (1, 2) or center.shape != scale.shape:
            raise BundleError(
                f"the model's scaling has shapes {center.shape} and {scale.shape}, expected "
                "(1 or 2, n_features) twice. Train it again."
            )
        schema = schema_from_arrays(arrays)
        if schema.is_table and len(schema) != center.shape[1]:
            raise BundleError(
                f"the model's scaling has {center.shape[1]} columns, its schema {len(schema)}, "
                "expected as many. Train it again."
            )
        return cls(center, scale, schema, _relations(arrays, center.shape[1]))


def _relations(arrays: Mapping[str, NDArray[np.generic]], n_features: int) -> FloatArray | None:
    if RELATIONS not in arrays:
        return None
    relations = np.asarray(arrays[RELATIONS], np.float32)
    if relations.shape != (n_features, n_features):
        raise BundleError(
            f"the model's relations have shape {relations.shape}, expected "
            f"{(n_features, n_features)}. Train it again."
        )
    return relations


def _relative(
    view: FloatArray, normal: NDArray[np.floating], schema: FeatureSchema
) -> NDArray[np.floating]:
    """How far features lie from normal; what is linear is bent to a logarithm farther away."""
    away: NDArray[np.floating] = view - normal
    if not schema.is_linear.any():
        return away
    return np.where(schema.is_linear, mirrored_log(away), away)
