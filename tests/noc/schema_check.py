"""A plain reading of JSON schema: as much of draft 4 as the published alarm schemas use."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_FORMATS", "no-such-folder"))
needs_schemas = pytest.mark.skipif(not PUBLIC.is_dir(), reason="needs the published schemas")

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def published(name: str) -> Any:
    """Read a schema of the folder."""
    return json.loads(gzip.decompress((PUBLIC / name).read_bytes()))


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """Return what is wrong with a value."""
    if "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return faults(value, found, root, path)
    kind = schema.get("type")
    is_bool = isinstance(value, bool) and kind in ("integer", "number")
    if kind and (is_bool or not isinstance(value, _TYPES[kind])):
        return [f"{path}: {value!r} is no {kind}"]
    wrong = []
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{path}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "date-time" and not _RFC3339.fullmatch(value):
        wrong.append(f"{path}: {value!r} is no RFC 3339 time")
    if isinstance(value, list):
        for i, item in enumerate(value):
            wrong += faults(item, schema.get("items", {}), root, f"{path}[{i}]")
    if isinstance(value, dict):
        wrong += _of_members(value, schema, root, path)
    return wrong


def _of_members(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> list[str]:
    wrong = [f"{path}: lacks {name}" for name in schema.get("required", []) if name not in value]
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, member in value.items():
        if name in known:
            wrong += faults(member, known[name], root, f"{path}.{name}")
        elif rest is False:
            wrong.append(f"{path}: knows no {name}")
        elif isinstance(rest, dict):
            wrong += faults(member, rest, root, f"{path}.{name}")
    return wrong
