"""SIP: how each message of the model is written.

References
----------
RFC 3261 sections 8.1.1 and 12.2.1.1 (requests), 9.1 (CANCEL), 17.1.1.3 (ACK), 22 (digest);
RFC 3428 (MESSAGE).
"""

from __future__ import annotations

from traffic_siamese.simulate.signalling.flows import Endpoint
from traffic_siamese.simulate.signalling.sip_text import (
    Leg,
    answer,
    challenge,
    credentials,
    request,
    sdp,
    text,
)
from traffic_siamese.simulate.signalling.subscribers import Site, Subscriber
from traffic_siamese.simulate.signalling.world import DOWN, UP

_METHODS = {
    "session_start": b"INVITE",
    "session_end": b"BYE",
    "registration": b"REGISTER",
    "keep_alive": b"OPTIONS",
    "message": b"MESSAGE",
    "scan": b"REGISTER",
}
_AGENT = b"User-Agent: handset/4.2\r\n"


class SipDialogue:
    """The messages of one errand, in SIP.

    Parameters
    ----------
    site : Site
    subscriber : Subscriber
    kind : str
        What it is for, one of BEGINNINGS.
    number : int or None
        Whom the subscriber asks for; None asks the domain.
    way : int
        UP where the subscriber begins it.

    Attributes
    ----------
    media_port : int
        Where the caller wants to hear.
    """

    __slots__ = ("_cseq", "_leg", "_site", "_subscriber", "_way", "media_port")

    def __init__(
        self, site: Site, subscriber: Subscriber, kind: str, number: int | None, way: int
    ) -> None:
        self._site, self._subscriber, self._way = site, subscriber, way
        self._cseq, self.media_port = 0, 0
        self._leg = self._new_leg(kind, number)

    def request(self, what: str, *, way: int = UP) -> bytes:
        """Write a request."""
        world = self._site.world
        body = b""
        if what == "session_start":
            is_long = world.random.random() < world.network.long_offer_share
            body = sdp(self._ends()[self._way].host, self.media_port, is_long=is_long)
        elif what == "message":
            body = text(world.random.randrange(20, 140))
        method = _METHODS.get(what) or world.conditions.flood_method.encode()
        self._cseq += 1
        leg = self._leg_of(way) if what == "session_end" else self._leg
        return request(leg, method, self._cseq, world.new_name(), body)

    def answer(self, asked: bytes, status: int) -> bytes:
        """Write an answer: a challenge asks for credentials, a 503 says when to come again."""
        extra = b"" if status == 100 else b"Server: core\r\n"
        if status == 503:
            extra += b"Retry-After: 10\r\n"
        elif status == 401:
            extra += challenge(self._site.realm, self._site.world.random)
        elif status == 200 and asked.startswith(b"REGISTER"):
            extra += self._leg.extra.split(b"\r\n", 1)[0].replace(b">", b">;expires=3600") + b"\r\n"
        elif status == 200 and asked.startswith(b"INVITE"):
            host = self._ends()[1 - self._way].host
            extra += b"Contact: <%b>\r\n" % self._contact(1 - self._way)
            extra += sdp(host, self.media_port + 1000, is_long=False)
        return answer(asked, status, self._tag(), extra)

    def prove(self) -> None:
        """Let the requests bring credentials."""
        plain = self._leg.extra.split(b"Authorization", 1)[0]
        random = self._site.world.random
        self._leg.extra = plain + credentials(self._subscriber.user, self._site.realm, random)

    def resume(self) -> None:
        """Be a call that was answered long ago."""
        self._leg.to_tag = b"before"
        self._cseq = 1

    def acknowledge(self, asked: bytes, *, accepted: bool) -> bytes:
        """Write the ACK of a final answer to INVITE: of a refusal in the same transaction."""
        if not accepted:
            head, _, _ = asked.partition(b"\r\nContact")
            return head.replace(b"INVITE", b"ACK") + b"\r\nContent-Length: 0\r\n\r\n"
        self._leg.to_tag = self._tag()
        return request(self._leg_of(self._way), b"ACK", 1, self._site.world.new_name())

    def cancel(self, asked: bytes) -> bytes:
        """Write the CANCEL of an INVITE."""
        head, _, _ = asked.partition(b"\r\nContact")
        return head.replace(b"INVITE", b"CANCEL") + b"\r\nContent-Length: 0\r\n\r\n"

    def _tag(self) -> bytes:
        return self._leg.call_id[:6] + b"c"

    def _new_leg(self, kind: str, number: int | None) -> Leg:
        """Return what the requests have in common."""
        realm = self._site.realm
        own = b"sip:%b@%b" % (self._subscriber.user, realm)
        if kind in ("session", "message"):
            other = b"sip:+4915%09d@%b" % (number or 0, realm)
            if self._way == DOWN:
                leg = self._leg_between(b"<%b>" % other, b"<%b>" % own, self._contact(UP))
                leg.via, leg.extra = self._core_via(), b"Contact: <%b>\r\n" % self._contact(DOWN)
                return leg
            return self._leg_between(b"<%b>" % own, b"<%b>" % other, other)
        if kind in ("flood", "scan", "malformed"):
            target = b"sip:%d@%b" % (number or 0, realm)
            leg = self._leg_between(b"<%b>" % target, b"<%b>" % target, target)
            leg.extra = (
                b"Contact: <sip:@:>;;\r\nExpires: never\r\n" if kind == "malformed" else (leg.extra)
            )
            return leg
        leg = self._leg_between(b"<%b>" % own, b"<%b>" % own, b"sip:" + realm)
        leg.extra += b"Expires: 3600\r\n" if kind == "registration" else b""
        return leg

    def _leg_between(self, caller: bytes, callee: bytes, target: bytes) -> Leg:
        """Return a leg that the subscriber begins."""
        home, site = self._subscriber.home, self._site
        contact = b"Contact: <sip:%b@%b:%d;transport=%b>\r\n" % (
            self._subscriber.user, home.host, home.port, site.transport.lower(),
        )  # fmt: skip
        name = site.world.new_name()
        call_id = b"%b@%b" % (name, home.host.strip(b"[]"))
        via = self._home_via()
        return Leg(caller, callee, target, call_id, name[:8], b"", via, contact + _AGENT)

    def _leg_of(self, way: int) -> Leg:
        """Return the leg for a request within the call (section 12.2.1.1)."""
        own, target = self._leg, self._contact(1 - way)
        if way == self._way:
            return Leg(
                own.caller, own.callee, target, own.call_id, own.tag, own.to_tag, own.via, own.extra
            )
        via = self._core_via() if way == DOWN else self._home_via()
        return Leg(
            own.callee, own.caller, target, own.call_id, own.to_tag, own.tag, via,
            b"Contact: <%b>\r\n" % self._contact(way),
        )  # fmt: skip

    def _ends(self) -> tuple[Endpoint, Endpoint]:
        return self._subscriber.home, self._subscriber.core

    def _contact(self, side: int) -> bytes:
        """URI of the subscriber (UP) or of the core (DOWN)."""
        transport = self._site.transport.lower()
        if side == DOWN:
            core = self._subscriber.core
            return b"sip:%b:%d;transport=%b" % (core.host, core.port, transport)
        place = self._subscriber.public
        fields = (self._subscriber.user, place.host, place.port, transport)
        return b"sip:%b@%b:%d;transport=%b" % fields

    def _home_via(self) -> bytes:
        home = self._subscriber.home
        return b"SIP/2.0/%b %b:%d" % (self._site.transport, home.host, home.port)

    def _core_via(self) -> bytes:
        core = self._subscriber.core
        return b"SIP/2.0/%b %b:%d" % (self._site.transport, core.host, core.port)
