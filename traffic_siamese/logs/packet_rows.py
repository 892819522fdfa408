"""Packets that another tool told of, as the chunks that a capture would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import (
    FRAGMENT,
    LATER_FRAGMENT,
    REASSEMBLED,
    PacketChunk,
)
from traffic_siamese.captures.reader import CaptureStats

_CHUNK_PACKETS = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class PacketRows:
    """Packets as columns, each of shape (n_packets,).

    Attributes
    ----------
    time_ns : ndarray of int64
    wire_bytes : ndarray of int64
    source, target : list of str
        Addresses; empty: no IP packet.
    ports : ndarray of shape (n_packets, 2), int64
        Source and destination.
    protocol : ndarray of int64
        IANA number.
    tcp_flags, tcp_seq, icmp_type : ndarray of int64
    fragment : ndarray of int64
        0 for a whole packet, 1 for a first fragment, 2 for a later one.
    payload : list of bytes
        What is known of the bytes behind the transport header.
    payload_wire_bytes : ndarray of int64
        How long they were on the wire.
    """

    time_ns: NDArray[np.int64]
    wire_bytes: NDArray[np.int64]
    source: list[str]
    target: list[str]
    ports: NDArray[np.int64]
    protocol: NDArray[np.int64]
    tcp_flags: NDArray[np.int64]
    tcp_seq: NDArray[np.int64]
    icmp_type: NDArray[np.int64]
    fragment: NDArray[np.int64]
    payload: list[bytes]
    payload_wire_bytes: NDArray[np.int64]


class RowPackets:
    """Iterate over packets in their order, as `series_of_packets` takes them.

    Attributes
    ----------
    stats : CaptureStats
        Name, format, times and warnings.
    """

    def __init__(self, stats: CaptureStats, rows: PacketRows) -> None:
        self.stats = stats
        self._rows = rows
        stats.n_packets = len(rows.time_ns)
        stats.n_bytes = int(rows.wire_bytes.sum())
        if stats.n_packets:
            stats.first_ns, stats.last_ns = int(rows.time_ns.min()), int(rows.time_ns.max())
            latest = np.maximum.accumulate(rows.time_ns)
            stats.n_out_of_order = int(np.count_nonzero(rows.time_ns < latest))

    def __iter__(self) -> Iterator[PacketChunk]:
        """Yield chunks of bounded size."""
        for first in range(0, len(self._rows.time_ns), _CHUNK_PACKETS):
            yield _chunk(self._rows, slice(first, first + _CHUNK_PACKETS))


def address_keys(addresses: list[str]) -> NDArray[np.uint64]:
    """Hash addresses: equal texts have equal keys; shape (n,), uint64."""
    keys = {one: int.from_bytes(blake2b(one.encode(), digest_size=8).digest()) for one in
            dict.fromkeys(addresses)}  # fmt: skip
    return np.array([keys[one] for one in addresses], np.uint64)


def _chunk(rows: PacketRows, part: slice) -> PacketChunk:
    payload = rows.payload[part]
    sizes = np.array([len(one) for one in payload], np.int64)
    n = len(sizes)
    data = np.frombuffer(b"".join(payload) + b"\0", np.uint8)
    is_ip = np.array([bool(one) for one in rows.source[part]])
    fragment = rows.fragment[part]
    flags = np.where(fragment > 0, FRAGMENT, 0) | np.where(fragment == 2, LATER_FRAGMENT, 0)
    flags |= np.where((fragment > 0) & (sizes > 0), REASSEMBLED, 0)  # the other tool did it
    values: dict[str, Any] = {
        "time_ns": rows.time_ns[part],
        "captured_bytes": sizes,
        "wire_bytes": rows.wire_bytes[part],
        "offset": np.cumsum(sizes) - sizes,
        "link_type": np.full(n, 101),
        "ip_version": np.where(is_ip, 4, 0),
        "ip_protocol": rows.protocol[part],
        "flags": flags,
        "src_key": address_keys(rows.source[part]),
        "dst_key": address_keys(rows.target[part]),
        "src_port": rows.ports[part, 0],
        "dst_port": rows.ports[part, 1],
        "tcp_flags": rows.tcp_flags[part],
        "tcp_seq": rows.tcp_seq[part],
        "tcp_ack": np.zeros(n, np.int64),
        "icmp_type": rows.icmp_type[part],
        "icmp_code": np.zeros(n, np.int64),
        "fragment_id": np.zeros(n, np.int64),
        "encapsulation": np.zeros(n, np.int64),
        "payload_offset": np.cumsum(sizes) - sizes,
        "payload_bytes": sizes,
        "payload_wire_bytes": np.maximum(rows.payload_wire_bytes[part], sizes),
    }
    return PacketChunk(data=data, **{name: _cast(name, column) for name, column in values.items()})


_TYPES: dict[str, Any] = {
    "uint64": ("src_key", "dst_key"),
    "int64": ("time_ns", "offset", "payload_offset"),
    "uint32": (
        "captured_bytes", "wire_bytes", "tcp_seq", "tcp_ack", "payload_bytes",
        "payload_wire_bytes", "fragment_id",
    ),
    "uint16": ("link_type", "encapsulation", "src_port", "dst_port"),
    "uint8": ("ip_version", "ip_protocol", "flags", "tcp_flags", "icmp_type", "icmp_code"),
}  # fmt: skip


def _cast(name: str, column: NDArray[Any]) -> NDArray[Any]:
    dtype = next(dtype for dtype, names in _TYPES.items() if name in names)
    return column.astype(dtype)  # numbers beyond the field's width wrap, as on the wire
