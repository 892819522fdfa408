"""How the columns of one's own tables are seen: floors and views, taken from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import LabelError
from traffic_siamese.feature_schema import Feature, FeatureSchema, Kind
from traffic_siamese.like_columns import like_columns
from traffic_siamese.relations import MAX_COLUMNS
from traffic_siamese.types import FloatArray, TrafficLog

_FLOOR_SHARE = 0.1  # of the usual value, for the logarithmic view
_STEADY = 0.25  # a state whose spread is a smaller share of its value stays near one value
_LEAST_SHARE = 1e-3  # of the value: smaller floors would show noise of rounding
_ROBUST = 1.4826


def fit_schema(
    schema: FeatureSchema, stretches: Sequence[FloatArray], *, others: Sequence[FloatArray] = ()
) -> FeatureSchema:
    """Choose floor and view of each column.

    A state that stays near one value, or is below zero at times, has the linear view: its floor is
    its usual spread. Everything else has the logarithmic view, whose floor is a tenth of what is
    usual where it is not zero; of whole counts at least 1.

    Parameters
    ----------
    schema : FeatureSchema
        Names and kinds.
    stretches : sequence of ndarray of shape (n_bins, n_features), float32
        Normal traffic, one stretch for each network: the spread within one counts, not the
        difference between two.
    others : sequence of ndarray of shape (n_bins, n_features), float32
        Traffic that need not be normal: tells the size of what normal traffic has none of.

    Returns
    -------
    FeatureSchema
    """
    features = []
    for i, feature in enumerate(schema.features):
        mine = _column(stretches, i)
        features.append(_fitted(feature, mine if any(map(np.any, mine)) else _column(others, i)))
    return replace(schema, features=tuple(features))


def _column(stretches: Sequence[FloatArray], i: int) -> list[NDArray[np.float64]]:
    return [np.asarray(part[:, i], np.float64) for part in stretches if len(part)]


def _fitted(feature: Feature, stretches: list[NDArray[np.float64]]) -> Feature:
    values = np.concatenate(stretches) if stretches else np.zeros(1)
    size = np.abs(values[values != 0])
    usual = float(np.median(size)) if len(size) else 0.0
    if not usual:
        return replace(feature, floor=1.0, view="log")
    spread = float(np.median([_spread(part) for part in stretches]))
    below_zero = bool((values < 0).any())
    mostly_there = len(size) > 0.9 * len(values)
    steady = feature.kind == "gauge" and mostly_there and spread < _STEADY * usual
    if below_zero or steady:
        least = _LEAST_SHARE * usual if spread else _FLOOR_SHARE * usual
        return replace(feature, floor=_rounded(max(spread, least)), view="linear")
    floor = _FLOOR_SHARE * usual
    is_whole = feature.is_count and bool(np.all(size == np.rint(size)))
    return replace(feature, floor=_rounded(max(floor, 1.0) if is_whole else floor), view="log")


def _spread(values: NDArray[np.float64]) -> float:
    """Robust standard deviation; where most values are one, the plain one of all."""
    robust = _ROBUST * float(np.median(np.abs(values - np.median(values))))
    low, high = np.quantile(values, (0.05, 0.95))
    return robust or float(high - low) / 3.3 or float(values.std())


def _rounded(floor: float) -> float:
    """Keep the three digits that matter: a floor that can be read."""
    return float(f"{floor:.3g}")


def common_schema(logs: Mapping[str, TrafficLog]) -> tuple[FeatureSchema | None, list[str]]:
    """Find what all logs have in common.

    Parameters
    ----------
    logs : mapping of str to TrafficLog
        By name; at least one.

    Returns
    -------
    schema : FeatureSchema or None
        Columns that every table has, in the first one's order, of the kind that most of those say
        in which they vary. None where all logs are captures.
    warnings : list of str
        Which columns are left out.

    Raises
    ------
    LabelError
        If captures stand beside tables, the tables have no column in common, elements are said to
        be alike that no two columns differ by, or there are too many columns to relate.
    """
    schemas = {name: log.schema for name, log in logs.items() if log.schema is not None}
    if not schemas:
        return None, []
    if len(schemas) < len(logs):
        odd = next(name for name in logs if name not in schemas)
        raise LabelError(
            f"{odd} is a capture, {next(iter(schemas))} a table: one model is trained on one kind "
            "of log. Train a model for each."
        )
    (first_name, first), *_ = schemas.items()
    shared = set(first.names).intersection(*(schema.names for schema in schemas.values()))
    if not shared:
        other = next(name for name in schemas if not set(first.names) & set(schemas[name].names))
        raise LabelError(
            f"{other} has no column of {first_name}: it has {_some(schemas[other].names)}, "
            f"expected {_some(first.names)}. Give tables of the same columns."
        )
    kinds = agreed_kinds(list(logs.values()))
    features = tuple(replace(f, kind=kinds[f.name]) for f in first.features if f.name in shared)
    out = {name for schema in schemas.values() for name in schema.names} - shared
    warnings = [f"columns that not every log has are left out: {_some(sorted(out))}."]
    common = replace(first, features=features)
    if common.alike and not like_columns(common):
        raise LabelError(
            f"{first_name} has no two columns that differ only by one of {_some(common.alike)}, "
            f"which are said to be alike: it has {_some(common.names)}. Name the elements as they "
            "stand in the columns' names, or leave alike out."
        )
    if common.relations and len(common) > MAX_COLUMNS:
        raise LabelError(
            f"{first_name} has {len(common)} columns, expected at most {MAX_COLUMNS} where "
            "relations are looked for. Ignore some of them, or leave relations out."
        )
    return common, warnings if out else []


def agreed_kinds(logs: Sequence[TrafficLog]) -> dict[str, Kind]:
    """Return for each column the kind that most of the logs say in which it varies."""
    votes: dict[str, list[Kind]] = {}
    weak: dict[str, list[Kind]] = {}
    for log in logs:
        varies = np.any([np.ptp(one.values, axis=0) > 0 for one in log.series], axis=0)
        for feature, moves in zip(log.schema.features if log.schema else (), varies, strict=True):
            if feature.kind:
                (votes if moves else weak).setdefault(feature.name, []).append(feature.kind)
    names = dict.fromkeys([*votes, *weak])
    said = {name: votes.get(name) or weak[name] for name in names}
    return {name: max(dict.fromkeys(kinds), key=kinds.count) for name, kinds in said.items()}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
