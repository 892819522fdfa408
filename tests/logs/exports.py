"""Write NetFlow and IPFIX messages byte by byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from tests import builders as b

SECOND = 10**9
EXPORTED_S = 1_700_000_010
UPTIME_MS = 1_000_000


@dataclass(frozen=True)
class Flow:
    """What a record says; times in milliseconds before the export."""

    source: int
    n_bytes: int
    n_packets: int
    first_ms: int
    last_ms: int
    protocol: int = 6
    flags: int = 0x1B


def version5(flows: list[Flow], *, uptime_ms: int = UPTIME_MS) -> bytes:
    head = struct.pack("!HHIIIIBBH", 5, len(flows), uptime_ms, EXPORTED_S, 0, 1, 0, 0, 0)
    return head + b"".join(
        struct.pack(
            "!4s4s4sHHIIIIHHBBBBHHBBH", bytes([10, 0, 0, f.source]), b"\x0a\0\0\x63", bytes(4), 1,
            2, f.n_packets, f.n_bytes, (uptime_ms - f.first_ms) % 2**32,
            (uptime_ms - f.last_ms) % 2**32, 40000, 80, 0, f.flags, f.protocol, 0, 0, 0, 24, 24, 0,
        )
        for f in flows
    )  # fmt: skip


def a_set(kind: int, body: bytes) -> bytes:
    padded = b.pad4(body)
    return struct.pack("!HH", kind, len(padded) + 4) + padded


def version9(*sets: bytes) -> bytes:
    return struct.pack("!HHIIII", 9, len(sets), UPTIME_MS, EXPORTED_S, 1, 7) + b"".join(sets)


def ipfix(*sets: bytes) -> bytes:
    body = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(body), EXPORTED_S, 1, 7) + body


FIELDS_9 = ((8, 4), (12, 4), (1, 4), (2, 4), (22, 4), (21, 4), (4, 1), (6, 1))
FIELDS_10 = ((8, 4), (12, 4), (1, 8), (2, 8), (152, 8), (153, 8), (4, 1), (6, 2), (82, 65535))


def template(kind: int, fields: tuple[tuple[int, int], ...], number: int = 300) -> bytes:
    packed = b"".join(struct.pack("!HH", *field) for field in fields)
    return a_set(kind, struct.pack("!HH", number, len(fields)) + packed)


def data9(flows: list[Flow], number: int = 300) -> bytes:
    return a_set(number, b"".join(
        struct.pack("!4s4sIIIIBB", bytes([10, 0, 0, f.source]), b"\x0a\0\0\x63", f.n_bytes,
                    f.n_packets, UPTIME_MS - f.first_ms, UPTIME_MS - f.last_ms, f.protocol, f.flags)
        for f in flows
    ))  # fmt: skip


def data10(flows: list[Flow], number: int = 300) -> bytes:
    """Write records of varying length: each ends with the name of an interface."""
    return a_set(number, b"".join(
        struct.pack("!4s4sQQQQBH", bytes([10, 0, 0, f.source]), b"\x0a\0\0\x63", f.n_bytes,
                    f.n_packets, EXPORTED_S * 1000 - f.first_ms, EXPORTED_S * 1000 - f.last_ms,
                    f.protocol, f.flags) + bytes([f.source % 5]) + b"x" * (f.source % 5)
        for f in flows
    ))  # fmt: skip


def capture(path: Path, *payloads: bytes, port: int = 2055, exporters: int = 1) -> Path:
    """Write messages as datagrams, a second apart, of exporters in turn."""
    packets = [
        b.Packet(
            b.ethernet(
                b.ipv4(b.udp(p, ports=(30000, port)), source=bytes([192, 0, 2, 1 + i % exporters]))
            ),
            (EXPORTED_S + i) * SECOND,
        )
        for i, p in enumerate(payloads)
    ]
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path
