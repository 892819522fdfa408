"""A table's schema as arrays, to lie in a bundle beside the scaling that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.bundle import COLUMN_NAMES
from traffic_siamese.errors import BundleError
from traffic_siamese.feature_schema import KINDS, Feature, FeatureSchema, Kind, View
from traffic_siamese.features.schema import SIGNALLING

_FLOORS, _LINEAR, _KINDS, _READ = "column_floors", "column_linear", "column_kinds", "column_reading"
_ALIKE = "column_alike"  # bundles of before have none
RELATIONS = "column_relations"
"""How the columns go together, where a model sees that; see ``relations``."""


def schema_arrays(schema: FeatureSchema) -> dict[str, NDArray[Any]]:
    """Return a schema as arrays of numbers and text; nothing for what captures have."""
    if not schema.is_table:
        return {}
    return {
        COLUMN_NAMES: np.array(schema.names, np.str_),
        _FLOORS: np.array([feature.floor for feature in schema.features]),
        _LINEAR: schema.is_linear,
        _KINDS: np.array([feature.kind for feature in schema.features], np.str_),
        _READ: np.array([schema.by, schema.time, schema.timezone], np.str_),
        _ALIKE: np.array(schema.alike, np.str_),
    }


def schema_from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> FeatureSchema:
    """Read what `schema_arrays` gave.

    Raises
    ------
    BundleError
        If it is incomplete or says what no schema does.
    """
    if COLUMN_NAMES not in arrays:
        return SIGNALLING
    try:
        columns = [arrays[name].tolist() for name in (COLUMN_NAMES, _FLOORS, _LINEAR, _KINDS)]
        by, time, timezone = (str(text) for text in arrays[_READ].tolist())
        alike = tuple(str(text) for text in np.ravel(arrays.get(_ALIKE, ())).tolist())
        features = tuple(_feature(*row) for row in zip(*columns, strict=True))
    except (KeyError, ValueError, TypeError) as err:
        raise BundleError(
            f"the model's columns are malformed ({err}), expected a name, a floor, a view and a "
            "kind for each. Train it again."
        ) from err
    return FeatureSchema(features, True, by, time, timezone, alike, RELATIONS in arrays)


def _feature(name: Any, floor: Any, linear: Any, kind: Any) -> Feature:
    if kind not in KINDS or not float(floor) > 0:
        raise ValueError(f"column {name!r} has kind {kind!r} and floor {floor!r}")
    view: View = "linear" if linear else "log"
    return Feature(str(name), "", "", float(floor), kind != "event", view, cast(Kind, str(kind)))
