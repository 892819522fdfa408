"""Write Diameter, GTP-C, PFCP, RADIUS, DNS and SCTP, with nothing but struct."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tests import builders as b
from tests.features.sip import address

DIAMETER_PPID = 46


def avp(code: int, data: bytes | int | str, *, vendor: int = 0) -> bytes:
    """Return a Diameter AVP; a number is an Unsigned32."""
    if isinstance(data, int):
        data = struct.pack("!I", data)
    data = data.encode() if isinstance(data, str) else data
    head = struct.pack("!I", vendor) if vendor else b""
    length = 8 + len(head) + len(data)
    flags = (0x80 if vendor else 0) | 0x40
    return b.pad4(struct.pack("!IB", code, flags) + length.to_bytes(3, "big") + head + data)


def diameter(
    command: int,
    avps: Iterable[bytes] = (),
    *,
    request: bool = True,
    hop: int = 1,
    end: int | None = None,
    application: int = 0,
    flags: int = 0,
) -> bytes:
    """Return a Diameter message; ``flags`` come on top of R."""
    body = b"".join(avps)
    head = b"\1" + (20 + len(body)).to_bytes(3, "big")
    head += bytes([(0x80 if request else 0) | flags]) + command.to_bytes(3, "big")
    return head + struct.pack("!III", application, hop, hop if end is None else end) + body


def result(code: int) -> bytes:
    """Return a Result-Code."""
    return avp(268, code)


def experimental(code: int) -> bytes:
    """Return an Experimental-Result of 3GPP's."""
    return avp(297, avp(266, 10415) + avp(298, code))


def gtp2(
    kind: int, elements: bytes = b"", *, teid: int | None = 0, sequence: int = 1, flags: int = 0
) -> bytes:
    """Return a GTPv2-C message; without a TEID it is one of the path's."""
    body = (b"" if teid is None else struct.pack("!I", teid)) + sequence.to_bytes(3, "big") + b"\0"
    first = 0x40 | (0 if teid is None else 8) | flags
    return struct.pack("!BBH", first, kind, len(body) + len(elements)) + body + elements


def element2(kind: int, data: bytes, instance: int = 0) -> bytes:
    """Return an information element of GTPv2-C."""
    return struct.pack("!BHB", kind, len(data), instance) + data


def cause2(cause: int) -> bytes:
    """Return a Cause."""
    return element2(2, bytes([cause, 0]))


def fteid2(teid: int, instance: int = 0) -> bytes:
    """Return an F-TEID with an IPv4 address."""
    return element2(87, b"\x8a" + struct.pack("!I", teid) + bytes(4), instance)


def gtp1(kind: int, elements: bytes = b"", *, teid: int = 0, sequence: int = 1) -> bytes:
    """Return a GTPv1-C message."""
    head = struct.pack("!BBHI", 0x32, kind, len(elements) + 4, teid)
    return head + struct.pack("!HBB", sequence, 0, 0) + elements


def pfcp(
    kind: int,
    elements: bytes = b"",
    *,
    seid: int | None = None,
    sequence: int = 1,
    followed: bool = False,
) -> bytes:
    """Return a PFCP message."""
    body = (b"" if seid is None else struct.pack("!Q", seid)) + sequence.to_bytes(3, "big") + b"\0"
    first = 0x20 | (seid is not None) | (4 if followed else 0)
    return struct.pack("!BBH", first, kind, len(body) + len(elements)) + body + elements


def element_pfcp(kind: int, data: bytes) -> bytes:
    """Return an information element of PFCP."""
    return struct.pack("!HH", kind, len(data)) + data


def radius(code: int, attributes: bytes = b"", *, identifier: int = 1) -> bytes:
    """Return a RADIUS packet."""
    authenticator = bytes([identifier]) * 16
    return struct.pack("!BBH", code, identifier, 20 + len(attributes)) + authenticator + attributes


def attribute(kind: int, data: bytes | int) -> bytes:
    """Return a RADIUS attribute; a number has four bytes."""
    data = struct.pack("!I", data) if isinstance(data, int) else data
    return bytes([kind, len(data) + 2]) + data


def dns(name: str = "example.com", *, number: int = 1, rcode: int | None = None) -> bytes:
    """Return a DNS query, or the answer to it with this response code."""
    flags = 0x0100 if rcode is None else 0x8180 | rcode
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def data_chunk(
    payload: bytes, tsn: int, *, flags: int = 3, ppid: int = DIAMETER_PPID, stream: int = 1
) -> bytes:
    """Return an SCTP DATA chunk; flags 2 and 1 mark a message's first and last fragment."""
    head = struct.pack("!BBHIHHI", 0, flags, 16 + len(payload), tsn, stream, 1, ppid)
    return b.pad4(head + payload)


def chunk(kind: int, body: bytes = b"") -> bytes:
    """Return another SCTP chunk."""
    return b.pad4(struct.pack("!BBH", kind, 0, 4 + len(body)) + body)


def init_chunk(tag: int) -> bytes:
    """Return an INIT."""
    return chunk(1, struct.pack("!IIHHI", tag, 65536, 10, 10, 1))


def sctp_packet(
    chunks: bytes,
    time_ns: int,
    *,
    hosts: tuple[int, int] = (2, 1),
    ports: tuple[int, int] = (40000, 3868),
    tag: int = 7,
) -> b.Packet:
    """Return an SCTP packet from one host to another."""
    source, target = (address(host) for host in hosts)
    payload = struct.pack("!HHII", *ports, tag, 0) + chunks
    return b.Packet(b.ethernet(b.ipv4(payload, 132, source=source, target=target)), time_ns)
