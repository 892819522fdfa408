"""A capture of what routers export: read as flows rather than as traffic of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from ipaddress import ip_address
from typing import BinaryIO

import numpy as np

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.captures.reader import CaptureStats, PacketReader, read_packets
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.flows import flow_table
from traffic_siamese.logs.netflow import FlowCollector, is_netflow
from traffic_siamese.logs.table import CounterTable

_UDP = 17
_UDP_HEADER = 8
_SOURCE_BEFORE = {4: (16, 4), 6: (40, 16)}
"""By IP version: how far before the payload of a UDP datagram its source address stands (without
options or extension headers), and how long it is."""


def is_netflow_capture(head: bytes) -> bool:
    """Tell whether most UDP datagrams at the start of a capture are flow exports."""
    n_datagrams = n_exports = 0
    try:
        with read_packets(io.BytesIO(head)) as reader:
            for chunk in reader:
                n_datagrams += int(np.count_nonzero(chunk.ip_protocol == _UDP))
                n_exports += sum(1 for _ in _exports(chunk))
    except CaptureError:
        pass
    return n_exports > 0 and 2 * n_exports >= n_datagrams


def read_netflow_capture(
    source: BinaryIO, *, bin_s: float = 1.0
) -> tuple[list[CounterTable], CaptureStats]:
    """Read the flow records in a capture.

    Parameters
    ----------
    source : binary file
        A capture.
    bin_s : float, > 0
        Length of a bin in seconds.

    Returns
    -------
    tables : list of CounterTable
        One for each exporter, named by its address where there are several.
    stats : CaptureStats
        Of the packets that carried them.

    Raises
    ------
    CaptureError
        If it holds no record, or cannot be read.
    """
    collector = FlowCollector()
    with read_packets(source) as reader:
        damage = _collect(reader, collector)
        stats = reader.stats
    name = stats.name
    flows = {exporter: found.flows() for exporter, found in collector.finish().items()}
    if not flows:
        raise CaptureError(
            f"{name}: {collector.n_messages} flow exports hold no readable record"
            f"{_missing(collector)}. Capture longer: exporters repeat their templates every few "
            "minutes."
        )
    warnings = [*stats.warnings, *damage]
    if collector.n_without_template or collector.n_damaged:
        warnings.append(f"{name}: some flow records could not be read{_missing(collector)}.")
    if collector.has_several_intervals:
        warnings.append(
            f"{name}: an exporter states several sampling intervals, and not which flow is of "
            "which; its packets and bytes are taken as they are."
        )
    tables = [
        flow_table(
            name, one, bin_s=bin_s, element=_address(exporter) if len(flows) > 1 else "",
            warnings=tuple(warnings) if not i else (),
        )
        for i, (exporter, one) in enumerate(flows.items())
    ]  # fmt: skip
    return tables, stats


def _collect(reader: PacketReader, collector: FlowCollector) -> list[str]:
    try:
        for chunk in reader:
            for i, payload in _exports(chunk):
                exporter = _exporter(chunk, i)
                collector.add(payload, exporter=exporter, time_ns=int(chunk.time_ns[i]))
    except CaptureError as err:
        if not reader.stats.n_packets:
            raise
        return [str(err)]
    return []


def _exports(chunk: PacketChunk) -> Iterator[tuple[int, bytes]]:
    """Yield the packets that are whole flow exports, and their payloads."""
    is_udp = (chunk.ip_protocol == _UDP) & (chunk.payload_bytes >= 16)
    whole = chunk.payload_bytes == chunk.payload_wire_bytes
    offsets = chunk.payload_offset
    rows = np.flatnonzero(is_udp & whole)
    at = offsets[rows]
    is_version = (chunk.data[at] == 0) & np.isin(chunk.data[at + 1], (5, 9, 10))
    for i in rows[is_version].tolist():
        payload = chunk.data[offsets[i] : offsets[i] + int(chunk.payload_bytes[i])].tobytes()
        if is_netflow(payload):
            yield i, payload


def _exporter(chunk: PacketChunk, i: int) -> bytes:
    before, length = _SOURCE_BEFORE[int(chunk.ip_version[i])]
    start = int(chunk.payload_offset[i]) - before
    return chunk.data[max(start, 0) : max(start, 0) + length].tobytes()


def _address(exporter: bytes) -> str:
    return str(ip_address(exporter))


def _missing(collector: FlowCollector) -> str:
    parts = []
    if collector.n_without_template:
        parts.append(f"{collector.n_without_template} sets whose template was not captured")
    if collector.n_damaged:
        parts.append(f"{collector.n_damaged} damaged sets")
    return f" ({', '.join(parts)})" if parts else ""
