"""Flow records that routers export over UDP: NetFlow version 5 and 9, and IPFIX, in a capture.

A message is known by its version and by lengths that add up, on any port.

References
----------
Cisco, "NetFlow Export Datagram Format" (version 5); RFC 3954 sections 5 to 6 (version 9); RFC 7011
sections 3, 6.1.9 and 7 (IPFIX).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from traffic_siamese.logs.netflow_records import (
    V5_TEMPLATE,
    Exported,
    Field,
    Records,
    Template,
    read_intervals,
    read_records,
)
from traffic_siamese.logs.netflow_sampling import interval_of_v5

MAX_TEMPLATES = 10_000
MAX_WAITING_BYTES = 4 << 20
_VARIABLE = 65535
_MAX_FIELDS = 1000
_V5_HEADER, _V5_RECORD, _V9_HEADER, _IPFIX_HEADER = 24, 48, 20, 16


@dataclass(frozen=True, slots=True)
class _Context:
    """Where a set of records stands: who exported it, when, and what its times count from."""

    exporter: bytes
    domain: int
    exported_ns: int
    uptime_ms: int | None


def is_netflow(payload: bytes) -> bool:
    """Tell whether a datagram is a whole message of NetFlow 5 or 9, or of IPFIX."""
    if len(payload) < _IPFIX_HEADER:
        return False
    version, count = int.from_bytes(payload[:2]), int.from_bytes(payload[2:4])
    if version == 5:
        return 1 <= count <= 30 and len(payload) == _V5_HEADER + _V5_RECORD * count
    if version == 9:
        return count > 0 and _has_whole_sets(payload, _V9_HEADER)
    if version == 10:
        return count == len(payload) and _has_whole_sets(payload, _IPFIX_HEADER)
    return False


def _has_whole_sets(payload: bytes, at: int) -> bool:
    if len(payload) < at + 4:
        return False
    while at + 4 <= len(payload):
        kind, length = struct.unpack_from("!HH", payload, at)
        if length < 4 or at + length > len(payload) or 4 <= kind < 256:
            return False
        at += length
    return len(payload) - at < 4


class FlowCollector:
    """Takes export messages, remembers templates, gathers records.

    Attributes
    ----------
    n_messages, n_without_template, n_damaged : int
        Messages taken; sets of records whose template never came; sets that are damaged.
    has_several_intervals : bool
        Whether an exporter samples in more than one way, and its records do not say in which.
    """

    def __init__(self) -> None:
        self.n_messages = self.n_without_template = self.n_damaged = 0
        self.has_several_intervals = False
        self._templates: dict[tuple[bytes, int, int], Template] = {}
        self._waiting: list[tuple[tuple[bytes, int, int], bytes, _Context]] = []
        self._waiting_bytes = 0
        self._records: dict[bytes, list[tuple[int, Records]]] = {}
        self._intervals: dict[tuple[bytes, int], set[float]] = {}

    def add(self, payload: bytes, *, exporter: bytes, time_ns: int) -> None:
        """Take one message that `is_netflow` knows.

        Parameters
        ----------
        payload : bytes
        exporter : bytes
            Who sent it: templates are its own.
        time_ns : int
            When it was captured.
        """
        self.n_messages += 1
        version = payload[1]
        if version == 5:
            uptime, seconds, nanoseconds = struct.unpack_from("!III", payload, 4)
            domain = int.from_bytes(payload[20:24])  # engine, and how it samples
            context = _Context(exporter, domain, seconds * 10**9 + nanoseconds, uptime)
            self._intervals[exporter, domain] = {interval_of_v5(payload)}
            self._take(V5_TEMPLATE, payload[_V5_HEADER:], context)
            return
        if version == 9:
            uptime, seconds, _, domain = struct.unpack_from("!4I", payload, 4)
            context = _Context(exporter, domain, seconds * 10**9, uptime)
            self._read_sets(payload, _V9_HEADER, context, template_sets=(0, 1))
        else:
            seconds, _, domain = struct.unpack_from("!3I", payload, 4)
            context = _Context(exporter, domain, seconds * 10**9 or time_ns, None)
            self._read_sets(payload, _IPFIX_HEADER, context, template_sets=(2, 3))

    def _read_sets(
        self, payload: bytes, at: int, context: _Context, *, template_sets: tuple[int, int]
    ) -> None:
        while at + 4 <= len(payload):
            kind, length = struct.unpack_from("!HH", payload, at)
            body = payload[at + 4 : at + length]
            at += length
            if kind == template_sets[0]:
                self._read_templates(body, context, is_ipfix=kind == 2)
            elif kind == template_sets[1]:
                self._read_option_templates(body, context, is_ipfix=kind == 3)
            elif kind >= 256:
                self._read_data((context.exporter, context.domain, kind), body, context)

    def _read_templates(self, body: bytes, context: _Context, *, is_ipfix: bool) -> None:
        at = 0
        while at + 4 <= len(body):
            number, n_fields = struct.unpack_from("!HH", body, at)
            if number < 256:  # padding
                return
            found = _fields(body, at + 4, n_fields, is_ipfix=is_ipfix)
            if found is None:
                self.n_damaged += 1
                return
            fields, at = found
            self._learn((context.exporter, context.domain, number), Template(fields))

    def _read_option_templates(self, body: bytes, context: _Context, *, is_ipfix: bool) -> None:
        at = 0
        while at + 6 <= len(body):
            number, first, second = struct.unpack_from("!3H", body, at)
            if number < 256:
                return
            n_fields = first if is_ipfix else (first + second) // 4
            found = _fields(body, at + 6, n_fields, is_ipfix=is_ipfix)
            if found is None:
                self.n_damaged += 1
                return
            fields, at = found
            key = (context.exporter, context.domain, number)
            self._learn(key, Template(fields, is_options=True))

    def _learn(self, key: tuple[bytes, int, int], template: Template) -> None:
        if len(self._templates) >= MAX_TEMPLATES and key not in self._templates:
            self._templates.pop(next(iter(self._templates)))
        self._templates[key] = template
        mine = [one for one in self._waiting if one[0] == key]
        if mine:
            self._waiting = [one for one in self._waiting if one[0] != key]
            self._waiting_bytes -= sum(len(body) for _, body, _ in mine)
        for _, body, context in mine:
            self._take(template, body, context)

    def _read_data(self, key: tuple[bytes, int, int], body: bytes, context: _Context) -> None:
        template = self._templates.get(key)
        if template is not None:
            self._take(template, body, context)
        elif self._waiting_bytes + len(body) <= MAX_WAITING_BYTES:
            self._waiting.append((key, body, context))
            self._waiting_bytes += len(body)
        else:
            self.n_without_template += 1

    def _take(self, template: Template, body: bytes, context: _Context) -> None:
        if template.is_options:
            stated = self._intervals.setdefault((context.exporter, context.domain), set())
            stated |= read_intervals(template, body)
            return
        records = read_records(template, body, context.exported_ns, context.uptime_ms)
        if records is None:
            self.n_damaged += 1
        else:
            self._records.setdefault(context.exporter, []).append((context.domain, records))

    def finish(self) -> dict[bytes, Exported]:
        """Return the flows of each exporter, as if every packet had been looked at."""
        self.n_without_template += len(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        return {
            exporter: Exported([one.scaled(self._stated(exporter, of)) for of, one in parts])
            for exporter, parts in self._records.items()
        }

    def _stated(self, exporter: bytes, domain: int) -> float:
        """Return the sampling interval that options state; 1 where they state none, or several."""
        stated = self._intervals.get((exporter, domain), set())
        self.has_several_intervals |= len(stated) > 1
        return next(iter(stated)) if len(stated) == 1 else 1.0


def _fields(
    body: bytes, at: int, n_fields: int, *, is_ipfix: bool
) -> tuple[tuple[Field, ...], int] | None:
    """Read the fields of a template; None where they do not fit, or there are too many."""
    if n_fields > _MAX_FIELDS:
        return None
    fields = []
    for _ in range(n_fields):
        if at + 4 > len(body):
            return None
        element, length = struct.unpack_from("!HH", body, at)
        at += 4
        if is_ipfix and element & 0x8000:  # an enterprise's own element
            element, at = -1, at + 4
        fields.append(Field(element, -1 if length == _VARIABLE and is_ipfix else length))
    return (tuple(fields), at) if at <= len(body) else None
