"""Messages written again from what another tool told of them, for the kernel to read.

Only what the kernel looks at is written: what a message asks or answers, and what tells
transactions and sessions apart. So each protocol's mapping to slots stays where it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SCTP_DIAMETER = 46
SCTP_UNSPECIFIED = 0
_SESSION_ID, _RESULT_CODE, _EXPERIMENTAL_CODE, _EXPERIMENTAL = 263, 268, 298, 297
_CC_REQUEST_TYPE = 416
_DATA_WHOLE = 3


@dataclass(frozen=True, slots=True)
class ToldSip:
    """A SIP message: a request has a method, an answer a status; the rest may be unknown."""

    method: str = ""
    status: int = 0
    call_id: str = ""
    sequence: str = ""
    branch: str = ""
    user: str = ""
    size: str = ""

    def wire(self) -> bytes:
        """Write it; ``sequence`` is the whole CSeq, ``size`` tells messages of two sizes apart."""
        start = f"{self.method} sip:{self.user} SIP/2.0" if self.method else ""
        lines = [start or f"SIP/2.0 {self.status:03d} told", f"CSeq: {self.sequence}"]
        if self.branch:
            lines.append(f"Via: SIP/2.0/UDP told;branch={self.branch}")
        lines += [f"Call-ID: {self.call_id}", f"Size: {self.size}", "Content-Length: 0", "", ""]
        return "\r\n".join(" ".join(line.split()) for line in lines).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ToldDiameter:
    """A Diameter message; RFC 6733 section 3."""

    command: int
    is_request: bool
    application: int = 0
    hop_by_hop: int = 0
    end_to_end: int = 0
    session: str = ""
    result: int | None = None
    is_experimental: bool = False
    credit_request: int | None = None

    def wire(self) -> bytes:
        """Write it with the AVPs that matter."""
        avps = _avp(_SESSION_ID, self.session.encode("utf-8", "replace")) if self.session else b""
        if self.credit_request is not None:
            avps += _avp(_CC_REQUEST_TYPE, struct.pack("!I", self.credit_request & 0xFFFFFFFF))
        if self.result is not None:
            number = struct.pack("!I", self.result & 0xFFFFFFFF)
            if self.is_experimental:
                avps += _avp(_EXPERIMENTAL, _avp(_EXPERIMENTAL_CODE, number))
            else:
                avps += _avp(_RESULT_CODE, number)
        flags = 0x80 if self.is_request else 0
        words = (
            1 << 24 | (20 + len(avps)) & 0xFFFFFF,
            flags << 24 | self.command & 0xFFFFFF,
            self.application & 0xFFFFFFFF,
            self.hop_by_hop & 0xFFFFFFFF,
            self.end_to_end & 0xFFFFFFFF,
        )
        return struct.pack("!5I", *words) + avps


def _avp(code: int, value: bytes) -> bytes:
    padded = value + bytes(-len(value) % 4)
    return struct.pack("!II", code, 0x40 << 24 | (8 + len(value)) & 0xFFFFFF) + padded


def sctp_chunks(messages: list[tuple[int, bytes]], *, first_tsn: int) -> bytes:
    """Bundle whole messages as DATA chunks (RFC 9260 section 3.3.1).

    Parameters
    ----------
    messages : list of tuple of int and bytes
        Payload protocol identifier and bytes of each.
    first_tsn : int
        Number of the first chunk.
    """
    chunks = []
    for i, (identifier, message) in enumerate(messages):
        tsn = (first_tsn + i) & 0xFFFFFFFF
        size = 16 + len(message)
        head = struct.pack("!BBHIHHI", 0, _DATA_WHOLE, size, tsn, 0, i, identifier)
        chunks.append(head + message + bytes(-size % 4))
    return b"".join(chunks)
