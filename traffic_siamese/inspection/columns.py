"""What the columns of a series hold: kind, unit, range, and which never change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from traffic_siamese.types import TrafficLog

_UNITS = (
    (r"(_|\.|^)(seconds?|secs?|s)$|_seconds_(sum|bucket)", "s"),
    (r"(_|\.)(ms|msec|millis|milliseconds)$", "ms"),
    (r"(bytes?|octets?)(_total)?$|Octets|Bytes", "bytes"),
    (r"(packets?|pkts?)(_total)?$|Packets|Pkts", "packets"),
    (r"bits?$|bps$", "bits"),
    (r"pps$", "packets/s"),
    (r"(percent|pct|ratio|util|utili[sz]ation)$|Ratio|Percent", "share"),
    (r"(errors?|drops?|discards?)$", "errors"),
)
_DIRECTION = re.compile(r"^(to|from)_service_")


def guessed_unit(name: str) -> str:
    """Guess a column's unit by its name; empty where it does not tell."""
    plain = name.partition("{")[0]
    return next((unit for pattern, unit in _UNITS if re.search(pattern, plain)), "")


def column_ranges(logs: Sequence[TrafficLog]) -> list[dict[str, Any]]:
    """Say what each column of the logs of one file holds.

    Returns
    -------
    list of dict
        ``name``, ``kind`` and ``unit`` (where the log is a table), ``min``, ``max``, and
        ``constant``: one value in all bins of all elements that have it.
    """
    found: dict[str, dict[str, Any]] = {}
    for log in logs:
        features = {one.name: one for one in log.schema.features} if log.schema else {}
        for series in log.series:
            low, high = series.values.min(axis=0), series.values.max(axis=0)
            for i, name in enumerate(series.feature_names):
                column = found.setdefault(name, {"name": name, "min": np.inf, "max": -np.inf})
                column["min"] = min(column["min"], float(low[i]))
                column["max"] = max(column["max"], float(high[i]))
                if name in features:
                    column["kind"] = features[name].kind
                    column["unit"] = features[name].unit or guessed_unit(name)
    for column in found.values():
        column["constant"] = column["min"] == column["max"]
    return list(found.values())


def fold_directions(names: Sequence[str]) -> list[str]:
    """Name once, and first, what is there in both directions: ``tcp_rst`` for to and from."""
    plain = [_DIRECTION.sub("", name) for name in names]
    both = [name for name in dict.fromkeys(plain) if plain.count(name) == 2]
    return both + [name for p, name in zip(plain, names, strict=True) if p not in both]
