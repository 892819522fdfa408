"""A log seen as a model sees it: its columns chosen and put in the model's order."""

from __future__ import annotations

from dataclasses import replace

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import FeatureSchema
from traffic_siamese.features.schema import schema_of
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.types import TrafficLog

_N_NAMED = 5


def conformed(log: TrafficLog, schema: FeatureSchema) -> TrafficLog:
    """Return a log with the columns of a schema, in its order.

    Raises
    ------
    CaptureError
        If columns are missing: in one line, which are and which are there in their place.
    """
    mine = schema_of(log)
    if mine.names == schema.names:
        return log if mine is schema else replace(log, schema=_kept(schema))
    missing = [name for name in schema.names if name not in set(mine.names)]
    extra = [name for name in mine.names if name not in set(schema.names)]
    if missing:
        raise CaptureError(
            f"{log.name}: {_what(mine)}, the model was trained on {_what(schema)}: missing "
            f"{_some(missing)}{f'; unknown to it {_some(extra)}' if extra else ''}. "
            f"{_remedy(mine, schema)}"
        )
    place = {name: i for i, name in enumerate(mine.names)}
    order = [place[name] for name in schema.names]
    series = tuple(
        replace(one, values=one.values[:, order], feature_names=schema.names) for one in log.series
    )
    warnings = log.warnings
    if extra:
        told = f"{log.name}: columns that the model does not know are left out: {_some(extra)}."
        warnings = (*warnings, told)
    return replace(log, series=series, schema=_kept(schema), warnings=warnings)


def reading_options(schema: FeatureSchema) -> ReadOptions:
    """Return how tables are read for a model: as those that it was trained on."""
    if not schema.is_table:
        return ReadOptions()
    kinds = {feature.name: feature.kind for feature in schema.features if feature.kind}
    return ReadOptions(
        by=schema.by,
        time=schema.time,
        timezone=schema.timezone,
        kinds=kinds,
        alike=schema.alike,
        relations=schema.relations,
    )


def _kept(schema: FeatureSchema) -> FeatureSchema | None:
    return schema if schema.is_table else None


def _what(schema: FeatureSchema) -> str:
    kind = "columns of a table" if schema.is_table else "features of a capture"
    return f"{len(schema)} {kind}"


def _remedy(mine: FeatureSchema, schema: FeatureSchema) -> str:
    if mine.is_table and schema.is_table:
        return "Export these columns under the same names."
    return "Use a model that was trained on such logs."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more
