"""Packets as columns: one array per header field, one row per packet."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.native import kernel, pointer

FRAGMENT = 1
LATER_FRAGMENT = 2
TRUNCATED = 4
MALFORMED = 8
REASSEMBLED = 16

ENCAPSULATIONS = (
    "vlan",
    "mpls",
    "pppoe",
    "ppp",
    "gre",
    "ip_in_ip",
    "gtp_u",
    "vxlan",
    "geneve",
    "teredo",
)
"""Names of the bits of ``PacketChunk.encapsulation``, from the lowest."""

UInt8Array = NDArray[np.uint8]
UInt16Array = NDArray[np.uint16]
UInt32Array = NDArray[np.uint32]
UInt64Array = NDArray[np.uint64]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PacketChunk:
    """Consecutive packets of a capture, in file order.

    Every column but ``data`` has shape (n_packets,) and stays valid; a field that the packet does
    not have is 0.

    Attributes
    ----------
    data : ndarray of uint8
        The bytes that the offsets point into; overwritten when the next chunk is read.
    time_ns : ndarray of int64
        Capture time, nanoseconds since the Unix epoch, UTC.
    captured_bytes, wire_bytes : ndarray of uint32
        Bytes of the frame in the capture, and on the wire.
    offset : ndarray of int64
        Where the frame starts in ``data``.
    link_type : ndarray of uint16
        LINKTYPE number of the frame's outermost header.
    ip_version : ndarray of uint8
        4, 6, or 0 where no IP header was found.
    ip_protocol : ndarray of uint8
        IANA protocol number, behind any IPv6 extension headers.
    flags : ndarray of uint8
        Sum of ``FRAGMENT`` (any IP fragment), ``LATER_FRAGMENT`` (not the first), ``TRUNCATED``
        (captured less than was on the wire), ``MALFORMED`` (headers that did not fit into the
        captured bytes or contradict each other), ``REASSEMBLED`` (completed a fragmented datagram,
        whose payload, and whose ports where it is a later fragment, it then has).
    src_key, dst_key : ndarray of uint64
        Hash of the IP address.
    src_port, dst_port : ndarray of uint16
        Ports of TCP, UDP and SCTP.
    tcp_flags : ndarray of uint8
        The TCP flags byte, FIN in the lowest bit.
    tcp_seq, tcp_ack : ndarray of uint32
        TCP sequence and acknowledgement numbers.
    icmp_type, icmp_code : ndarray of uint8
        Of ICMP and ICMPv6.
    payload_offset : ndarray of int64
        Where the payload starts in ``data``; the frame's start where there is none.
    payload_bytes : ndarray of uint32
        Captured payload behind the UDP, TCP, SCTP (12 bytes) or ICMP (8 bytes) header. Padding
        behind the IP packet is not payload. 0 for later fragments and malformed headers.
    payload_wire_bytes : ndarray of uint32
        The same as it was on the wire.
    fragment_id : ndarray of uint32
        Equal in the fragments of one datagram; 0 in whole ones.
    encapsulation : ndarray of uint16
        What the IP packet was wrapped in, a bit for each of ``ENCAPSULATIONS``.

    Notes
    -----
    Of packets inside packets (GRE, IP in IP, GTP-U, VXLAN, Geneve, Teredo, MPLS, PPPoE) the columns
    describe the innermost IP packet, as far as it was captured; ``captured_bytes`` and
    ``wire_bytes`` stay those of the whole frame.
    """

    data: UInt8Array
    time_ns: Int64Array
    captured_bytes: UInt32Array
    wire_bytes: UInt32Array
    offset: Int64Array
    link_type: UInt16Array
    ip_version: UInt8Array
    ip_protocol: UInt8Array
    flags: UInt8Array
    src_key: UInt64Array
    dst_key: UInt64Array
    src_port: UInt16Array
    dst_port: UInt16Array
    tcp_flags: UInt8Array
    tcp_seq: UInt32Array
    tcp_ack: UInt32Array
    icmp_type: UInt8Array
    icmp_code: UInt8Array
    payload_offset: Int64Array
    payload_bytes: UInt32Array
    payload_wire_bytes: UInt32Array
    fragment_id: UInt32Array
    encapsulation: UInt16Array

    def __len__(self) -> int:
        return len(self.time_ns)


_RECORD_COLUMNS = ("offset", "captured_bytes", "wire_bytes", "link_type", "time_ns")
_DECODED: tuple[tuple[str, type[np.generic]], ...] = (
    ("ip_version", np.uint8),
    ("ip_protocol", np.uint8),
    ("flags", np.uint8),
    ("src_key", np.uint64),
    ("dst_key", np.uint64),
    ("src_port", np.uint16),
    ("dst_port", np.uint16),
    ("tcp_flags", np.uint8),
    ("tcp_seq", np.uint32),
    ("tcp_ack", np.uint32),
    ("icmp_type", np.uint8),
    ("icmp_code", np.uint8),
    ("payload_offset", np.int64),
    ("payload_bytes", np.uint32),
    ("payload_wire_bytes", np.uint32),
    ("fragment_id", np.uint32),
    ("encapsulation", np.uint16),
)


class _Columns(ctypes.Structure):
    """Mirror of ``ts_packet_columns`` in native/decode.h."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in (*_RECORD_COLUMNS, *(name for name, _ in _DECODED))
    )


class _Arena(ctypes.Structure):
    """Mirror of ``ts_arena`` in native/decode.h."""

    _fields_ = (
        ("fragments", ctypes.c_void_p),
        ("room", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
    )


kernel.ts_decode_packets.restype = None
kernel.ts_decode_packets.argtypes = (
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.POINTER(_Columns),
    ctypes.POINTER(_Arena),
)
kernel.ts_fragments_new.restype = ctypes.c_void_p
kernel.ts_fragments_new.argtypes = ()
kernel.ts_fragments_free.restype = None
kernel.ts_fragments_free.argtypes = (ctypes.c_void_p,)
kernel.ts_fragments_max_bytes.restype = ctypes.c_uint64
kernel.ts_fragments_max_bytes.argtypes = ()


@dataclass(frozen=True, slots=True, eq=False)
class RecordColumns:
    """What a capture file says about each packet before any header is decoded."""

    time_ns: Int64Array
    offset: Int64Array
    captured_bytes: UInt32Array
    wire_bytes: UInt32Array
    link_type: UInt16Array


class Fragments:
    """IP fragments that wait for the rest of their datagram, from one buffer to the next.

    At most 1.5 MiB wait, for at most 30 s of capture time; beyond that they stay fragments.
    """

    max_bytes = int(kernel.ts_fragments_max_bytes())
    """How much room completed datagrams may take, beside as much as the packets do."""

    def __init__(self) -> None:
        self.address: int | None = kernel.ts_fragments_new()
        if not self.address:
            raise MemoryError("no memory for the table of fragments")

    def close(self) -> None:
        """Forget them all."""
        kernel.ts_fragments_free(self.address)
        self.address = None

    def __del__(self) -> None:
        self.close()


def decode_packets(
    data: UInt8Array, records: RecordColumns, *, fragments: Fragments, free_from: int
) -> PacketChunk:
    """Decode link to transport headers of packets in a buffer.

    Parameters
    ----------
    data : ndarray of uint8, C-contiguous
        The buffer that holds every frame whole.
    records : RecordColumns
        Where each frame lies; trusted to lie inside ``data``.
    fragments : Fragments
        What earlier buffers left; updated.
    free_from : int
        From here on ``data`` holds nothing of use: the room for datagrams put together.

    Returns
    -------
    PacketChunk
        One row per record.

    References
    ----------
    RFC 791 (IPv4), RFC 8200 (IPv6), RFC 768 (UDP), RFC 9293 (TCP), RFC 9260 (SCTP), RFC 792 and
    RFC 4443 (ICMP); those of link layers and tunnels stand in native/link.c, framing.c, tunnel.c.
    """
    n = len(records.time_ns)
    decoded = {name: np.empty(n, dtype) for name, dtype in _DECODED}
    columns = _Columns()
    for name in _RECORD_COLUMNS:
        setattr(columns, name, getattr(records, name).ctypes.data)
    for name, array in decoded.items():
        setattr(columns, name, array.ctypes.data)
    room = data[free_from:]
    arena = _Arena(fragments.address, room.ctypes.data, len(room))
    kernel.ts_decode_packets(pointer(data), n, ctypes.byref(columns), ctypes.byref(arena))
    return PacketChunk(
        data=data,
        time_ns=records.time_ns,
        captured_bytes=records.captured_bytes,
        wire_bytes=records.wire_bytes,
        offset=records.offset,
        link_type=records.link_type,
        **decoded,
    )
