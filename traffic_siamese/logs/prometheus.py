"""Answers of Prometheus to range queries: JSON with one list of samples for each series.

References
----------
Prometheus HTTP API, "Range queries" and "Expression query result formats"; naming of metrics:
Prometheus documentation, "Metric and label naming"; OpenMetrics 1.0 section 5 (metric types).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.feature_schema import Kind
from traffic_siamese.logs.table import MAX_CELLS, MAX_COLUMNS, CounterTable

ELEMENT_LABELS = ("instance", "node", "pod", "host", "hostname", "nodename", "exported_instance")
"""Labels that name a network element; the first of them that a series has does."""
_COUNTER = re.compile(r"(_total|_count|_sum|_bucket)$")
_START = re.compile(rb'\s*\{\s*"(status|data|resultType)"\s*:')
_RESULT = re.compile(r'"result"\s*:\s*\[\s*')
_NEXT = re.compile(r"\s*(,\s*|\])")

_Samples = tuple[NDArray[np.int64], NDArray[np.float64]]


def is_prometheus(head: bytes) -> bool:
    """Tell whether a file starts as an answer of Prometheus does."""
    return bool(_START.match(head)) and (b'"resultType"' in head or b'"errorType"' in head)


def read_prometheus(name: str, text: str) -> list[CounterTable]:
    """Read the answer to a range query.

    Parameters
    ----------
    name : str
        The log's name in messages.
    text : str
        The whole answer.

    Returns
    -------
    list of CounterTable
        One for each network element, told apart by its ``instance`` label or one like it. A
        column is a metric with those of its labels that differ within the answer; it is a counter
        where the metric's name ends as those of counters do.

    Raises
    ------
    CaptureError
        If Prometheus answered with an error, or the answer is no matrix, damaged, or too large.
    """
    _check_kind(name, text)
    series: list[tuple[dict[str, str], _Samples]] = []
    n_left_out = n_samples = 0
    for place, found in _results(name, text):
        labels, values = found.get("metric", {}), found.get("values")
        n_left_out += "histograms" in found
        if not isinstance(labels, dict) or not isinstance(values, list):
            if "histograms" in found:
                continue
            raise _damaged(name, place, "a series without metric and values")
        samples = _samples(name, place, values)
        n_samples += len(samples[0])
        series.append(({str(k): str(v) for k, v in labels.items()}, samples))
        if len(series) > MAX_COLUMNS * 10 or n_samples > MAX_CELLS:
            raise CaptureError(
                f"{name}: holds {len(series)} series of {n_samples} samples or more, expected at "
                f"most {MAX_COLUMNS * 10} of {MAX_CELLS}. Ask Prometheus for less at once."
            )
    if not n_samples:
        raise CaptureError(
            f"{name}: the answer holds no sample, expected some. Check the query and its range."
        )
    warning = f"{name}: {n_left_out} native histograms were left out."
    return _tables(name, series, (warning,) if n_left_out else ())


def _check_kind(name: str, text: str) -> None:
    if re.search(r'"status"\s*:\s*"error"', text[:4096]):
        said = re.search(r'"error"\s*:\s*"((?:[^"\\]|\\.)*)"', text[:65536])
        raise CaptureError(
            f"{name}: Prometheus answered with an error ({said[1][:200] if said else 'unnamed'}), "
            "expected samples. Correct the query, and ask again."
        )
    kind = re.search(r'"resultType"\s*:\s*"(\w*)"', text)
    if kind is None or kind[1] != "matrix":
        raise CaptureError(
            f"{name}: the answer is of type {kind[1] if kind else 'unknown'!r}, expected 'matrix'. "
            "Ask with /api/v1/query_range."
        )


def _results(name: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Decode series after series: only one is held as Python objects."""
    found = _RESULT.search(text)
    if found is None:
        raise _damaged(name, 0, "no list of results")
    decoder, at = json.JSONDecoder(), found.end()
    if text.startswith("]", at):
        return
    while True:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as err:
            raise _damaged(name, at, "no JSON, or it is cut short") from err
        if not isinstance(value, dict):
            raise _damaged(name, at, "a series that is no object")
        yield at, value
        step = _NEXT.match(text, end)
        if step is None:
            raise _damaged(name, end, "neither a comma nor the end of the list")
        if step[1] == "]":
            return
        at = step.end()


def _samples(name: str, place: int, values: list[Any]) -> _Samples:
    try:
        times = np.array([time for time, _ in values], np.float64)
        numbers = np.array([float(text) for _, text in values], np.float64)
    except (TypeError, ValueError) as err:
        raise _damaged(name, place, "samples that are no [time, value] pairs") from err
    if not (np.abs(times) < 9e9).all():
        raise _damaged(name, place, "times that are no seconds since 1970")
    return np.rint(times * 1000).astype(np.int64) * 1_000_000, numbers


def _damaged(name: str, at: int, what: str) -> CaptureError:
    return CaptureError(
        f"{name}: character {at}: found {what}, expected what /api/v1/query_range answers. "
        "Ask Prometheus again."
    )


def _tables(
    name: str, series: list[tuple[dict[str, str], _Samples]], warnings: tuple[str, ...]
) -> list[CounterTable]:
    differing = _differing([labels for labels, _ in series])
    by_element: dict[str, dict[str, list[_Samples]]] = {}
    for labels, samples in series:
        key = next((label for label in ELEMENT_LABELS if label in labels), "")
        column = column_name(labels, differing - {key})
        by_element.setdefault(labels.get(key, ""), {}).setdefault(column, []).append(samples)
    tables = []
    for element, columns in by_element.items():
        if len(columns) > MAX_COLUMNS:
            raise CaptureError(
                f"{name}: {element!r} has {len(columns)} series, expected at most {MAX_COLUMNS}. "
                "Aggregate in the query, such as sum by (instance) (...)."
            )
        tables.append(_table(name, element, columns, warnings))
        warnings = ()
    return tables


def _differing(labels: list[dict[str, str]]) -> set[str]:
    """Return the labels that do not have the same value in all series."""
    names = {key for one in labels for key in one} - {"__name__"}
    return {key for key in names if len({one.get(key) for one in labels}) > 1}


def column_name(labels: Mapping[str, str], told: set[str]) -> str:
    """Write a metric with some of its labels as Prometheus does: ``name{code="200"}``."""
    name = labels.get("__name__", "value")
    inner = ",".join(f'{key}="{labels[key]}"' for key in sorted(told) if key in labels)
    return f"{name}{{{inner}}}" if inner else name


def metric_kind(column: str) -> Kind:
    """Return whether a metric is a cumulative counter or a gauge, by its name."""
    return "counter" if _COUNTER.search(column.partition("{")[0]) else "gauge"


def _table(
    name: str, element: str, columns: dict[str, list[_Samples]], warnings: tuple[str, ...]
) -> CounterTable:
    times = np.unique(np.concatenate([t for parts in columns.values() for t, _ in parts]))
    if len(times) * len(columns) > MAX_CELLS:
        raise CaptureError(
            f"{name}: {element!r} has {len(times)} times of {len(columns)} series, expected at "
            f"most {MAX_CELLS} values. Ask for a shorter range, or a longer step."
        )
    values = {}
    for column, parts in columns.items():
        row = np.full(len(times), np.nan)
        for time_ns, numbers in parts:
            row[np.searchsorted(times, time_ns)] = np.where(np.isfinite(numbers), numbers, np.nan)
        values[column] = row
    return CounterTable(
        name=name,
        element=element,
        time_ns=times,
        columns=values,
        kinds={column: metric_kind(column) for column in columns},
        warnings=warnings,
    )
