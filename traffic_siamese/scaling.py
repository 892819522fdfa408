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
from traffic_siamese.schema_arrays import schema_arrays, schema_from_arrays
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
    """

    center: FloatArray
    scale: FloatArray
    schema: FeatureSchema = SIGNALLING

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
        logs = log_view(values, schema)
        relative = _relative(logs, baselines, schema)
        center = np.stack([logs.mean(axis=0), np.zeros(logs.shape[1])])
        spread = np.stack([logs.std(axis=0), np.sqrt(np.mean(relative**2, axis=0))])
        # A feature that hardly moved in training must not shout when it moves for the first time.
        scale = np.maximum(spread, _MIN_SCALE)
        first = VIEWS.index(views)
        return cls(center[first:].astype(np.float32), scale[first:].astype(np.float32), schema)

    @property
    def n_views(self) -> int:
        """How many views there are: 1 or 2."""
        return len(self.center)

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
        ndarray of shape (..., n_views * n_features), float32
            Absolute view if there is one, then relative view; limited to 8 scales either way.

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
        joined: FloatArray = np.concatenate(views, axis=-1).astype(np.float32)
        return joined.clip(-_LIMIT, _LIMIT)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the statistics for the bundle."""
        return {"center": self.center, "scale": self.scale, **schema_arrays(self.schema)}

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
        return cls(center, scale, schema)


def _relative(
    view: FloatArray, normal: NDArray[np.floating], schema: FeatureSchema
) -> NDArray[np.floating]:
    """How far features lie from normal; what is linear is bent to a logarithm farther away."""
    away: NDArray[np.floating] = view - normal
    if not schema.is_linear.any():
        return away
    return np.where(schema.is_linear, mirrored_log(away), away)
