"""Packets as bytes: headers of many packets at once, with lengths and checksums, in pcap records.

References
----------
RFC 791, RFC 8200 (IP), RFC 768 (UDP), RFC 9293 and RFC 7323 (TCP and its options), RFC 1071
(checksums), RFC 9260 section 3.1 (SCTP's common header), draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.simulate.signalling.crc32c import crc32c
from traffic_siamese.simulate.signalling.flows import ICMP, SCTP, TCP, UDP
from traffic_siamese.simulate.signalling.tap import Record

ETHERNET_BYTES = 14
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
"""Little-endian, nanoseconds, Ethernet."""

SYN, FIN, RST, PUSH, ACK = 2, 1, 4, 8, 16

_IPV4_TOTAL_LENGTH, _IPV4_ID, _IPV4_CHECKSUM = 16, 18, 24
_IPV6_PAYLOAD_LENGTH = 18
_SYN_OPTIONS = np.frombuffer(bytes.fromhex("020405b40101040201010101"), np.uint8)
_STAMPED = np.frombuffer(bytes.fromhex("0101080a"), np.uint8)

Matrix = NDArray[np.uint8]


def frames(records: Sequence[Record], headers: Sequence[bytes]) -> list[bytes]:
    """Return the Ethernet frames of some packets.

    Parameters
    ----------
    records : sequence of Record
    headers : sequence of bytes
        By flow, as `flows.header` gives them.
    """
    out = [b""] * len(records)
    kinds: dict[tuple[int, int], list[int]] = {}
    for row, record in enumerate(records):
        head = headers[record[1]]
        kinds.setdefault((head[12], head[23] if head[12] == 8 else head[20]), []).append(row)
    for (ether_type, protocol), rows in kinds.items():
        mine = [records[row] for row in rows]
        matrix = _headers(mine, headers, protocol, is_ipv4=ether_type == 8)
        width, block = matrix.shape[1], matrix.tobytes()
        for i, row in enumerate(rows):
            out[row] = block[i * width : (i + 1) * width] + records[row][2]
    return out


def pcap_records(times_ns: Sequence[int], packets: Sequence[bytes]) -> bytes:
    """Return packets as records of a pcap file (behind `PCAP_HEADER`)."""
    fields = np.empty((len(packets), 4), "<u4")
    times = np.asarray(times_ns, np.int64)
    fields[:, 0], fields[:, 1] = np.divmod(times, 1_000_000_000)
    fields[:, 2] = fields[:, 3] = [len(packet) for packet in packets]
    block = fields.tobytes()
    parts: list[bytes] = [b""] * (2 * len(packets))
    parts[::2] = [block[i : i + 16] for i in range(0, len(block), 16)]
    parts[1::2] = packets
    return b"".join(parts)


def _headers(
    records: list[Record], headers: Sequence[bytes], protocol: int, *, is_ipv4: bool
) -> Matrix:
    """Headers of packets of one kind, shape (n_packets, n_header_bytes)."""
    templates = b"".join([headers[record[1]] for record in records])
    matrix = np.frombuffer(templates, np.uint8).reshape(len(records), -1).copy()
    n_payload = np.array([len(record[2]) for record in records])
    ip_bytes = 20 if is_ipv4 else 40
    n_transport = matrix.shape[1] - ETHERNET_BYTES - ip_bytes + n_payload
    if is_ipv4:
        _put16(matrix, _IPV4_TOTAL_LENGTH, n_transport + 20)
        _put16(matrix, _IPV4_ID, np.array([int(1e5 * record[0]) & 0xFFFF for record in records]))
        _put16(matrix, _IPV4_CHECKSUM, _folded(_word_sums(matrix[:, 14:34])))
    else:
        _put16(matrix, _IPV6_PAYLOAD_LENGTH, n_transport)
    at = ETHERNET_BYTES + ip_bytes
    if protocol == TCP:
        _put_tcp(matrix, at, records)
    elif protocol == UDP:
        _put16(matrix, at + 4, n_transport)
    if protocol == SCTP:
        _put_sctp(matrix, at, records)
    else:
        _put_checksum(matrix, at, [record[2] for record in records], protocol)
    return matrix


def _put_tcp(matrix: Matrix, at: int, records: list[Record]) -> None:
    numbers = np.array([record[3:6] for record in records], np.int64)
    _put32(matrix, at + 4, numbers[:, 0])
    _put32(matrix, at + 8, numbers[:, 1])
    matrix[:, at + 13] = numbers[:, 2]
    opens = (numbers[:, 2] & SYN) > 0
    matrix[:, at + 20 : at + 24] = _STAMPED
    _put32(matrix, at + 24, np.array([int(1e3 * record[0]) & 0xFFFFFFFF for record in records]))
    matrix[opens, at + 20 : at + 32] = _SYN_OPTIONS


def _put_sctp(matrix: Matrix, at: int, records: list[Record]) -> None:
    """Fill in verification tag and checksum, which stands with its lowest byte first."""
    _put32(matrix, at + 4, np.array([record[3] for record in records], np.int64))
    packets = [
        row.tobytes() + record[2] for row, record in zip(matrix[:, at:], records, strict=True)
    ]
    matrix[:, at + 8 : at + 12] = crc32c(packets).astype("<u4").view(np.uint8).reshape(-1, 4)


def _put_checksum(matrix: Matrix, at: int, payloads: list[bytes], protocol: int) -> None:
    """Fill in the transport's checksum; ICMPv4 has no pseudo header."""
    place = at + {UDP: 6, TCP: 16}.get(protocol, 2)
    n_transport = matrix.shape[1] - at + np.array([len(payload) for payload in payloads])
    sums = _word_sums(matrix[:, at:]) + _payload_sums(payloads)
    if protocol != ICMP:
        addresses = 8 if at == ETHERNET_BYTES + 20 else 32
        sums += _word_sums(matrix[:, at - addresses : at]) + n_transport + protocol
    checksum = _folded(sums)
    _put16(matrix, place, np.where((checksum == 0) & (protocol == UDP), 0xFFFF, checksum))


def _word_sums(matrix: Matrix) -> NDArray[np.int64]:
    """Sum of the 16-bit words of each row, whose length is even."""
    sums: NDArray[np.int64] = np.ascontiguousarray(matrix).view(">u2").sum(axis=1, dtype=np.int64)
    return sums


def _payload_sums(payloads: list[bytes]) -> NDArray[np.int64]:
    padded = [data + b"\0" if len(data) % 2 else data for data in payloads]
    ends = np.cumsum([len(data) // 2 for data in padded])
    words = np.frombuffer(b"".join(padded), ">u2").astype(np.int64)
    totals = np.concatenate(([0], np.cumsum(words)))[np.concatenate(([0], ends))]
    return np.diff(totals)


def _folded(sums: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ones' complement of the ones' complement sum (RFC 1071)."""
    for _ in range(3):
        sums = (sums & 0xFFFF) + (sums >> 16)
    return 0xFFFF - sums


def _put16(matrix: Matrix, at: int, values: NDArray[np.int64]) -> None:
    matrix[:, at], matrix[:, at + 1] = values >> 8 & 0xFF, values & 0xFF


def _put32(matrix: Matrix, at: int, values: NDArray[np.int64]) -> None:
    _put16(matrix, at, values >> 16 & 0xFFFF)
    _put16(matrix, at + 2, values & 0xFFFF)
