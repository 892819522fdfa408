"""Names of the link types of captures, and which of them are read.

References
----------
tcpdump.org/linktypes.html
"""

from __future__ import annotations

from collections.abc import Mapping

READ: Mapping[int, str] = {
    0: "BSD loopback",
    1: "Ethernet",
    9: "PPP",
    12: "raw IP",
    14: "raw IP",
    50: "PPP in HDLC",
    51: "PPP over Ethernet",
    101: "raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    108: "OpenBSD loopback",
    113: "Linux cooked",
    117: "OpenBSD PFLOG",
    127: "IEEE 802.11 radiotap",
    166: "PPP of pppd",
    204: "PPP with direction",
    228: "raw IPv4",
    229: "raw IPv6",
    239: "Linux NFLOG",
    258: "Apple PKTAP",
    276: "Linux cooked v2",
}
"""Link types in which IP packets are looked for."""

_OTHERS: Mapping[int, str] = {
    3: "AX.25",
    6: "Token Ring",
    7: "ARCNET",
    8: "SLIP",
    10: "FDDI",
    99: "Symantec firewall",
    100: "ATM",
    106: "ATM of Linux",
    107: "Frame Relay",
    109: "OpenBSD ENC",
    119: "IEEE 802.11 Prism",
    122: "IP over Fibre Channel",
    123: "SunATM",
    138: "IP over FireWire",
    139: "MTP2 with pseudo-header",
    140: "MTP2",
    141: "MTP3",
    142: "SCCP",
    143: "DOCSIS",
    144: "IrDA",
    163: "IEEE 802.11 AVS",
    177: "LAPD of Linux",
    187: "Bluetooth HCI",
    189: "USB of Linux",
    192: "PPI",
    195: "IEEE 802.15.4",
    197: "Endace ERF",
    201: "Bluetooth HCI",
    203: "LAPD",
    220: "USB of Linux",
    226: "Solaris IPNET",
    227: "CAN bus",
    231: "D-Bus",
    240: "NetAnalyzer",
    242: "IP over InfiniBand",
    248: "SCTP without IP",
    249: "USBPcap",
    251: "Bluetooth Low Energy",
    252: "Wireshark exported PDU",
    253: "Netlink",
    272: "nRF Sniffer",
    274: "Ethernet mPackets",
}
_FIRST_USER, _LAST_USER = 147, 162


def link_type_name(number: int) -> str:
    """Name a link type.

    Parameters
    ----------
    number : int
        LINKTYPE number.

    Returns
    -------
    str
        Such as ``"Ethernet"``; ``"unknown"`` for numbers without a name here.
    """
    if _FIRST_USER <= number <= _LAST_USER:
        return f"private use {number - _FIRST_USER}"
    return READ.get(number) or _OTHERS.get(number, "unknown")


def describe_unread(name: str, link_types: Mapping[int, int]) -> str:
    """Describe the packets whose link type is not read.

    Parameters
    ----------
    name : str
        The log's name.
    link_types : mapping of int to int
        LINKTYPE number to packets.

    Returns
    -------
    str
        One line; empty where all link types are read.
    """
    unread = {kind: n for kind, n in sorted(link_types.items()) if kind not in READ}
    if not unread:
        return ""
    words = ", ".join(f"{link_type_name(kind)} ({kind})" for kind in unread)
    total = sum(link_types.values())
    return (
        f"{name}: {sum(unread.values())} of {total} packets have a link type that is not read: "
        f"{words}. Capture on an IP interface, or convert the capture to Ethernet or raw IP."
    )
