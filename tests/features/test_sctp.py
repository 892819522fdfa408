"""SCTP's chunks: bundles, fragments, repeated numbers, and what its control chunks count as."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import builders as b
from tests.features import wire as w
from tests.features.dissection import messages_of, slots_of
from tests.features.sip import START_NS, read, totals

WATCHDOG = w.diameter(280)
LOCATION = w.diameter(316, [w.avp(1, "001010000000001"), w.avp(999, bytes(2000))], hop=2)


def cut(message: bytes, size: int, tsn: int = 1) -> list[bytes]:
    """Return a message as DATA chunks of this size."""
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    last = len(parts) - 1
    return [
        w.data_chunk(part, tsn + i, flags=2 * (i == 0) | (i == last))
        for i, part in enumerate(parts)
    ]


def packets_of(chunks: list[bytes]) -> list[b.Packet]:
    """Return a packet for each chunk, a millisecond apart."""
    return [w.sctp_packet(chunk, START_NS + i * 10**6) for i, chunk in enumerate(chunks)]


def slots(tmp_path: Path, packets: list[b.Packet]) -> list[str]:
    """Return the slot of each message that is read."""
    path = tmp_path / "sctp.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return slots_of(messages_of(path))


def test_messages_bundled_in_one_packet_are_all_read(tmp_path: Path) -> None:
    bundle = b"".join(w.data_chunk(WATCHDOG, i) for i in range(5)) + w.chunk(3, bytes(12))
    assert slots(tmp_path, packets_of([bundle])) == ["request_keep_alive"] * 5


@pytest.mark.parametrize("size", [4, 20, 64, 1000, 2100])
def test_fragments_are_joined(tmp_path: Path, size: int) -> None:
    """The kind stands in the first fragment, whatever its size."""
    assert slots(tmp_path, packets_of(cut(LOCATION, size))) == ["request_registration"]


def test_a_missing_fragment_leaves_the_head_to_be_read(tmp_path: Path) -> None:
    chunks = cut(LOCATION, 500)
    chunks = [chunks[0], *chunks[2:], w.data_chunk(WATCHDOG, 90)]
    assert slots(tmp_path, packets_of(chunks)) == ["request_registration", "request_keep_alive"]


def test_a_number_that_was_seen_counts_as_repeated_and_is_read_once(tmp_path: Path) -> None:
    """TSN 2 comes twice more, once behind 3; TSN 5 comes late but once."""
    numbers = [1, 2, 2, 3, 2, 4, 6, 5]
    packets = packets_of([w.data_chunk(w.diameter(280, hop=tsn), tsn) for tsn in numbers])
    found = totals(read(tmp_path / "repeats.pcap", packets))
    assert found["to_service_request_keep_alive"] == 6
    assert found["to_service_tcp_retransmissions"] == found["to_service_repeats"] == 3


def test_numbers_wrap_around(tmp_path: Path) -> None:
    numbers = [2**32 - 2, 2**32 - 1, 0, 1]
    packets = packets_of([w.data_chunk(w.diameter(280, hop=n % 7), n) for n in numbers])
    found = totals(read(tmp_path / "wrap.pcap", packets))
    assert found["to_service_request_keep_alive"] == 4
    assert "to_service_repeats" not in found


def test_init_counts_as_syn_and_abort_as_reset(tmp_path: Path) -> None:
    """Two attempts, the first repeated; one is refused by an ABORT."""
    back = {"hosts": (1, 2), "ports": (3868, 40000)}
    packets = [
        w.sctp_packet(w.init_chunk(5), START_NS, tag=0),
        w.sctp_packet(w.init_chunk(5), START_NS + 10**6, tag=0),
        w.sctp_packet(w.chunk(2, bytes(16)), START_NS + 2 * 10**6, **back),
        w.sctp_packet(w.init_chunk(6), START_NS + 3 * 10**6, tag=0),
        w.sctp_packet(w.chunk(6), START_NS + 4 * 10**6, **back),
    ]
    found = totals(read(tmp_path / "init.pcap", packets))
    assert found["to_service_tcp_syn"] == 3
    assert found["to_service_tcp_retransmissions"] == 1
    assert found["from_service_tcp_rst"] == found["from_service_refusals"] == 1
    assert "from_service_tcp_syn" not in found


def test_each_repeated_chunk_of_a_bundle_counts(tmp_path: Path) -> None:
    """Messages 1 to 3 in a packet each, then all again in one: as many as TCP would repeat."""
    chunks = [w.data_chunk(w.diameter(280, hop=tsn), tsn) for tsn in (1, 2, 3)]
    packets = packets_of([*chunks, b"".join(chunks), w.data_chunk(w.diameter(280, hop=4), 4)])
    found = totals(read(tmp_path / "bundle.pcap", packets))
    assert found["to_service_request_keep_alive"] == 4
    assert found["to_service_repeats"] == 3


def test_a_set_up_that_is_repeated_counts_on_both_sides(tmp_path: Path) -> None:
    """INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, each twice; each grant has a tag of its own."""
    back = {"hosts": (1, 2), "ports": (3868, 40000), "tag": 5}
    steps = [
        (w.init_chunk(5), {"tag": 0}), (w.init_chunk(5), {"tag": 0}),
        (w.chunk(2, b"first 16 bytes.."), back), (w.chunk(2, b"other 16 bytes.."), back),
        (w.chunk(10, bytes(8)), {"tag": 9}), (w.chunk(10, bytes(8)), {"tag": 9}),
        (w.chunk(11), back), (w.chunk(11), back),
    ]  # fmt: skip
    packets = [
        w.sctp_packet(one, START_NS + i * 10**6, **where) for i, (one, where) in enumerate(steps)
    ]
    found = totals(read(tmp_path / "set_up.pcap", packets))
    assert found["to_service_tcp_retransmissions"] == 2
    assert found["from_service_tcp_retransmissions"] == 2
    assert found["to_service_tcp_syn"] == 2


def test_an_association_that_is_set_up_in_sight_reads_its_first_number(tmp_path: Path) -> None:
    """COOKIE ECHO and the first message in one packet: nothing was repeated."""
    bundle = w.chunk(10, bytes(8)) + w.data_chunk(WATCHDOG, 70)
    found = totals(read(tmp_path / "first.pcap", packets_of([bundle])))
    assert found["to_service_request_keep_alive"] == 1
    assert "to_service_repeats" not in found


def test_an_identifier_in_the_stacks_own_byte_order_or_missing(tmp_path: Path) -> None:
    chunks = [w.data_chunk(WATCHDOG, i + 1, ppid=ppid) for i, ppid in enumerate((46 << 24, 0))]
    assert slots(tmp_path, packets_of(chunks)) == ["request_keep_alive"] * 2
