"""The same packets as tshark sees, on hand-built captures and on the recorded ones."""

from __future__ import annotations

import shutil
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from tests import builders as b
from tests.captures.reading import chunk_rows
from tests.captures.slow_cursor import Row
from tests.captures.test_decode import LINKS
from traffic_siamese.captures.compression import open_log
from traffic_siamese.captures.reader import read_packets

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

FIELDS = (
    "frame.time_epoch",
    "frame.cap_len",
    "frame.len",
    "ip.proto",
    "udp.srcport",
    "tcp.srcport",
    "sctp.srcport",
    "udp.length",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "icmp.type",
    "icmpv6.type",
)
OPTIONS = ("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE")
N_COMPARED = 5_000
UNKNOWN_TO_TSHARK = {"old QinQ", "raw openbsd"}
RECORDED = sorted((Path(__file__).parents[2] / "data").rglob("*.pcap*"))[:6]


def dissect(path: Path) -> list[dict[str, str]]:
    """Return tshark's first occurrence of each field, per packet."""
    command = ["tshark", "-n", "-r", str(path), "-c", str(N_COMPARED), "-T", "fields"]
    command += ["-E", "occurrence=f"]
    command += [word for option in OPTIONS for word in ("-o", option)]
    command += [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def nanoseconds(epoch: str) -> int:
    seconds, _, fraction = epoch.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def as_number(text: str) -> int:
    return int(text, 0) if text else 0


def compare(row: Row, seen: dict[str, str]) -> None:
    """Check every field that tshark gave against the row."""
    numbers = {name: as_number(seen[name]) for name in FIELDS[1:]}
    assert row.time_ns == nanoseconds(seen["frame.time_epoch"])
    assert (row.captured_bytes, row.wire_bytes) == (numbers["frame.cap_len"], numbers["frame.len"])
    if seen["ip.proto"]:
        assert (row.ip_version, row.ip_protocol) == (4, numbers["ip.proto"])
    ports = numbers["udp.srcport"] or numbers["tcp.srcport"] or numbers["sctp.srcport"]
    if row.ip_protocol in (6, 17, 132):
        assert row.src_port == ports
    if row.ip_protocol == 17 and not row.flags:
        assert row.payload_wire_bytes == numbers["udp.length"] - 8
    if row.ip_protocol == 6:
        assert (row.tcp_seq, row.tcp_ack) == (numbers["tcp.seq_raw"], numbers["tcp.ack_raw"])
        assert row.payload_wire_bytes == numbers["tcp.len"]
    if row.ip_protocol in (1, 58):
        assert row.icmp_type == (numbers["icmp.type"] or numbers["icmpv6.type"])


def read_some(path: Path, limit: int = N_COMPARED) -> list[Row]:
    rows = (row for chunk in read_packets(path) for row in chunk_rows(chunk))
    return list(islice(rows, limit))


def test_hand_built_capture(tmp_path: Path) -> None:
    """Every framing and transport, each on its own interface of one pcapng file."""
    more = [
        (1, b.ethernet(b.ipv4(b.tcp(b"data", numbers=(7, 8), options=bytes([1] * 8)), 6))),
        (1, b.ethernet(b.ipv4(b.sctp(b"\0\0\0\4"), 132))),
        (1, b.ethernet(b.ipv4(b.icmp(bytes(20), kind=8, code=0), 1))),
        (1, b.ethernet(b.ipv6(b.icmp(bytes(20), kind=128), 58), 0x86DD)),
        (101, b.ipv6(b.udp(b"x"), extensions=[(0, b"\0\1\4\0\0\0\0"), (60, b"\0\1\4\0\0\0\0")])),
        (1, b.ethernet(b.ipv4(b.udp(b"x" * 8, length=99), fragment=0x2000))),
        (1, b.ethernet(b.ipv4(b.udp(b"x", ports=(1, 2)))) + bytes(17)),
    ]
    items = [LINKS[name] for name in LINKS if name not in UNKNOWN_TO_TSHARK] + more
    out = b.section() + b.interface(link_type=1, resolution=9)
    for number, (link_type, frame) in enumerate(items, 1):
        out += b.interface(link_type=link_type, resolution=9)
        packet = b.Packet(frame, 1_700_000_000_000_000_007 + number)
        out += b.enhanced(packet, packet.time_ns, number=number)
    path = tmp_path / "hand.pcapng"
    path.write_bytes(out)
    rows, seen = read_some(path), dissect(path)
    assert len(rows) == len(seen) == len(items)
    for row, fields in zip(rows, seen, strict=True):
        compare(row, fields)


@pytest.mark.slow
@pytest.mark.skipif(not RECORDED, reason="no recorded captures")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_captures(path: Path, tmp_path: Path) -> None:
    """The first thousands of packets of real captures."""
    plain = tmp_path / "plain.pcap"
    decompress(path, plain)
    rows, seen = read_some(path), dissect(plain)
    assert len(rows) == len(seen) > 0
    for row, fields in zip(rows, seen, strict=True):
        compare(row, fields)


def decompress(path: Path, plain: Path) -> None:
    stream = open_log(path)
    view = memoryview(bytearray(1 << 20))
    with plain.open("wb") as file:
        while n := stream.readinto(view):
            file.write(view[:n])
    stream.close()
