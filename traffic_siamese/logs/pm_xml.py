"""Performance measurements of 3GPP networks: XML files of TS 32.435 and TS 28.532.

A file holds, for each measured object (a cell, a function), what was counted in a granularity
period. The two formats differ in a few names only.

References
----------
3GPP TS 32.435 clause 4 (XML file format) and annex A (schema); TS 28.532 clause 11.3.2.1.4 and
annex A.5 (measDataFile); TS 32.401 clause 5.2.3 (cumulative counter, gauge; the suspect flag).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from xml.parsers import expat

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.pm_rows import Measurements
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.times import parse_time

_MAX_DEPTH = 32
_MAX_TEXT = 1 << 20
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
_TEXTS = frozenset({"measType", "measTypes", "measResults", "r", "suspect"})
_ROOTS = (b"<measCollecFile", b"<measDataFile", b"measCollecFile", b"measDataFile")


def is_pm_xml(head: bytes) -> bool:
    """Tell whether a file starts as 3GPP measurements do."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"<") and any(root in start for root in _ROOTS)


def read_pm_xml(name: str, pieces: Iterable[bytes]) -> tuple[list[CounterTable], list[str]]:
    """Read one measurement file.

    Parameters
    ----------
    name : str
        The log's name in messages.
    pieces : iterable of bytes
        The file, in pieces of any size.

    Returns
    -------
    tables : list of CounterTable
        One for each measured object, a row for each granularity period. A value that its network
        element calls suspect is missing; a value that is a list becomes a column for each of its
        items.
    warnings : list of str

    Raises
    ------
    CaptureError
        If it is no well-formed XML, has a document type or entities, states times that are none,
        or holds no measurement.
    """
    reader = parse_pm_xml(name, pieces)
    tables = reader.rows.tables()
    return tables, reader.rows.warnings(reader.n_guessed_periods)


def parse_pm_xml(name: str, pieces: Iterable[bytes]) -> PmReader:
    """Read one measurement file, whose tables are made later; see `read_pm_xml`."""
    reader = PmReader(name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    reader.line = lambda: parser.CurrentLineNumber
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as err:
        what = expat.ErrorString(err.code)
        raise CaptureError(
            f"{name}:{err.lineno}: is no well-formed XML ({what}, column {err.offset}), expected "
            "3GPP measurements (TS 32.435 or TS 28.532). Copy the file again from its origin."
        ) from err
    return reader


class PmReader:
    """Follows the elements of a file; expat calls it.

    Attributes
    ----------
    name : str
    rows : Measurements
        What was measured.
    n_guessed_periods : int
        Granularity periods that do not say how long they are.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = Measurements(name)
        self.line: Callable[[], int] = int
        self._depth = 0
        self._text: list[str] | None = None
        self._n_text = 0
        self._managed = ""
        self._place = ""
        self.n_guessed_periods = 0
        self._start_info("")

    def _start_info(self, info: str) -> None:
        self._info = info
        self._names: dict[str, str] = {}
        self._period: tuple[int, int] | None = None
        self._end_text = self._repeat_text = ""
        self._granularity_text: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise CaptureError(
                f"{self.name}:{self.line()}: elements nested {self._depth} deep, expected at most "
                f"{_MAX_DEPTH}. This is no file of 3GPP measurements."
            )
        tag = tag.rpartition(":")[2]
        if tag in ("managedElement", "measEntity"):
            self._managed = attributes.get("localDn", "")
        elif tag == "measInfo":
            self._start_info(attributes.get("measInfoId", ""))
        elif tag == "job":
            self._info = self._info or f"job {attributes.get('jobId', '')}"
        elif tag == "granPeriod":
            self._end_text = attributes.get("endTime", "")
            self._granularity_text = attributes.get("duration", "")
        elif tag == "repPeriod":
            self._repeat_text = attributes.get("duration", "")
        elif tag == "measValue":
            self._start_value(attributes.get("measObjLdn", ""))
        elif tag in _TEXTS:
            self._place = attributes.get("p", "")
            self._text, self._n_text = [], 0

    def _start_value(self, element: str) -> None:
        if self._period is None:
            self._period = self._read_period()
        self._element = element
        self._results: list[tuple[str, str]] = []
        self._suspect = False

    def text(self, data: str) -> None:
        """Take a part of an element's text."""
        if self._text is None:
            return
        self._n_text += len(data)
        if self._n_text > _MAX_TEXT:
            raise CaptureError(
                f"{self.name}:{self.line()}: a text of more than {_MAX_TEXT} characters, expected "
                "a measurement's name or values. The file is damaged."
            )
        self._text.append(data)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._depth -= 1
        tag = tag.rpartition(":")[2]
        if tag == "measValue":
            self._end_value()
        if self._text is None or tag not in _TEXTS:
            return
        text, self._text = "".join(self._text).strip(), None
        if tag == "measType":
            self._names[self._place or str(len(self._names) + 1)] = text
        elif tag == "measTypes":
            self._names |= {str(i): word for i, word in enumerate(text.split(), 1)}
        elif not hasattr(self, "_results"):
            return
        elif tag == "r":
            self._results.append((self._place or str(len(self._results) + 1), text))
        elif tag == "measResults":
            self._results += [(str(i), word) for i, word in enumerate(text.split(), 1)]
        else:
            self._suspect = text.lower() in ("true", "1")

    def _end_value(self) -> None:
        if not hasattr(self, "_results") or self._period is None:
            return
        row = self.rows.row(self._managed, self._element, self._period)
        for place, text in self._results:
            measured = self._names.get(place)
            if measured is None:
                raise CaptureError(
                    f"{self.name}:{self.line()}: {self._element!r} has a value at place {place}, "
                    f"expected one of the {len(self._names)} that measInfo {self._info!r} names. "
                    "The file is damaged."
                )
            self.rows.add(row, (self._info, measured), text, suspect=self._suspect)
        del self._results

    def _read_period(self) -> tuple[int, int]:
        """Return start and end of the granularity period, nanoseconds since the epoch."""
        try:
            end_ns = parse_time(self._end_text)
        except ValueError as err:
            raise CaptureError(
                f"{self.name}:{self.line()}: granPeriod ends at {self._end_text!r}, expected a "
                "time such as 2026-01-31T14:15:00+02:00. Correct it, or export the file again."
            ) from err
        seconds = duration_s(self._granularity_text or "")
        if seconds is None:
            seconds = duration_s(self._repeat_text)
            self.n_guessed_periods += 1
        if seconds is None:
            raise CaptureError(
                f"{self.name}:{self.line()}: granPeriod lasts {self._granularity_text!r}, expected "
                "a duration such as PT900S. Correct it, or export the file again."
            )
        return end_ns - round(seconds * 1e9), end_ns

    def refuse(self, *_: object) -> None:
        """Refuse a document type: entities can blow a small file up, and read other files."""
        raise CaptureError(
            f"{self.name}:{self.line()}: has a document type or entities, expected XML without. "
            "They are never needed in 3GPP measurements; remove the <!DOCTYPE ...>."
        )


def duration_s(text: str) -> float | None:
    """Read an ISO 8601 duration of days, hours, minutes, seconds; None if it is none, or zero."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return total if 0 < total <= 366 * 86_400 and math.isfinite(total) else None
