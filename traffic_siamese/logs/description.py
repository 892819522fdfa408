"""What was made of a table's columns, for people to check and to correct."""

from __future__ import annotations

from typing import Any

import numpy as np

from traffic_siamese.types import TrafficLog


def describe_columns(log: TrafficLog) -> list[dict[str, Any]]:
    """Describe each column of a table.

    Returns
    -------
    list of dict
        Name, kind, and of its values in the bins (differences, of a counter) the least, the
        median, the largest and whether it is constant. Empty for a capture.
    """
    if log.schema is None:
        return []
    values = np.concatenate([one.values for one in log.series])
    low, middle, high = np.quantile(values, (0, 0.5, 1), axis=0).tolist()
    return [
        {
            "name": feature.name,
            "kind": feature.kind,
            "min": low[i],
            "median": middle[i],
            "max": high[i],
            "constant": low[i] == high[i],
        }
        for i, feature in enumerate(log.schema.features)
    ]


def columns_yaml(log: TrafficLog) -> str:
    """Write what was guessed as the file that corrects it; see `read_column_file`."""
    schema = log.schema
    lines = [f"# {log.name}: {log.series[0].bin_s:g} s from row to row"]
    for key in ("time", "timezone", "by"):
        value = getattr(schema, key, "")
        if value and value != "UTC":
            lines.append(f"{key}: {_quoted(value)}")
    if schema is not None and schema.alike:
        lines.append(f"alike: [{', '.join(map(_quoted, schema.alike))}]")
    if schema is not None and schema.relations:
        lines.append("relations: true")
    lines.append("columns:  # counter, delta, gauge, event or ignore")
    for one in describe_columns(log):
        told = "constant" if one["constant"] else f"median {one['median']:.4g}"
        values = f"{told}, {one['min']:.4g} to {one['max']:.4g} in a bin"
        lines.append(f"  {_quoted(one['name'])}: {one['kind']}  # {values}")
    return "\n".join(lines)


def _quoted(name: str) -> str:
    """Quote what YAML would read as something else."""
    simple = name.isidentifier() and name.isascii() and name.lower() not in _RESERVED
    return name if simple else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


_RESERVED = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
