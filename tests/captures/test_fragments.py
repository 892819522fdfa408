"""IP fragments put together: against the payload that was cut, in bounded memory and time."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import builders as b
from traffic_siamese.captures.packets import REASSEMBLED, Fragments
from traffic_siamese.captures.reader import CaptureStats, read_packets

SECOND = 10**9
BODY = bytes(random.Random(1).randbytes(3000))


def part4(payload: bytes, at: int, end: int, *, number: int = 7) -> bytes:
    """Return bytes at..end of an IPv4 payload as a fragment."""
    more = 0x2000 if end < len(payload) else 0
    packet = b.ipv4(payload[at:end], fragment=more | at // 8)
    return packet[:4] + struct.pack("!H", number) + packet[6:]


def part6(payload: bytes, at: int, end: int, *, number: int = 7) -> bytes:
    """Return the same of IPv6."""
    header = struct.pack("!BHI", 0, at | (end < len(payload)), number)
    return b.ipv6(payload[at:end], 17, extensions=[(44, header)])


PARTS = {4: part4, 6: part6}


def whole_payloads(
    packets: Iterable[bytes], *, step_ns: int = 1000, chunk_bytes: int = 1 << 16
) -> tuple[list[bytes], CaptureStats]:
    """Return the payload of each datagram that was put together."""
    items = [b.Packet(packet, SECOND + i * step_ns) for i, packet in enumerate(packets)]
    capture = b.pcap(items, magic=b.NANOSECONDS, link_type=101)
    found = []
    reader = read_packets(io.BytesIO(capture), chunk_bytes=chunk_bytes)
    for chunk in reader:
        for i in (chunk.flags & REASSEMBLED).nonzero()[0]:
            at, n = int(chunk.payload_offset[i]), int(chunk.payload_bytes[i])
            found.append(chunk.data[at : at + n].tobytes())
            assert (chunk.src_port[i], chunk.dst_port[i]) == (5060, 5061)
    return found, reader.stats


@pytest.mark.parametrize("version", PARTS)
@settings(max_examples=60, deadline=None)
@given(
    cuts=st.sets(st.integers(1, 375), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
    chunk_bytes=st.sampled_from([64, 500, 1 << 16]),
)
def test_parts_in_any_order_give_the_datagram(
    version: int, cuts: set[int], seed: int, chunk_bytes: int
) -> None:
    payload = b.udp(BODY)
    edges = [0, *(8 * cut for cut in sorted(cuts)), len(payload)]
    pairs = [(at, end) for at, end in pairwise(edges) if at < end]
    parts = [PARTS[version](payload, at, end) for at, end in pairs]
    random.Random(seed).shuffle(parts)
    found, stats = whole_payloads(parts, chunk_bytes=chunk_bytes)
    assert found == [BODY]
    assert (stats.n_fragments, stats.n_reassembled) == (len(parts), 1)


@pytest.mark.parametrize("version", PARTS)
def test_a_missing_part_leaves_fragments(version: int) -> None:
    payload = b.udp(BODY)
    parts = [PARTS[version](payload, at, at + 1000) for at in (0, 2000, 3000)]
    assert whole_payloads(parts)[0] == []


@pytest.mark.parametrize("version", PARTS)
def test_a_part_seen_twice_does_no_harm(version: int) -> None:
    """A mirror port may show each packet twice: no overlap, but the same again."""
    payload = b.udp(BODY)
    parts = [PARTS[version](payload, at, at + 1000) for at in (0, 0, 1000, 1000, 2000, 3000)]
    assert whole_payloads(parts)[0] == [BODY]


def test_what_came_first_stays_where_ipv4_overlaps() -> None:
    """Bytes 800 to 1600 come twice, the second time as zeros."""
    payload = b.udp(BODY)
    forged = payload[:800] + bytes(800) + payload[1600:]
    first = [part4(payload, 0, 1600), part4(forged, 800, 2400), part4(payload, 2400, 3008)]
    assert whole_payloads(first)[0] == [BODY]
    last = [part4(forged, 800, 2400), part4(payload, 0, 1600), part4(payload, 2400, 3008)]
    assert whole_payloads(last)[0] == [forged[8:]]


def test_ipv6_with_an_overlap_is_dropped() -> None:
    """RFC 5722: the whole datagram, parts that come later included."""
    payload = b.udp(BODY)
    parts = [part6(payload, 0, 1600), part6(payload, 800, 2400), part6(payload, 2400, 3008)]
    assert whole_payloads([*parts, parts[0]])[0] == []


def test_parts_too_far_apart_are_of_two_datagrams() -> None:
    """Identifications come round again: 30 s are the limit."""
    payload = b.udp(BODY)
    parts = [part4(payload, 0, 1600), part4(payload, 1600, 3008)]
    assert whole_payloads(parts, step_ns=29 * SECOND)[0] == [BODY]
    assert whole_payloads(parts, step_ns=31 * SECOND)[0] == []


@pytest.mark.parametrize("version", PARTS)
def test_a_part_captured_in_part_completes_nothing(version: int) -> None:
    payload = b.udp(BODY)
    items = [PARTS[version](payload, 0, 1600), PARTS[version](payload, 1600, 3008)]
    packets = [b.Packet(items[0], 1000), b.Packet(items[1][:-9], 2000, len(items[1]))]
    reader = read_packets(io.BytesIO(b.pcap(packets, link_type=101)))
    assert not any((chunk.flags & REASSEMBLED).any() for chunk in reader)


def test_parts_that_contradict_each_other_complete_nothing() -> None:
    payload = b.udp(BODY)
    beyond = [part4(payload, 1600, 3008), part4(payload + bytes(100), 3008, 3100)]
    assert whole_payloads([*beyond, part4(payload, 0, 1600)])[0] == [BODY]
    assert whole_payloads([part4(payload, 0, 1600), part4(payload[:-100], 2000, 2908)])[0] == []


def test_a_flood_of_parts_stays_in_bounds() -> None:
    """60,000 datagrams that lack a part, some at the far end; a sound one still comes through."""
    payload, numbers = b.udp(BODY), random.Random(2)
    flood = [
        part4(bytes(65_528), at, at + 8, number=numbers.randrange(1 << 16))
        for at in (numbers.randrange(0, 65_000, 8) for _ in range(60_000))
    ]
    sound = [part4(payload, 0, 1600, number=9), part4(payload, 1600, 3008, number=9)]
    found, stats = whole_payloads([*flood, *sound])
    assert BODY in found
    assert stats.n_fragments == 60_002
    assert Fragments.max_bytes <= 2 << 20


def test_the_longest_datagram() -> None:
    body = bytes(random.Random(3).randbytes(65_507 - 20))
    payload = b.udp(body)
    parts = [
        part4(payload, at, min(at + 1480, len(payload))) for at in range(0, len(payload), 1480)
    ]
    assert whole_payloads(parts)[0] == [body]


def test_nothing_fits_behind_the_last_byte_of_a_datagram() -> None:
    """The teardrop's cousin: an offset and a length that add up beyond 64 KiB."""
    late = b.ipv4(bytes(1000), fragment=0x1FFF)
    assert whole_payloads([part4(b.udp(BODY), 0, 1600), late])[0] == []
