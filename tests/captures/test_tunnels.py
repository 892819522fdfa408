"""Packets inside packets: the innermost addresses and ports, against tshark and by hand."""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from tests import builders as b
from tests.captures.reading import chunk_rows
from tests.captures.slow_cursor import Row, hash_address
from tests.captures.slow_decoder import decode
from tests.captures.test_properties import TUNNELS
from traffic_siamese.captures.link_types import READ, link_type_name
from traffic_siamese.captures.packets import ENCAPSULATIONS, REASSEMBLED
from traffic_siamese.captures.reader import read_packets

SIP = b"OPTIONS sip:a SIP/2.0\r\n\r\n"
INNER = b.ipv4(b.udp(SIP), source=b"\xc0\xa8\1\1", target=b"\xc0\xa8\1\2")
INNER6 = b.ipv6(b.udp(SIP), source=b"\x20\1" + bytes(14), target=b"\x20\2" + bytes(14))
LABEL = b"\0\1\1\x40"
LLC = b"\xaa\xaa\3\0\0\0\x08\0"
PKTAP = struct.pack("<III", 108, 1, 1) + bytes(96)


def nflog(packet: bytes, order: str = "<") -> bytes:
    """Return an NFLOG frame of a prefix attribute and the packet."""
    prefix = struct.pack(order + "HH", 7, 10) + b"ab\0\0"
    return b"\2\0\0\0" + prefix + struct.pack(order + "HH", len(packet) + 4, 9) + packet


def gre(kind: int, payload: bytes, flags: int = 0, options: bytes = b"") -> bytes:
    return b.ethernet(b.ipv4(struct.pack("!HH", flags, kind) + options + payload, 47))


FRAMES = {
    "gre": (1, gre(0x800, INNER)),
    "gre checksum key sequence": (1, gre(0x86DD, INNER6, 0xB000, bytes(12))),
    "gre bridging": (1, gre(0x6558, b.ethernet(INNER))),
    "erspan 2": (1, gre(0x88BE, bytes([0x10]) + bytes(7) + b.ethernet(INNER), 0x1000, bytes(4))),
    "pptp": (
        1,
        gre(0x880B, b"\xff\3\0\x21" + INNER, 0x3001, struct.pack("!HHI", len(INNER), 1, 0)),
    ),
    "gre over ipv6": (101, b.ipv6(b"\0\0\x08\0" + INNER, 47)),
    "ip in ip": (101, b.ipv4(INNER, 4)),
    "6in4": (101, b.ipv4(INNER6, 41)),
    "4in6": (101, b.ipv6(INNER, 4)),
    "gtp-u": (101, b.ipv4(b.udp(b.gtp_u(INNER), ports=(2152, 2152)))),
    "gtp-u numbered": (101, b.ipv4(b.udp(b.gtp_u(INNER6, numbered=True), ports=(2152, 2152)))),
    "gtp-u extension": (
        101,
        b.ipv4(b.udp(b.gtp_u(INNER, extensions=[(0x85, b"\0\1")]), ports=(2152, 2152))),
    ),
    "vxlan": (1, b.ethernet(b.ipv4(b.udp(b.vxlan(b.ethernet(INNER)), ports=(9999, 4789))))),
    "geneve": (
        1,
        b.ethernet(
            b.ipv4(b.udp(b"\0\0\x65\x58" + bytes(4) + b.ethernet(INNER), ports=(9999, 6081)))
        ),
    ),
    "pseudowire": (1, b.ethernet(LABEL + bytes(4) + b.ethernet(INNER), 0x8847)),
    "mpls": (1, b.ethernet(b"\0\1\0\x40" + LABEL + INNER6, 0x8847)),
    "vlan priority": (1, b.ethernet(INNER, tags=[0x8100])),
    "two tunnels": (101, b.ipv4(b.udp(b.gtp_u(b.ipv4(INNER6, 41)), ports=(2152, 2152)))),
    "nflog": (239, nflog(INNER)),
    "pktap": (258, PKTAP + b.ethernet(INNER)),
    "ppp": (9, b"\xff\3\0\x21" + INNER),
    "ppp compressed": (9, b"\x21" + INNER),
    "ppp hdlc": (50, b"\xff\3\0\x57" + INNER6),
    "cisco hdlc": (104, b"\x0f\0\x08\0" + INNER),
    "wireless": (105, b"\x08\1" + bytes(22) + LLC + INNER),
    "radiotap": (127, b"\0\0\x08\0\0\0\0\0\x88\1" + bytes(24) + LLC + INNER),
    "raw ipv4": (228, INNER),
    "raw ipv6": (229, INNER6),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_innermost_packet_counts(name: str) -> None:
    """Addresses, ports and payload are those of the packet that was put in."""
    link_type, frame = FRAMES[name]
    (chunk,) = read_packets(io.BytesIO(b.pcap([b.Packet(frame)], link_type=link_type)))
    (row,) = chunk_rows(chunk)
    wanted = INNER6 if INNER6 in frame else INNER
    ends = (wanted[8:24], wanted[24:40]) if wanted is INNER6 else (wanted[12:16], wanted[16:20])
    assert (row.src_key, row.dst_key) == tuple(hash_address(end) for end in ends)
    assert (row.src_port, row.dst_port, row.ip_protocol, row.flags) == (5060, 5061, 17, 0)
    assert frame[row.payload_offset :][: row.payload_bytes] == SIP


def test_tunnels_are_entered_to_a_bounded_depth() -> None:
    """A thousand headers inside each other: the outer ones are read, the packet is marked."""
    packet = INNER
    for _ in range(1000):
        packet = b.ipv4(packet, 4, total=20 + len(packet))
    (chunk,) = read_packets(io.BytesIO(b.pcap([b.Packet(packet)], link_type=101)))
    (row,) = chunk_rows(chunk)
    assert (row.ip_version, row.ip_protocol, row.flags & 8) == (4, 4, 8)


@pytest.mark.parametrize("port", [2152, 3544, 4789, 6081, 6635])
def test_a_port_alone_makes_no_tunnel(port: int) -> None:
    frame = b.ipv4(b.udp(SIP, ports=(5060, port)))
    (chunk,) = read_packets(io.BytesIO(b.pcap([b.Packet(frame)], link_type=101)))
    (row,) = chunk_rows(chunk)
    assert (row.dst_port, row.payload_bytes, row.flags, row.encapsulation) == (port, len(SIP), 0, 0)


@pytest.mark.parametrize("name", ["gre", "gre checksum key sequence", "erspan 2", "pptp"])
def test_a_cut_tunnel_is_read_as_far_as_it_goes(name: str) -> None:
    """At every place where it may be cut, a keep-alive's length among them."""
    link_type, frame = FRAMES[name]
    for length in range(len(frame) + 1):
        packet = b.Packet(frame[:length], wire_bytes=len(frame))
        (chunk,) = read_packets(io.BytesIO(b.pcap([packet], link_type=link_type)))
        (row,) = chunk_rows(chunk)
        assert row == decode(packet.frame, len(frame), link_type, packet.time_ns), length


def test_an_unread_link_type_is_told_once() -> None:
    capture = b.pcap([b.Packet(INNER)] * 3, link_type=147)
    reader = read_packets(io.BytesIO(capture))
    list(reader)
    (warning,) = reader.stats.warnings
    assert "3 of 3 packets have a link type that is not read: private use 0 (147)" in warning
    assert link_type_name(1) == "Ethernet"
    assert link_type_name(60_000) == "unknown"
    assert 239 in READ


def dissect(path: Path, *, whole: bool) -> list[dict[str, list[str]]]:
    """Return all occurrences of addresses, ports and protocols, per packet."""
    fields = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport")
    fields += ("tcp.srcport", "tcp.dstport", "frame.protocols")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "aggregator=;"]
    for name in ("ip.defragment", "ipv6.defragment"):
        command += ["-o", f"{name}:{str(whole).upper()}"]
    command += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return [dict(zip(fields, (c.split(";") for c in cells), strict=True)) for cells in lines]


def innermost(seen: dict[str, list[str]]) -> tuple[int, int, list[int] | None] | None:
    """Return the last addresses and ports that no ICMP error quotes; None where there is no IP."""
    protocols = seen["frame.protocols"][0].split(":")
    for quoting in ("icmp", "icmpv6"):
        if quoting in protocols:
            protocols = protocols[: protocols.index(quoting)]
    places = [i for i, name in enumerate(protocols) if name in ("ip", "ipv6")]
    if not places:
        return None
    kind, family = protocols[places[-1]], {"ip": socket.AF_INET, "ipv6": socket.AF_INET6}
    nth = protocols.count(kind) - 1
    ends = [seen[f"{kind}.{end}"][nth] for end in ("src", "dst")]
    keys = [hash_address(socket.inet_pton(family[kind], end)) for end in ends]
    ports = None
    for transport in ("udp", "tcp"):
        if transport in protocols[places[-1] :]:
            nth = protocols.count(transport) - 1
            ports = [int(seen[f"{transport}.{way}port"][nth]) for way in ("src", "dst")]
    return keys[0], keys[1], ports


def differing(path: Path) -> tuple[list[int], int]:
    """Return the numbers of packets that tshark sees otherwise, and how many were compared."""
    rows: list[Row] = [row for chunk in read_packets(path) for row in chunk_rows(chunk)]
    parts, wholes = dissect(path, whole=False), dissect(path, whole=True)
    assert len(rows) == len(parts)
    found = []
    for number, (row, part, whole) in enumerate(zip(rows, parts, wholes, strict=True), 1):
        wanted = innermost(whole if row.flags & REASSEMBLED else part)
        if wanted is None:
            same = row.ip_version == 0
        else:
            same = (row.src_key, row.dst_key) == wanted[:2]
            same &= wanted[2] is None or [row.src_port, row.dst_port] == wanted[2]
        found += [] if same else [number]
    return found, len(rows)


NO_TSHARK = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@NO_TSHARK
def test_tshark_sees_the_same_innermost_packets(tmp_path: Path) -> None:
    """Each frame above, and combinations of tunnels, on interfaces of one capture."""
    stacked = [
        (101, b.ipv4(payload, protocol))
        for kind, packet in ((0x800, INNER), (0x86DD, INNER6))
        for protocol, payload in (TUNNELS[name](kind, packet) for name in TUNNELS)
        if protocol != 137 and payload[2:4] != b"\x88\xbe"  # its mirror header is of no version
    ]
    items = list(FRAMES.values()) + stacked
    out = b.section()
    for number, (link_type, frame) in enumerate(items):
        out += b.interface(link_type=link_type)
        out += b.enhanced(b.Packet(frame), 10**15 + number, number=number)
    path = tmp_path / "tunnels.pcapng"
    path.write_bytes(out)
    found, n = differing(path)
    assert n == len(items)
    assert [items[i - 1][1][:60].hex() for i in found] == []


PUBLIC = os.environ.get("TRAFFIC_SIAMESE_PUBLIC_CAPTURES", "")
KNOWN = {"gtp_control_prime.pcap": [9, 10], "gtp9_unknown_or_too_short_payload.pcap": [11]}
"""User data of GTP version 0 on the port of GTP', which is not looked into; and what starts like
IP behind GTP-U but claims to be longer than the datagram around it."""


@NO_TSHARK
@pytest.mark.slow
@pytest.mark.skipif(not PUBLIC, reason="no public captures: TRAFFIC_SIAMESE_PUBLIC_CAPTURES")
def test_public_captures() -> None:
    """Every capture below the folder that the environment names."""
    for path in sorted(Path(PUBLIC).rglob("*.pcap*")):
        if "gopacket" not in str(path):
            assert differing(path)[0] == KNOWN.get(path.name, []), path.name


def test_encapsulations_have_their_bits() -> None:
    for name, bit in (("gre", "gre"), ("gtp-u", "gtp_u"), ("vxlan", "vxlan"), ("mpls", "mpls")):
        link_type, frame = FRAMES[name]
        reader = read_packets(io.BytesIO(b.pcap([b.Packet(frame)], link_type=link_type)))
        list(reader)
        assert reader.stats.encapsulations == {bit: 1}
        assert bit in ENCAPSULATIONS
