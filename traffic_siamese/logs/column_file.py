"""What a user says about a table, in a small YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import KINDS
from traffic_siamese.logs.options import ReadOptions

_TEXTS = ("time", "timezone", "by", "start")
_NUMBERS = ("step_s", "granularity_s")
_KEYS = (*_TEXTS, *_NUMBERS, "names", "alike", "relations", "columns")
CHOICES = (*KINDS, "ignore")


def read_column_file(path: str | Path) -> ReadOptions:
    """Read what a table's columns are.

    Keys, all optional: ``time``, ``timezone``, ``by`` (names of columns, and of a zone),
    ``columns`` (a kind for each: counter, delta, gauge, event or ignore), ``granularity_s``,
    ``alike`` (elements whose columns are seen by rank), ``relations`` (true: a model sees how
    columns go together); for a table without a header ``names``; for one without times ``start``
    and ``step_s``.

    Raises
    ------
    CaptureError
        If it cannot be read, or says something else.
    """
    import yaml  # only who has such a file needs it

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise CaptureError(f"{path}: cannot be read ({err.strerror}). Check the path.") from err
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        where = " ".join(str(err).split())[:160]
        raise CaptureError(f"{path}: no YAML: {where}. Correct it.") from err
    if not isinstance(content, Mapping):
        raise _odd(path, "the file", content, f"names with values: {', '.join(_KEYS)}")
    for key in content:
        if key not in _KEYS:
            raise _odd(path, "a key", key, f"one of {', '.join(_KEYS)}")
    given: dict[str, Any] = {}
    for key in _TEXTS:
        if key in content:
            given[key] = _text(path, key, content[key])
    for key in _NUMBERS:
        if key in content:
            given[key] = _number(path, key, content[key])
    options = ReadOptions(
        names=_names(path, "names", content.get("names", [])),
        alike=_alike(path, content.get("alike", [])),
        relations=_flag(path, "relations", content.get("relations", False)),
        kinds=_kinds(path, content.get("columns", {})),
    )
    return replace(options, **given)


def _text(path: str | Path, key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if hasattr(value, "isoformat"):  # YAML makes times of what looks like one
        return str(value.isoformat())
    raise _odd(path, key, value, "a text")


def _number(path: str | Path, key: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    raise _odd(path, key, value, "seconds, more than 0")


def _flag(path: str | Path, key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _odd(path, key, value, "true or false")


def _names(path: str | Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _odd(path, key, value, "a list of names")
    if len(set(value)) < len(value):
        raise _odd(path, key, value, "each name once")
    return tuple(value)


def _alike(path: str | Path, value: Any) -> tuple[str, ...]:
    names = _names(path, "alike", value)
    if len(names) == 1:
        raise _odd(path, "alike", value, "two elements or more")
    return names


def _kinds(path: str | Path, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _odd(path, "columns", value, "a kind for each column")
    for name, kind in value.items():
        if kind not in CHOICES:
            raise _odd(path, f"column {name!r}", kind, f"one of {', '.join(CHOICES)}")
    return {str(name): str(kind) for name, kind in value.items()}


def _odd(path: str | Path, what: str, found: Any, expected: str) -> CaptureError:
    return CaptureError(f"{path}: {what} is {str(found)[:60]!r}, expected {expected}. Correct it.")
