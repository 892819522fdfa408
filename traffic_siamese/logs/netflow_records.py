"""Flow records laid out by a template, read as columns.

References
----------
IANA, "IPFIX Information Elements", which NetFlow version 9 shares up to element 127.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.logs.flows import Flows, protocol_marks, tcp_marks
from traffic_siamese.logs.netflow_sampling import intervals_of

_BYTES, _PACKETS = (1, 85, 231), (2, 86, 298)
_BYTES_BACK, _PACKETS_BACK = (23, 232), (24, 299)
_PROTOCOL, _TCP_FLAGS = (4,), (6,)
_SOURCE, _TARGET = (8, 27), (12, 28)
_FIRST_UPTIME, _LAST_UPTIME, _SYSTEM_START_MS = 22, 21, 160
_ABSOLUTE = {150: 10**9, 151: 10**9, 152: 10**6, 153: 10**6}
_NTP = (154, 155, 156, 157)
_BEFORE_EXPORT_US = (158, 159)
_STARTS, _ENDS = (152, 150, 156, 154, 158), (153, 151, 157, 155, 159)
_DURATION = {161: 10**6, 162: 10**3}
_NTP_EPOCH_S = 2_208_988_800
_LONGEST_NS = 31 * 86_400 * 10**9
_MAX_LENGTH = 65_535


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a template: IANA element, -1 for one not known; length, -1 where it varies."""

    element: int
    length: int


@dataclass(frozen=True)
class Template:
    """How records lie in their bytes."""

    fields: tuple[Field, ...]
    is_options: bool = False

    @cached_property
    def length(self) -> int:
        """Length of a record; -1 where it varies."""
        lengths = [field.length for field in self.fields]
        return -1 if -1 in lengths else sum(lengths)

    @property
    def shortest(self) -> int:
        """Length of the shortest record."""
        return sum(max(field.length, 1) for field in self.fields)


V5_TEMPLATE = Template(
    tuple(
        Field(element, length)
        for element, length in (
            (8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2),
            (11, 2), (-1, 1), (6, 1), (4, 1), (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (-1, 2),
        )
    )
)  # fmt: skip
"""NetFlow version 5 knows one layout only."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Flows as columns, each of shape (n_records,); amounts are NaN where they were not told.

    ``interval`` is of how many packets one was looked at, NaN where the record does not say.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    amounts: dict[str, NDArray[np.float64]]
    protocol: NDArray[np.int64]
    tcp_flags: NDArray[np.int64]
    source: NDArray[np.uint64]
    target: NDArray[np.uint64]
    interval: NDArray[np.float64]

    def scaled(self, stated: float) -> Records:
        """Return them as if all packets had been looked at; ``stated`` is by default one in."""
        factor = np.where(np.isfinite(self.interval), self.interval, stated)
        return replace(self, amounts={name: one * factor for name, one in self.amounts.items()})


class Exported:
    """All records of one exporter."""

    def __init__(self, parts: Sequence[Records]) -> None:
        self._parts = parts

    def flows(self) -> Flows:
        """Return them as flows."""
        start, end, protocol, flags, source, target = (
            np.concatenate([getattr(part, name) for part in self._parts])
            for name in ("start_ns", "end_ns", "protocol", "tcp_flags", "source", "target")
        )
        amounts = {
            name: np.concatenate([part.amounts[name] for part in self._parts])
            for name in self._parts[0].amounts
        }
        told = {name: a for name, a in amounts.items() if np.isfinite(a).any()}
        marks = protocol_marks(protocol) | tcp_marks(flags, protocol)
        return Flows(start, end, told, marks, {"sources": source, "targets": target})


def read_records(
    template: Template, body: bytes, exported_ns: int, uptime_ms: int | None
) -> Records | None:
    """Read the records of a set.

    Parameters
    ----------
    template : Template
    body : bytes
        The set without its header; up to three bytes of padding may follow.
    exported_ns : int
        When the message was exported.
    uptime_ms : int, optional
        How long the exporter had run then; its flows' times may count from its start.

    Returns
    -------
    Records or None
        None where the set cannot be laid out so, or holds no whole record.
    """
    fields = _columns(template, body)
    if fields is None:
        return None
    n = next((len(column) for column in fields.values()), 0)
    if not n:
        return None
    start, end = _times(fields, n, exported_ns, uptime_ms)
    amounts = {
        "bytes": _first(fields, _BYTES, n),
        "packets": _first(fields, _PACKETS, n),
        "bytes_back": _first(fields, _BYTES_BACK, n),
        "packets_back": _first(fields, _PACKETS_BACK, n),
    }
    protocol, flags = (
        # A damaged template may make these 64 bits wide.
        np.clip(np.nan_to_num(_first(fields, names, n)), 0, 0xFFFF).astype(np.int64)
        for names in (_PROTOCOL, _TCP_FLAGS)
    )
    source, target = (_key(fields, names, n) for names in (_SOURCE, _TARGET))
    intervals = intervals_of(fields, n)
    return Records(start, end, amounts, protocol, flags, source, target, intervals)


def read_intervals(template: Template, body: bytes) -> set[float]:
    """Return the sampling intervals that a set of options states."""
    fields = _columns(template, body) or {}
    n = next((len(column) for column in fields.values()), 0)
    stated = intervals_of(fields, n)
    return set(stated[np.isfinite(stated)].tolist())


def _columns(template: Template, body: bytes) -> dict[int, NDArray[np.uint64]] | None:
    """Return the whole numbers of each element, shape (n_records,); long fields are hashed."""
    if template.length == 0 or template.shortest > _MAX_LENGTH:
        return None
    if template.length > 0:
        n = len(body) // template.length
        rows = np.frombuffer(body, np.uint8, n * template.length).reshape(n, template.length)
        found, at = {}, 0
        for field in template.fields:
            found[field.element] = _whole(rows[:, at : at + field.length])
            at += field.length
        return found
    return _varying(template, body)


def _varying(template: Template, body: bytes) -> dict[int, NDArray[np.uint64]] | None:
    """Read records with fields of varying length (RFC 7011 section 7), one by one."""
    found: dict[int, list[int]] = {field.element: [] for field in template.fields}
    at = 0
    while len(body) - at >= template.shortest:
        for field in template.fields:
            length = field.length
            if length < 0:
                length, at = (body[at], at + 1) if at < len(body) else (_MAX_LENGTH, at)
                if length == 255 and at + 2 <= len(body):
                    length, at = int.from_bytes(body[at : at + 2]), at + 2
            if at + length > len(body):
                return None
            row = np.frombuffer(body, np.uint8, length, at).reshape(1, length)
            found[field.element].append(int(_whole(row)[0]))
            at += length
    return {element: np.array(values, np.uint64) for element, values in found.items()}


def _whole(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Read big-endian numbers of up to 8 bytes, shape (n,); longer fields become a hash."""
    out = np.zeros(len(rows), np.uint64)
    factor = np.uint64(256 if rows.shape[1] <= 8 else 0x100000001B3)
    for column in range(rows.shape[1]):
        out = out * factor + rows[:, column]
    return out


def _first(
    fields: dict[int, NDArray[np.uint64]], elements: tuple[int, ...], n: int
) -> NDArray[np.float64]:
    found = next((fields[one] for one in elements if one in fields), None)
    return np.full(n, np.nan) if found is None else found.astype(np.float64)


def _key(
    fields: dict[int, NDArray[np.uint64]], elements: tuple[int, ...], n: int
) -> NDArray[np.uint64]:
    found = next((fields[one] for one in elements if one in fields), None)
    return np.zeros(n, np.uint64) if found is None else found


def _times(
    fields: dict[int, NDArray[np.uint64]], n: int, exported_ns: int, uptime_ms: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last packet's time, by the best that the record tells."""
    start, end = (_absolute(fields, names, exported_ns) for names in (_STARTS, _ENDS))
    if start is None and _FIRST_UPTIME in fields:
        start = _since_start(fields, _FIRST_UPTIME, exported_ns, uptime_ms)
    if end is None and _LAST_UPTIME in fields:
        end = _since_start(fields, _LAST_UPTIME, exported_ns, uptime_ms)
    lasted = next(
        (_clipped(fields[one]) * unit for one, unit in _DURATION.items() if one in fields), None
    )
    if end is None:
        end = np.full(n, exported_ns) if start is None or lasted is None else start + lasted
    if start is None:
        start = end if lasted is None else end - lasted
    return start, np.clip(end, start, start + _LONGEST_NS)


def _clipped(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.minimum(numbers, np.uint64(2_678_400_000)).astype(np.int64)


def _absolute(
    fields: dict[int, NDArray[np.uint64]], elements: tuple[int, ...], exported_ns: int
) -> NDArray[np.int64] | None:
    element = next((one for one in elements if one in fields), None)
    if element is None:
        return None
    numbers = fields[element]
    if element in _BEFORE_EXPORT_US:
        return exported_ns - numbers.astype(np.int64) * 1000
    if element in _NTP:
        seconds = (numbers >> np.uint64(32)).astype(np.int64) - _NTP_EPOCH_S
        part = (numbers & np.uint64(0xFFFFFFFF)).astype(np.float64) / 2**32
        return seconds * 10**9 + np.rint(part * 1e9).astype(np.int64)
    limit = np.uint64(9_000_000_000 * 10**9 // _ABSOLUTE[element])
    return np.minimum(numbers, limit).astype(np.int64) * _ABSOLUTE[element]


def _since_start(
    fields: dict[int, NDArray[np.uint64]], element: int, exported_ns: int, uptime_ms: int | None
) -> NDArray[np.int64]:
    """Turn milliseconds since the exporter's start into times; they wrap every 49.7 days."""
    numbers = fields[element]
    if _SYSTEM_START_MS in fields:
        start_ms = np.minimum(fields[_SYSTEM_START_MS], np.uint64(9_000_000_000_000))
        return (start_ms + numbers).astype(np.int64) * 10**6
    latest = int(fields[_LAST_UPTIME].max()) if _LAST_UPTIME in fields else int(numbers.max())
    now_ms = latest if uptime_ms is None else uptime_ms
    ago_ms = (np.uint64(now_ms & 0xFFFFFFFF) - numbers).astype(np.uint32).astype(np.int32)
    return exported_ns - ago_ms.astype(np.int64) * 10**6
