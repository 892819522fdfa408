"""SIP messages as text: requests and answers that a dissector reads without complaint.

References
----------
RFC 3261 sections 7, 8.1.1 and 8.2.6 (messages), 22 (digest), RFC 3428 (MESSAGE), RFC 8866 (SDP).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

REASONS = {
    100: b"Trying", 180: b"Ringing", 183: b"Session Progress", 200: b"OK", 202: b"Accepted",
    400: b"Bad Request", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found",
    407: b"Proxy Authentication Required", 408: b"Request Timeout",
    480: b"Temporarily Unavailable", 481: b"Call/Transaction Does Not Exist",
    484: b"Address Incomplete", 486: b"Busy Here", 487: b"Request Terminated",
    500: b"Server Internal Error", 502: b"Bad Gateway", 503: b"Service Unavailable",
    504: b"Server Time-out", 600: b"Busy Everywhere", 603: b"Decline", 604: b"Does Not Exist",
}  # fmt: skip
"""Every answer that the model gives (RFC 3261 section 21)."""

_REQUEST = (
    b"%b %b SIP/2.0\r\nVia: %b\r\nMax-Forwards: 70\r\nFrom: %b\r\nTo: %b\r\nCall-ID: %b\r\n"
    b"CSeq: %d %b\r\n%bContent-Length: %d\r\n\r\n%b"
)
_ANSWER = (
    b"SIP/2.0 %d %b\r\nVia: %b\r\nFrom: %b\r\nTo: %b\r\nCall-ID: %b\r\nCSeq: %d %b\r\n"
    b"%bContent-Length: %d\r\n\r\n%b"
)
_SHORT_CODECS = (b"8 101", b"a=rtpmap:8 PCMA/8000\r\n")
_LONG_CODECS = (
    b"104 110 102 108 105 100 9 0 8",
    b"a=rtpmap:104 AMR-WB/16000/1\r\na=fmtp:104 mode-change-capability=2;max-red=0\r\n"
    b"a=rtpmap:110 AMR-WB/16000/1\r\na=fmtp:110 octet-align=1;mode-change-capability=2\r\n"
    b"a=rtpmap:102 AMR/8000/1\r\na=fmtp:102 mode-change-capability=2;max-red=0\r\n"
    b"a=rtpmap:108 AMR/8000/1\r\na=fmtp:108 octet-align=1;mode-change-capability=2\r\n"
    b"a=rtpmap:105 telephone-event/16000\r\na=rtpmap:100 telephone-event/8000\r\n"
    b"a=fmtp:105 0-15\r\na=curr:qos local none\r\na=curr:qos remote none\r\n"
    b"a=des:qos mandatory local sendrecv\r\na=des:qos optional remote sendrecv\r\n",
)


@dataclass(slots=True)
class Leg:
    """What the messages of one dialogue, or of one request outside any, have in common.

    Attributes
    ----------
    caller, callee : bytes
        From and To, the latter without its tag.
    target : bytes
        Request-URI.
    call_id, tag, to_tag : bytes
    via : bytes
        Transport and sent-by of the side that asks.
    extra : bytes
        Header lines that all its requests carry.
    """

    caller: bytes
    callee: bytes
    target: bytes
    call_id: bytes
    tag: bytes
    to_tag: bytes
    via: bytes
    extra: bytes

    @property
    def sender(self) -> bytes:
        """The From header's value."""
        return b"%b;tag=%b" % (self.caller, self.tag)

    @property
    def recipient(self) -> bytes:
        """The To header's value, with its tag once there is one."""
        return b"%b;tag=%b" % (self.callee, self.to_tag) if self.to_tag else self.callee


def request(leg: Leg, method: bytes, cseq: int, branch: bytes, body: bytes = b"") -> bytes:
    """Write a request; `body` brings its Content-Type with `sdp` and `text`."""
    kind, content = _content(body)
    via = b"%b;branch=z9hG4bK%b;rport" % (leg.via, branch)
    head = (method, leg.target, via, leg.sender, leg.recipient, leg.call_id, cseq, method)
    return _REQUEST % (*head, leg.extra + kind, len(content), content)


def answer(asked: bytes, status: int, to_tag: bytes, extra: bytes = b"") -> bytes:
    """Write the answer to a request: Via, From, To, Call-ID and CSeq are its own.

    ``extra`` are header lines, or header lines and a body that begins with Content-Type.
    """
    lines = asked.split(b"\r\n", 7)
    via, sender, recipient = lines[1][5:], lines[3][6:], lines[4][4:]
    if status > 100 and b";tag=" not in recipient:
        recipient = b"%b;tag=%b" % (recipient, to_tag)
    number, method = lines[6][6:].split(b" ")
    headers, _, content = extra.partition(b"\r\n\r\n")
    headers = headers + b"\r\n" if content else extra
    fields = (via, sender, recipient, lines[5][9:], int(number), method, headers)
    return _ANSWER % (status, REASONS[status], *fields, len(content), content)


def sdp(host: bytes, port: int, *, is_long: bool) -> bytes:
    """Return Content-Type and an audio offer or answer."""
    formats, lines = _LONG_CODECS if is_long else _SHORT_CODECS
    family = b"IP6" if host.startswith(b"[") else b"IP4"
    address = host.strip(b"[]")
    return (
        b"Content-Type: application/sdp\r\n\r\nv=0\r\no=- %d 1 IN %b %b\r\ns=-\r\nc=IN %b %b\r\n"
        b"t=0 0\r\nm=audio %d RTP/AVP %b\r\n%ba=sendrecv\r\na=ptime:20\r\n"
        % (port * 977, family, address, family, address, port, formats, lines)
    )


def text(n_bytes: int) -> bytes:
    """Return Content-Type and a short message of some length."""
    return b"Content-Type: text/plain\r\n\r\n" + (b"lorem ipsum dolor sit amet " * 8)[:n_bytes]


def challenge(realm: bytes, random: Random) -> bytes:
    """Return the header of a 401 answer."""
    nonce = b"%032x" % random.getrandbits(128)
    return b'WWW-Authenticate: Digest realm="%b", nonce="%b", algorithm=MD5\r\n' % (realm, nonce)


def credentials(user: bytes, realm: bytes, random: Random) -> bytes:
    """Return the Authorization header that answers a challenge."""
    numbers = b"%032x" % random.getrandbits(128), b"%032x" % random.getrandbits(128)
    return (
        b'Authorization: Digest username="%b", realm="%b", nonce="%b", uri="sip:%b", '
        b'response="%b", algorithm=MD5\r\n' % (user, realm, numbers[0], realm, numbers[1])
    )


def _content(body: bytes) -> tuple[bytes, bytes]:
    kind, _, content = body.partition(b"\r\n\r\n")
    return (kind + b"\r\n", content) if content else (b"", b"")
