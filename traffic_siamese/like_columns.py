"""Columns that say the same of like elements, seen by rank: whichever of them a fault befalls.

Where one table holds several elements side by side (``amf_cpu``, ``ausf_cpu``, ``udm_cpu``), one
example shows a fault of one of them. In the order of how far each is from its own normal, the
columns look the same when it befalls another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import FeatureSchema

Groups = Sequence[Sequence[int]]
_ELEMENT = "\0"  # stands for the element's name; no column has it


def like_columns(schema: FeatureSchema) -> tuple[tuple[int, ...], ...]:
    """Return the columns that differ in nothing but the element they are of.

    Parameters
    ----------
    schema : FeatureSchema
        Its ``alike`` names the elements; a name counts where no letter or digit is beside it.

    Returns
    -------
    tuple of tuple of int
        Places of like columns, two or more in each group; empty where no elements are named.

    Examples
    --------
    >>> from traffic_siamese.feature_schema import Feature
    >>> columns = tuple(Feature(name, "", "") for name in ("amf_cpu", "calls", "udm_cpu"))
    >>> like_columns(FeatureSchema(columns, is_table=True, alike=("amf", "udm")))
    ((0, 2),)
    """
    return _found(schema) if schema.alike else ()


@lru_cache(maxsize=8)
def _found(schema: FeatureSchema) -> tuple[tuple[int, ...], ...]:
    names = "|".join(re.escape(name) for name in sorted(schema.alike, key=len, reverse=True))
    element = re.compile(f"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])")
    groups: dict[str, list[int]] = {}
    for place, column in enumerate(schema.names):
        stem, n_found = element.subn(_ELEMENT, column, count=1)
        if n_found:
            groups.setdefault(stem, []).append(place)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def by_rank(values: NDArray[np.floating], groups: Groups) -> NDArray[np.floating]:
    """Put the values of like columns in order, in each bin and group by itself.

    Parameters
    ----------
    values : ndarray of shape (..., n_features)
        Relative to each column's own normal, so that they can be compared. Not changed.
    groups : sequence of sequence of int
        As from `like_columns`.

    Returns
    -------
    ndarray of the same shape and type
        The first column of a group holds its largest value.
    """
    if not groups:
        return values
    ranked = np.array(values)
    for group in map(list, groups):
        ranked[..., group] = np.sort(values[..., group], axis=-1)[..., ::-1]
    return ranked
