"""From features to model inputs: two views of each, scaled with stored statistics.

The absolute view says how much there is; the relative view says how that differs from the
network's own normal, which is what lets a fault learned on one network be known on another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.baseline import log_view
from traffic_siamese.errors import BundleError, ShapeError
from traffic_siamese.types import FloatArray

_MIN_SCALE = 0.5
_LIMIT = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Centre and scale of both views, learned in training and kept in the bundle.

    Attributes
    ----------
    center, scale : ndarray of shape (2, n_features), float32
        Row 0: absolute view; row 1: relative view (its centre is 0: the network's normal).
    """

    center: FloatArray
    scale: FloatArray

    @classmethod
    def fit(cls, values: FloatArray, baselines: FloatArray) -> Scaler:
        """Learn the scaler.

        Parameters
        ----------
        values : ndarray of shape (n_bins, n_features), float32
            Features of all training captures.
        baselines : ndarray of shape (n_bins, n_features), float32
            Centre of the baseline of each bin's network.
        """
        logs = log_view(values)
        relative = logs - baselines
        center = np.stack([logs.mean(axis=0), np.zeros(logs.shape[1])])
        spread = np.stack([logs.std(axis=0), np.sqrt(np.mean(relative**2, axis=0))])
        # A feature that hardly moved in training must not shout when it moves for the first time.
        scale = np.maximum(spread, _MIN_SCALE)
        return cls(center.astype(np.float32), scale.astype(np.float32))

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
        ndarray of shape (..., 2 * n_features), float32
            Absolute view, then relative view; limited to 8 scales either way.

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
        logs = log_view(values)
        absolute = (logs - self.center[0]) / self.scale[0]
        relative = (logs - baseline[0]) / self.scale[1]
        both: FloatArray = np.concatenate([absolute, relative], axis=-1).astype(np.float32)
        return both.clip(-_LIMIT, _LIMIT)

    def arrays(self) -> dict[str, FloatArray]:
        """Return the statistics for the bundle."""
        return {"center": self.center, "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Scaler:
        """Read what `arrays` gave.

        Raises
        ------
        BundleError
            If an array is missing or has another shape.
        """
        try:
            center, scale = (np.asarray(arrays[name], np.float32) for name in ("center", "scale"))
        except KeyError as err:
            raise BundleError(
                f"the model's scaling lacks {err}, expected center and scale. Train it again."
            ) from err
        if center.ndim != 2 or len(center) != 2 or center.shape != scale.shape:
            raise BundleError(
                f"the model's scaling has shapes {center.shape} and {scale.shape}, expected "
                "(2, n_features) twice. Train it again."
            )
        return cls(center, scale)
