"""Who sends to whom: the headers that all packets of one flow share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

UDP, TCP, SCTP, ICMP, ICMPV6 = 17, 6, 132, 1, 58

_MACS = (bytes.fromhex("02005e000001"), bytes.fromhex("02005e000002"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IP address and a port; ``address`` in network byte order."""

    address: bytes
    port: int

    @property
    def host(self) -> bytes:
        """The address as SIP writes it: IPv6 in brackets."""
        return _host(self.address)


@lru_cache(maxsize=1 << 14)
def _host(address: bytes) -> bytes:
    text = str(ip_address(address)).encode()
    return b"[%b]" % text if len(address) == 16 else text


def header(source: Endpoint, target: Endpoint, protocol: int, *, from_core: bool) -> bytes:
    """Return Ethernet, IP and transport header of a flow; lengths, checksums and numbers are 0.

    TCP has room for twelve bytes of options.
    """
    macs = _MACS[::-1] if from_core else _MACS
    if len(source.address) == 4:
        link = macs[1] + macs[0] + b"\x08\x00"
        ip = bytes((0x45, 0, 0, 0, 0, 0, 0x40, 0, 62, protocol, 0, 0))
    else:
        link = macs[1] + macs[0] + b"\x86\xdd"
        ip = bytes((0x60, 0, 0, 0, 0, 0, protocol, 62))
    ports = source.port.to_bytes(2, "big") + target.port.to_bytes(2, "big")
    transport = {
        UDP: ports + bytes(4),
        TCP: ports + bytes(8) + b"\x80\x00\xfa\xf0" + bytes(16),
        SCTP: ports + bytes(8),
        ICMP: b"\x03\x03" + bytes(6),
        ICMPV6: b"\x01\x04" + bytes(6),
    }[protocol]
    return link + ip + source.address + target.address + transport


class FlowTable:
    """All flows of a simulation, by number.

    Attributes
    ----------
    headers : list of bytes
        As `header` gives them.
    """

    def __init__(self) -> None:
        self.headers: list[bytes] = []

    def add(self, source: Endpoint, target: Endpoint, protocol: int, *, from_core: bool) -> int:
        """Return the number of a new flow."""
        self.headers.append(header(source, target, protocol, from_core=from_core))
        return len(self.headers) - 1
