"""Write alarms to a file or to standard output, in the form that another system takes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from traffic_siamese.noc.alarm import Alarm
from traffic_siamese.noc.alarm_rows import csv_head, csv_line, json_line
from traffic_siamese.noc.alertmanager import alertmanager_alert
from traffic_siamese.noc.syslog import syslog_message
from traffic_siamese.noc.tmf642 import tmf642_alarm
from traffic_siamese.noc.ves import ves_event
from traffic_siamese.tables import STDOUT, telling

Items = Callable[[Alarm, str], list[str]]


@dataclass(frozen=True, slots=True)
class _Form:
    """What stands before, between and after items, and what the items of an alarm are."""

    items: Items
    head: str = ""
    between: str = ""
    tail: str = ""


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


_FORMS = {
    "tmf642": _Form(
        lambda alarm, reporter: [_json(tmf642_alarm(one, reporter)) for one in alarm.notices()],
        *("[\n", ",\n", "\n]\n"),
    ),
    "ves": _Form(
        lambda alarm, reporter: [_json(ves_event(one, reporter)) for one in alarm.notices()],
        *('{"eventList": [\n', ",\n", "\n]}\n"),
    ),
    "alertmanager": _Form(
        lambda alarm, reporter: [_json(alertmanager_alert(alarm))],
        *("[\n", ",\n", "\n]\n"),
    ),
    "syslog": _Form(
        lambda alarm, reporter: [syslog_message(one, reporter) + "\n" for one in alarm.notices()]
    ),
    "jsonl": _Form(lambda alarm, reporter: [json_line(one) for one in alarm.notices()]),
    "csv": _Form(
        lambda alarm, reporter: [csv_line(one) for one in alarm.notices()], head=csv_head()
    ),
}
ALARM_FORMATS = tuple(_FORMS)
_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".log": "syslog"}
_SUFFIXES |= {".syslog": "syslog"}


def alarm_format(target: str) -> str:
    """Return the format that a file's name tells; of standard output, JSON lines.

    Raises
    ------
    ValueError
        If the name tells none.
    """
    if target == STDOUT:
        return "jsonl"
    path = Path(target.lower())
    words = re.split("[^a-z0-9]+", path.stem)
    for name in ("tmf642", "ves", "alertmanager"):
        if path.suffix == ".json" and name in words:
            return name
    if path.suffix in _SUFFIXES:
        return _SUFFIXES[path.suffix]
    raise ValueError(
        f"{target!r} does not tell the format, expected one of {', '.join(ALARM_FORMATS)}. "
        "Say it with --alarm-format."
    )


class AlarmFile:
    """A file of alarms that is being written, until it is closed.

    A file is whole after every ``write``, JSON too: its end is written again each time. On
    standard output and in pipes the end comes with ``close``.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output; an existing file is replaced.
    form : str
        One of ``ALARM_FORMATS``.
    reporter : str
        Name of the machine that tells it.

    Raises
    ------
    TrafficSiameseError
        If the file cannot be written; also from ``write`` and ``close``.
    """

    def __init__(self, target: str, *, form: str, reporter: str) -> None:
        self._form, self._reporter, self._name = _FORMS[form], reporter, target
        self._file: BinaryIO | None = None
        self._end, self._empty = 0, True
        with telling(self._place):
            if target != STDOUT:
                self._file = open(target, "wb")  # noqa: SIM115 (closed with the alarms)
            self._whole = self._file is not None and self._file.seekable()
            self._append(self._form.head)

    @property
    def _place(self) -> str:
        return "standard output" if self._name == STDOUT else self._name

    def write(self, alarms: Iterable[Alarm]) -> None:
        """Append what is to be told of alarms: that they are raised, that they cleared."""
        items = [item for alarm in alarms for item in self._form.items(alarm, self._reporter)]
        if not items:
            return
        before = "" if self._empty else self._form.between
        self._empty = False
        with telling(self._place):
            self._append(before + self._form.between.join(items))

    def close(self) -> None:
        """Finish the file."""
        with telling(self._place):
            if not self._whole:
                self._put(self._form.tail)
            if self._file:
                self._file.close()

    def _append(self, text: str) -> None:
        if self._whole and self._file:
            self._file.seek(self._end)
            self._end += len(text.encode())
            text += self._form.tail
        self._put(text)

    def _put(self, text: str) -> None:
        if self._file:
            self._file.write(text.encode())
            self._file.flush()
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
