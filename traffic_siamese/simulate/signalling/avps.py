"""Diameter messages as bytes: header and attribute-value pairs (AVPs).

References
----------
RFC 6733 sections 3 (header), 4.1 (AVP header), 4.3 (formats), 4.4 (grouped).
"""

from __future__ import annotations

import struct

REQUEST, PROXIABLE, ERROR, REPEATED = 0x80, 0x40, 0x20, 0x10
"""Command flags (section 3)."""
VENDOR_3GPP = 10415
_HEADER_BYTES = 20
_FLAGS_AT, _COMMAND_AT, _APPLICATION_AT = 4, 5, 8
_MANDATORY, _VENDOR = 0x40, 0x80


def avp(code: int, data: bytes, *, vendor: int = 0, mandatory: bool = True) -> bytes:
    """Write an attribute, padded to four bytes."""
    flags = (_MANDATORY if mandatory else 0) | (_VENDOR if vendor else 0)
    length = len(data) + (12 if vendor else 8)
    head = struct.pack(">II", code, flags << 24 | length)
    vendor_id = struct.pack(">I", vendor) if vendor else b""
    return head + vendor_id + data + bytes(-length % 4)


def avp_u32(code: int, number: int, *, vendor: int = 0, mandatory: bool = True) -> bytes:
    """Write an attribute that is a number of 32 bits."""
    return avp(code, struct.pack(">I", number), vendor=vendor, mandatory=mandatory)


def avp_u64(code: int, number: int) -> bytes:
    """Write an attribute that is a number of 64 bits."""
    return avp(code, struct.pack(">Q", number))


def message(
    command: int, application: int, flags: int, ids: tuple[int, int], attributes: bytes
) -> bytes:
    """Write a message; ``ids`` are the Hop-by-Hop and the End-to-End Identifier."""
    length = _HEADER_BYTES + len(attributes)
    words = (1 << 24 | length, flags << 24 | command, application, *ids)
    return struct.pack(">IIIII", *words) + attributes


def command_of(wire: bytes) -> int:
    """Return the command code of a message."""
    return int.from_bytes(wire[_COMMAND_AT:_APPLICATION_AT], "big")


def reply(asked: bytes, attributes: bytes, *, is_error: bool = False) -> bytes:
    """Write the answer to a request: command, application and identifiers are its own."""
    _, word, application, *ids = struct.unpack_from(">IIIII", asked)
    flags = (word >> 24 & PROXIABLE) | (ERROR if is_error else 0)
    return message(word & 0xFFFFFF, application, flags, (ids[0], ids[1]), attributes)


def repeated(asked: bytes) -> bytes:
    """Return the copy of a request that may have been sent before: its flag T is set."""
    return asked[:_FLAGS_AT] + bytes((asked[_FLAGS_AT] | REPEATED,)) + asked[_COMMAND_AT:]


def find(wire: bytes, code: int) -> bytes:
    """Return a whole attribute of a message, with its header; empty where there is none."""
    at = _HEADER_BYTES
    while at < len(wire):
        number, word = struct.unpack_from(">II", wire, at)
        length = (word & 0xFFFFFF) + (-word % 4)
        if number == code:
            return wire[at : at + length]
        at += length
    return b""
