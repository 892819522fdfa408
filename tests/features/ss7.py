"""Write M3UA, SCCP and TCAP messages, with nothing but struct."""

from __future__ import annotations

import struct

from tests import builders as b

PPID, PORT = 3, 2905
BEGIN, END, CONTINUE, ABORT = 0x62, 0x64, 0x65, 0x67
INVOKE, RESULT, ERROR, REJECT = 0xA1, 0xA2, 0xA3, 0xA4
HLR, VLR, CAMEL = 6, 7, 146


def tlv(tag: int, content: bytes, *, open_ended: bool = False) -> bytes:
    """Return a value of the basic encoding rules; an open-ended one has a mark at its end."""
    if open_ended:
        return bytes([tag, 0x80]) + content + b"\0\0"
    n = len(content)
    length = bytes([n]) if n < 128 else b"\x81" + bytes([n])
    return bytes([tag]) + length + content


def component(kind: int, code: int | None = None) -> bytes:
    """Return a component with an operation's or an error's code."""
    body = tlv(2, b"\1")
    if kind == RESULT:
        body += b"" if code is None else tlv(0x30, tlv(2, bytes([code])))
    elif kind == REJECT:
        body += tlv(0x81, bytes([code or 0]))
    else:
        body += tlv(2, bytes([code or 0]))
    return tlv(kind, body)


def dialogue(
    kind: int,
    components: bytes = b"",
    *,
    origin: int | None = None,
    target: int | None = None,
    cause: int | None = None,
    open_ended: bool = False,
) -> bytes:
    """Return a TCAP message."""
    body = b"" if origin is None else tlv(0x48, struct.pack("!I", origin))
    body += b"" if target is None else tlv(0x49, struct.pack("!I", target))
    body += b"" if cause is None else tlv(0x4A, bytes([cause]))
    body += tlv(0x6C, components, open_ended=open_ended) if components else b""
    return tlv(kind, body, open_ended=open_ended)


def party(subsystem: int, digits: bytes = b"\x21\x43") -> bytes:
    """Return an address: a subsystem and a global title of digits."""
    return bytes([0x12, subsystem, 0, 0x11, 0x04]) + digits


def unitdata(data: bytes, *, called: int = HLR, calling: int = VLR, kind: int = 9) -> bytes:
    """Return UDT, or UDTS (10), whose class is its cause."""
    to, frm = party(called), party(calling)
    return _pointed(bytes([kind, 0]), to, frm, data)


def returned(data: bytes, cause: int) -> bytes:
    """Return UDTS: a message that comes back to its sender."""
    return _pointed(bytes([10, cause]), party(VLR), party(HLR), data)


def extended(data: bytes, *, first: bool = True) -> bytes:
    """Return XUDT, one segment of a message."""
    to, frm = party(HLR), party(VLR)
    at = (4, 4 + len(to), 4 + len(to) + len(frm))
    option = at[2] + len(data)  # counted from its own pointer
    segmentation = bytes([16, 4, 0x81 if first else 0x00]) + b"abc\0"
    pointers = bytes([at[0], at[1], at[2], option])
    body = b"".join(bytes([len(part)]) + part for part in (to, frm, data))
    return bytes([17, 0x80, 15]) + pointers + body + segmentation


def _pointed(head: bytes, *parts: bytes) -> bytes:
    """Return parts behind a pointer for each, which counts from itself."""
    pointers, body = b"", b""
    for i, part in enumerate(parts):
        pointers += bytes([len(parts) - i + len(body)])
        body += bytes([len(part)]) + part
    return head + pointers + body


def m3ua(kind: int, parameters: bytes = b"") -> bytes:
    """Return an M3UA message; its class and type are one number."""
    return struct.pack("!BBHI", 1, 0, kind, 8 + len(parameters)) + parameters


def parameter(tag: int, value: bytes) -> bytes:
    """Return a parameter of M3UA."""
    return b.pad4(struct.pack("!HH", tag, 4 + len(value)) + value)


def transfer(data: bytes, points: tuple[int, int]) -> bytes:
    """Return a DATA message with SCCP from one signalling point to another."""
    routing = struct.pack("!IIBBBB", *points, 3, 2, 0, 1)
    context = parameter(6, struct.pack("!I", 100))
    return m3ua(0x101, context + parameter(0x210, routing + data))
