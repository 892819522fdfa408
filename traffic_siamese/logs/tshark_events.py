"""Packets of which no addresses or no messages are told: events, counted by what they show."""

from __future__ import annotations

import re

import numpy as np

from traffic_siamese.logs.table import CounterTable
from traffic_siamese.logs.told_columns import Texts
from traffic_siamese.logs.told_times import times_of

MAX_VALUES = 32
"""Different values of a field that is counted value by value."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_TIMES = ("frame.time_epoch", "frame.time")
_NAMES_ONE = re.compile(r"frame\.(number|time|cap_len)|\.(src|dst|srcport|dstport|stream|id|seq\w*|"
                        r"ack\w*|len|checksum|payload|window_size\w*)$|Call-ID|branch")  # fmt: skip
"""Fields that number or name single packets or ends: how often each value comes says nothing."""


def event_table(name: str, columns: Texts, warnings: list[str]) -> CounterTable:
    """Count packets, their bytes, and each value of the fields that have few.

    Parameters
    ----------
    name : str
        The log.
    columns : dict of str to list of str
        Values by field.
    warnings : list of str
        What was wrong with the log.

    Returns
    -------
    CounterTable
        A row for each packet, all columns events: ``packets``, ``bytes`` where ``frame.len`` is
        told, and ``field=value``.

    Raises
    ------
    CaptureError
        If no row has a readable time.
    """
    time_name = next(one for one in _TIMES if one in columns)
    time_ns, known = times_of(name, columns[time_name], column=time_name)
    counted = {"packets": np.ones(len(time_ns))}
    if "frame.len" in columns:
        texts = columns["frame.len"]
        counted["bytes"] = np.array(
            [float(text) if _NUMBER.fullmatch(text) else 0.0 for text in texts]
        )
    for field, texts in columns.items():
        values = set(texts) - {""}
        if values and len(values) <= MAX_VALUES and not _NAMES_ONE.search(field):
            array = np.array(texts, np.str_)
            counted |= {f"{field}={v[:64]}": (array == v).astype(float) for v in sorted(values)}
    if not known.all():
        warnings = [*warnings, f"{name}: {int((~known).sum())} rows have no time; left out."]
    return CounterTable(
        name=name,
        element="",
        time_ns=time_ns[known],
        columns={key: column[known] for key, column in counted.items()},
        kinds=dict.fromkeys(counted, "event"),
        granularity_s=1.0,
        warnings=tuple(warnings),
    )
