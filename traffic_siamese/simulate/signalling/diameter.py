"""Diameter: how each message of the model is written.

Sessions are credit control (Gy), registrations are authentication and location update (S6a), short
messages are charged as single events, keep-alives are watchdogs.

References
----------
RFC 6733 sections 5.3 (capabilities), 5.5 (watchdog), 7.1 (result codes); RFC 8506 sections 3 and 8
(credit control); 3GPP TS 29.272 sections 5.2.1.1, 5.2.3.1 and 7.4 (S6a), TS 32.299 section 6.4.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address

from traffic_siamese.simulate.signalling.avps import (
    PROXIABLE,
    REQUEST,
    VENDOR_3GPP,
    avp,
    avp_u32,
    avp_u64,
    command_of,
    find,
    message,
    reply,
)
from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.world import UP

CAPABILITIES, WATCHDOG = 257, 280
_CREDIT, _LOCATION, _AUTHENTICATION = 272, 316, 318
_BASE, _GY, _S6A = 0, 4, 16_777_251
_SUCCESS = 2001
_REALM = b"epc.carrier.example"
_SERVER = b"core.home.example", b"home.example"
_INITIAL, _UPDATE, _TERMINATION, _EVENT = 1, 2, 3, 4

_SESSION_ID, _REQUEST_TYPE, _REQUEST_NUMBER = 263, 416, 415
_VENDOR_ID, _AUTH_APPLICATION, _RESULT = 266, 258, 268
_STATE = avp_u32(277, 1)
"""Auth-Session-State: none is kept."""

CREDIT_RESULTS = {
    200: 2001, 202: 2001, 400: 5005, 403: 4010, 404: 5030, 408: 3002, 480: 3002, 486: 4012,
    500: 5012, 502: 5031, 503: 3004, 504: 5012,
}  # fmt: skip
"""Result-Code of credit control for each status of the model: SUCCESS, MISSING_AVP,
END_USER_SERVICE_DENIED, USER_UNKNOWN, UNABLE_TO_DELIVER, CREDIT_LIMIT_REACHED, UNABLE_TO_COMPLY,
RATING_FAILED, TOO_BUSY."""
S6A_RESULTS = {200: 2001, 401: 5003, 500: 5012, 503: 3004, 504: 5012}
"""Result-Code on S6a; 401 refuses a location update (AUTHORIZATION_REJECTED)."""
S6A_EXPERIMENTAL = {403: 5004, 404: 5001, 502: 4181}
"""3GPP's own: ROAMING_NOT_ALLOWED, USER_UNKNOWN, AUTHENTICATION_DATA_UNAVAILABLE."""


class DiameterDialogue:
    """The messages of one errand, in Diameter.

    Parameters
    ----------
    site : Site
    subscriber : Subscriber
        Its channel is a peer, which names its messages.
    kind : str
        What it is for, one of BEGINNINGS.
    number : int or None
        Whom the subscriber asks for.
    way : int
        Not used: clients begin.
    """

    __slots__ = ("_imsi", "_is_proven", "_msisdn", "_n_sent", "_session", "_site", "_subscriber")

    def __init__(
        self, site: Site, subscriber: Subscriber, kind: str, number: int | None, way: int
    ) -> None:
        self._site, self._subscriber = site, subscriber
        self._n_sent, self._is_proven = 0, False
        self._msisdn = subscriber.user.removeprefix(b"+")
        is_probe = kind in ("flood", "scan", "malformed")
        digits = b"%d" % (number or 0) if is_probe else self._msisdn
        self._imsi = b"26201" + digits[-10:].rjust(10, b"0")
        numbers = divmod(int(site.world.new_name(), 16), 1 << 32)
        self._session = b"%b;%d;%d" % (self._origin(), *numbers)

    def request(self, what: str, *, way: int = UP) -> bytes:
        """Write a request."""
        if what == "flood":
            method = self._site.world.conditions.flood_method
            what = {"INVITE": "session_start", "OPTIONS": "keep_alive"}.get(method, "registration")
        if what == "keep_alive":
            return watchdog(self._identity(), self._ids())
        if what == "scan" or (what == "registration" and not self._is_proven):
            return self._authentication()
        if what == "registration":
            return self._location()
        return self._credit(what)

    def answer(self, asked: bytes, status: int) -> bytes:
        """Write an answer; what asks for a proof is, on S6a, the success that brings vectors."""
        command = command_of(asked)
        if command == WATCHDOG:
            return watchdog_answer(asked)
        if command == _CREDIT:
            return _credit_answer(asked, CREDIT_RESULTS[status])
        if command == _AUTHENTICATION and status == 401:
            return _s6a_answer(asked, 200, self._vectors())
        return _s6a_answer(asked, status, _subscription(self._msisdn) if status == 200 else b"")

    def prove(self) -> None:
        """Let the next registration be a location update: the subscriber is authentic."""
        self._is_proven = True

    def _origin(self) -> bytes:
        return origin_host(self._subscriber.home)

    def _identity(self) -> bytes:
        return avp(264, self._origin()) + avp(296, _REALM)

    def _ids(self) -> tuple[int, int]:
        """Hop-by-Hop and End-to-End Identifier."""
        random = self._site.world.random
        return random.getrandbits(32), random.getrandbits(32)

    def _authentication(self) -> bytes:
        """Ask for vectors: Authentication-Information-Request."""
        wanted = avp_u32(1410, 1, vendor=VENDOR_3GPP) + avp_u32(1412, 0, vendor=VENDOR_3GPP)
        body = self._s6a_head() + avp(1408, wanted, vendor=VENDOR_3GPP) + _PLMN
        return message(_AUTHENTICATION, _S6A, REQUEST | PROXIABLE, self._ids(), body)

    def _location(self) -> bytes:
        """Tell where the subscriber is: Update-Location-Request."""
        body = self._s6a_head() + avp_u32(1032, 1004, vendor=VENDOR_3GPP)
        body += avp_u32(1405, 34, vendor=VENDOR_3GPP) + _PLMN
        return message(_LOCATION, _S6A, REQUEST | PROXIABLE, self._ids(), body)

    def _s6a_head(self) -> bytes:
        head = avp(_SESSION_ID, self._session) + _S6A_APPLICATION + _STATE + self._identity()
        return head + avp(283, _SERVER[1]) + avp(1, self._imsi)

    def _credit(self, what: str) -> bytes:
        """Ask for, renew or give back credit: Credit-Control-Request."""
        types = {"session_update": _UPDATE, "session_end": _TERMINATION, "message": _EVENT}
        kind = types.get(what, _INITIAL)
        body = avp(_SESSION_ID, self._session) + self._identity() + avp(283, _SERVER[1])
        body += avp_u32(_AUTH_APPLICATION, _GY)
        if what != "malformed":
            body += avp(461, b"32251@3gpp.org")
        body += avp_u32(_REQUEST_TYPE, kind) + avp_u32(_REQUEST_NUMBER, self._n_sent)
        body += avp_u32(55, self._now_s()) + self._who() + self._wanted(kind)
        self._n_sent += 1
        return message(_CREDIT, _GY, REQUEST | PROXIABLE, self._ids(), body)

    def _who(self) -> bytes:
        return avp(443, avp_u32(450, 0) + avp(444, self._msisdn)) + avp(
            443, avp_u32(450, 1) + avp(444, self._imsi)
        )

    def _wanted(self, kind: int) -> bytes:
        """Units asked for or used, and now and then what the service is."""
        if kind == _EVENT:
            return avp_u32(436, 0) + avp(437, avp_u64(417, 1))
        if kind == _TERMINATION:
            return avp_u32(295, 1) + avp(456, avp(446, avp_u64(421, 52_000)) + avp_u32(432, 1))
        used = avp(446, avp_u64(421, 1_048_576)) if kind == _UPDATE else b""
        body = avp_u32(455, 1) + avp(
            456, avp(437, avp_u64(421, 1_048_576)) + used + avp_u32(432, 1)
        )
        world = self._site.world
        if world.random.random() < world.network.long_offer_share:
            body += _SERVICE
        return body

    def _now_s(self) -> int:
        """Seconds of the clock as NTP counts them (RFC 6733 section 4.3.1)."""
        return (3_976_300_000 + int(self._site.world.clock.now_s)) & 0xFFFFFFFF

    def _vectors(self) -> bytes:
        """Write an authentication vector: RAND, XRES, AUTN, KASME."""
        random = self._site.world.random
        parts = ((1447, 16), (1448, 8), (1449, 16), (1450, 32))
        vector = b"".join(avp(code, random.randbytes(n), vendor=VENDOR_3GPP) for code, n in parts)
        return avp(1413, avp(1414, vector, vendor=VENDOR_3GPP), vendor=VENDOR_3GPP)


def origin_host(place: Endpoint) -> bytes:
    """Name the client at an address."""
    return b"node%d.%b" % (place.address[-1], _REALM)


def capabilities(place: Endpoint, ids: tuple[int, int]) -> bytes:
    """Write the Capabilities-Exchange-Request of a client."""
    body = avp(264, origin_host(place)) + avp(296, _REALM) + _abilities(place, b"client")
    return message(CAPABILITIES, _BASE, REQUEST, ids, body)


def capabilities_answer(asked: bytes, core: Endpoint) -> bytes:
    """Write the Capabilities-Exchange-Answer of the core."""
    return reply(asked, avp_u32(_RESULT, _SUCCESS) + _CORE + _abilities(core, b"core"))


def watchdog(identity: bytes, ids: tuple[int, int]) -> bytes:
    """Write a Device-Watchdog-Request of who has this identity."""
    return message(WATCHDOG, _BASE, REQUEST, ids, identity + avp_u32(278, 7))


def watchdog_of(place: Endpoint, ids: tuple[int, int], *, from_core: bool) -> bytes:
    """Write a Device-Watchdog-Request of a client, or of the core to it."""
    mine = _CORE if from_core else avp(264, origin_host(place)) + avp(296, _REALM)
    return watchdog(mine, ids)


def watchdog_answer(asked: bytes, place: Endpoint | None = None) -> bytes:
    """Write a Device-Watchdog-Answer: of the core, or of the client at a place."""
    identity = avp(264, origin_host(place)) + avp(296, _REALM) if place else _CORE
    return reply(asked, avp_u32(_RESULT, _SUCCESS) + identity)


def _abilities(place: Endpoint, product: bytes) -> bytes:
    family = 1 if len(place.address) == 4 else 2
    address = struct.pack(">H", family) + ip_address(place.address).packed
    s6a = avp_u32(_VENDOR_ID, VENDOR_3GPP) + avp_u32(_AUTH_APPLICATION, _S6A)
    return (
        avp(257, address) + avp_u32(_VENDOR_ID, 0) + avp(269, product, mandatory=False)
        + avp_u32(265, VENDOR_3GPP) + avp_u32(_AUTH_APPLICATION, _GY) + avp(260, s6a)
    )  # fmt: skip


def _credit_answer(asked: bytes, result: int) -> bytes:
    """Write the Credit-Control-Answer; protocol errors are short (RFC 6733 section 7.2)."""
    head = find(asked, _SESSION_ID) + avp_u32(_RESULT, result) + _CORE
    if 3000 <= result < 4000:
        return reply(asked, head, is_error=True)
    body = head + avp_u32(_AUTH_APPLICATION, _GY)
    kind = find(asked, _REQUEST_TYPE)
    body += kind + find(asked, _REQUEST_NUMBER)
    if result == 5005:
        body += avp(279, avp(461, b"unknown@example"))
    if result == _SUCCESS and kind[-1] in (_INITIAL, _UPDATE):
        granted = avp(431, avp_u64(421, 1_048_576)) + avp_u32(432, 1) + avp_u32(448, 3600)
        body += avp(456, granted + avp_u32(_RESULT, _SUCCESS))
    return reply(asked, body)


def _s6a_answer(asked: bytes, status: int, content: bytes) -> bytes:
    """Write the answer to a location update or to the question for vectors."""
    result = S6A_RESULTS.get(status)
    if result is None:
        code = S6A_EXPERIMENTAL.get(status, 4181)
        inner = avp_u32(_VENDOR_ID, VENDOR_3GPP) + avp_u32(298, code)
        told = avp(297, inner)
    else:
        told = avp_u32(_RESULT, result)
    is_error = result is not None and 3000 <= result < 4000
    middle = b"" if is_error else _S6A_APPLICATION + _STATE
    body = find(asked, _SESSION_ID) + middle + told + _CORE
    return reply(asked, body + content, is_error=is_error)


def _subscription(msisdn: bytes) -> bytes:
    """Write what an Update-Location-Answer says of the subscriber."""
    digits = msisdn + b"f" * (len(msisdn) % 2)
    swapped = b"".join(digits[i : i + 2][::-1] for i in range(0, len(digits), 2))
    packed = bytes.fromhex(swapped.decode())
    bandwidth = b"".join(avp_u32(code, 50_000_000, vendor=VENDOR_3GPP) for code in (516, 515))
    data = (
        avp_u32(1424, 0, vendor=VENDOR_3GPP) + avp(701, packed, vendor=VENDOR_3GPP)
        + avp_u32(1417, 2, vendor=VENDOR_3GPP) + avp(1435, bandwidth, vendor=VENDOR_3GPP)
    )  # fmt: skip
    return avp_u32(1406, 1, vendor=VENDOR_3GPP) + avp(1400, data, vendor=VENDOR_3GPP)


_CORE = avp(264, _SERVER[0]) + avp(296, _SERVER[1])
_S6A_APPLICATION = avp(260, avp_u32(_VENDOR_ID, VENDOR_3GPP) + avp_u32(_AUTH_APPLICATION, _S6A))
_PLMN = avp(1407, bytes.fromhex("62f210"), vendor=VENDOR_3GPP)
_SERVICE = avp(
    873,
    avp(
        874,
        avp(2, struct.pack(">I", 77), vendor=VENDOR_3GPP)
        + avp_u32(3, 0, vendor=VENDOR_3GPP)
        + avp(30, b"internet.carrier.example")
        + avp(8, b"26201", vendor=VENDOR_3GPP, mandatory=False)
        + avp(21, b"\x06", vendor=VENDOR_3GPP, mandatory=False),
        vendor=VENDOR_3GPP,
    ),
    vendor=VENDOR_3GPP,
)
"""Service-Information with PS-Information of TS 32.299 and TS 29.061."""
