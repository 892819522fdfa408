"""SIP over TCP: messages cut, joined, lost, repeated and shifted; and odd datagrams."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from tests import builders as b
from tests.features.sip import SECOND, START_NS, Sip, datagram, read, segment, totals

ASK = Sip("INVITE", body=b"v=0\r\n\r\nOPTIONS sip:not-a-message SIP/2.0\r\n\r\n")
MESSAGES = [
    ASK,
    Sip("REGISTER", branch="z9hG4bK2", style="compact"),
    Sip("OPTIONS", branch="z9hG4bK3", style="folded", body=b"x" * 50),
]
STREAM = b"\r\n\r\n".join(message.wire for message in MESSAGES)
KINDS = {"session_start": 1.0, "registration": 1.0, "keep_alive": 1.0}


def kinds(tmp_path: Path, packets: list[b.Packet]) -> dict[str, float]:
    """Return how many requests of each kind were read."""
    found = totals(read(tmp_path / "stream.pcap", packets))
    prefix = "to_service_request_"
    return {name.removeprefix(prefix): n for name, n in found.items() if name.startswith(prefix)}


def pieces(cuts: list[int], *, start: int = 1000) -> list[b.Packet]:
    """Return the stream in segments that end at the cuts."""
    ends = [0, *cuts, len(STREAM)]
    pairs = itertools.pairwise(ends)
    return [segment(STREAM[low:high], start + low) for low, high in pairs if high > low]


def test_a_stream_cut_at_any_byte_reads_the_same(tmp_path: Path) -> None:
    """Heads, blank lines, bodies and keep-alives fall on either side of the cut."""
    for cut in range(1, len(STREAM)):
        assert kinds(tmp_path, pieces([cut])) == KINDS, cut


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_tiny_segments_are_joined(tmp_path: Path, size: int) -> None:
    assert kinds(tmp_path, pieces(list(range(size, len(STREAM), size)))) == KINDS


def test_sequence_numbers_wrap(tmp_path: Path) -> None:
    for start in range(2**32 - len(STREAM) - 1, 2**32 + 1, 29):
        assert kinds(tmp_path, pieces([200, 400], start=start)) == KINDS


def test_repeated_and_overlapping_segments_count_once(tmp_path: Path) -> None:
    rng = random.Random(1)
    for _ in range(50):
        low = rng.randrange(1, len(STREAM) - 100)
        overlap = rng.randrange(low)
        packets = [segment(STREAM[:low], 1000), segment(STREAM[overlap:], 1000 + overlap)]
        again = segment(STREAM[:low], 1000)
        assert kinds(tmp_path, [*packets, again]) == KINDS
        found = totals(read(tmp_path / "again.pcap", [*packets, again]))
        assert found["to_service_tcp_retransmissions"] == 1


def test_a_lost_segment_that_is_sent_again_is_read(tmp_path: Path) -> None:
    """The second message's segment was lost before it was captured and comes after the third."""
    first, second, third = (message.wire for message in MESSAGES)
    a, c = 1000 + len(first), 1000 + len(first) + len(second)
    packets = [segment(first, 1000), segment(third, c), segment(second, a)]
    assert kinds(tmp_path, packets) == KINDS
    assert kinds(tmp_path, [*packets, segment(second, a)]) == KINDS


def test_a_hole_inside_a_body_is_passed_over(tmp_path: Path) -> None:
    head, body = len(ASK.head), len(ASK.wire)
    packets = [segment(STREAM[: head + 3], 0), segment(STREAM[body - 2 :], body - 2)]
    assert kinds(tmp_path, packets) == KINDS


def test_a_hole_inside_a_head_leaves_what_was_seen(tmp_path: Path) -> None:
    first = ASK.wire
    packets = [segment(STREAM[:60], 0), segment(STREAM[len(first) :], len(first))]
    assert kinds(tmp_path, packets) == KINDS


def test_segments_cut_by_the_capture_length_still_show_their_messages(tmp_path: Path) -> None:
    """96 bytes hold the start line; the rest of each segment is a hole."""
    packets, at = [], 0
    for message in MESSAGES:
        packets.append(segment(message.wire, at, captured=96))
        at += len(message.wire)
    assert kinds(tmp_path, packets) == KINDS


def test_a_connection_reused_without_its_syn_is_read_from_its_first_segment(tmp_path: Path) -> None:
    packets = [segment(MESSAGES[0].wire, 3_000_000_000), segment(MESSAGES[1].wire, 1_000_000_000)]
    assert kinds(tmp_path, packets) == {"session_start": 1.0, "registration": 1.0}


def test_a_new_syn_starts_the_stream_over(tmp_path: Path) -> None:
    later = segment(MESSAGES[1].wire, 401)
    packets = [segment(STREAM[:40], 1000), segment(b"", 400, flags=2), later]
    assert kinds(tmp_path, packets)["registration"] == 1


def test_a_repeated_syn_is_a_retransmission_and_a_keep_alive_probe_is_not(tmp_path: Path) -> None:
    syn, probe = segment(b"", 999, flags=2), segment(b"\0", 1000 + len(STREAM) - 1)
    found = totals(read(tmp_path / "syn.pcap", [syn, syn, *pieces([]), probe]))
    assert found["to_service_tcp_syn"] == 2
    assert found["to_service_tcp_retransmissions"] == found["to_service_repeats"] == 1


def test_reading_finds_the_next_message_after_bytes_that_are_none(tmp_path: Path) -> None:
    """The first segment's end looks like the start of a method."""
    noise = b"\x16\x03\x01 binary\nGE"
    packets = [segment(noise, 0), segment(b"T / HTTP/1.1\n" + STREAM, len(noise))]
    assert kinds(tmp_path, packets) == KINDS


@pytest.mark.parametrize(
    "payload",
    [
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"INVITE sip:bob@example.com HTTP/1.1\r\n\r\n",
        b"SIP/2.0 099 Too low\r\n\r\n",
        b"SIP/2.0 700 Too high\r\n\r\n",
        b"\r\n\r\n",
        b"invite",
    ],
)
def test_what_only_resembles_sip_is_not_counted(tmp_path: Path, payload: bytes) -> None:
    found = totals(read(tmp_path / "other.pcap", [datagram(payload, START_NS)]))
    assert not [name for name in found if "request" in name or "answer" in name]


def test_the_first_fragment_of_a_datagram_shows_its_message(tmp_path: Path) -> None:
    whole = b.udp(Sip("INVITE", body=b"x" * 3000).wire, ports=(5060, 5060))
    first = b.ethernet(b.ipv4(whole[:1480], fragment=0x2000))
    later = b.ethernet(b.ipv4(whole[1480:], fragment=185))
    packets = [b.Packet(first, START_NS), b.Packet(later, START_NS + 1)]
    found = totals(read(tmp_path / "fragments.pcap", packets))
    assert sum(n for name, n in found.items() if name.endswith("request_session_start")) == 1
    assert sum(n for name, n in found.items() if name.endswith("_fragments")) == 2


def test_one_packet_from_a_wrong_clock_does_not_spoil_the_rest(tmp_path: Path) -> None:
    """A packet dated a year ahead comes first; the requests after it are answered in time."""
    packets = [datagram(Sip("OPTIONS", call="odd").wire, START_NS + 365 * 86400 * SECOND)]
    for i in range(5):
        ask = Sip("OPTIONS", call=f"call-{i}")
        at = START_NS + i * SECOND
        packets.append(datagram(ask.wire, at))
        answer = Sip("OPTIONS", 200, call=f"call-{i}")
        packets.append(datagram(answer.wire, at + SECOND // 10, hosts=(1, 2)))
    packets.append(datagram(b"\r\n\r\n", START_NS + 9 * SECOND))
    found = totals(read(tmp_path / "clock.pcap", packets))
    assert not [name for name in found if "unanswered" in name]
