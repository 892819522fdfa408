"""Messages in fragmented datagrams: read once, and whole, in whatever order fragments come."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.features.sip import START_NS, Sip, address, datagram, read, totals
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.features.batches import Batcher

LONG_CALL = "c" * 700
ASK, RING, ANSWER = (Sip("INVITE", status, call=LONG_CALL) for status in (0, 180, 200))
CUT = 160
"""Inside the Call-ID: the first fragment alone has neither all of it nor the CSeq."""


def fragments(
    message: bytes, *, cut: int = CUT, number: int = 1, hosts: tuple[int, int] = (2, 1)
) -> list[bytes]:
    """Return the IP packets that carry a datagram in parts of ``cut`` bytes."""
    payload = b.udp(message, ports=(5060, 5060))
    source, target = (address(host) for host in hosts)
    parts = []
    for at in range(0, len(payload), cut):
        more = 0x2000 if at + cut < len(payload) else 0
        packet = b.ipv4(
            payload[at : at + cut], fragment=more | at // 8, source=source, target=target
        )
        parts.append(packet[:4] + number.to_bytes(2, "big") + packet[6:])
    return parts


def frames(packets: list[bytes], *, step_ns: int = 1_000_000) -> list[b.Packet]:
    """Put IP packets on a wire, one after the other."""
    return [b.Packet(b.ethernet(p), START_NS + i * step_ns) for i, p in enumerate(packets)]


def messages(path: Path, packets: list[b.Packet], *, chunk_bytes: int = 1 << 16) -> np.ndarray:
    """Return the rows of the messages in a capture."""
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    batcher, found = Batcher(), []
    for chunk in read_packets(path, chunk_bytes=chunk_bytes):
        found += [batch.messages.copy() for batch in batcher.add(chunk)]
    found += [batch.messages.copy() for batch in batcher.rest()]
    batcher.close()
    return np.concatenate(found)


def count(path: Path, packets: list[bytes], name: str) -> float:
    """Return a counter's sum over both directions."""
    found = totals(read(path, frames(packets)))
    return sum(found.get(f"{way}_service_{name}", 0) for way in ("to", "from"))


KEYS = ["transaction_key", "session_key", "target_key", "content_key", "status", "request_kind"]


def test_a_message_over_fragments_is_read_as_if_it_were_whole(tmp_path: Path) -> None:
    """The same keys as of the message in one datagram, and the same counts."""
    whole = messages(tmp_path / "whole.pcap", [datagram(ASK.wire, START_NS)])
    split = messages(tmp_path / "split.pcap", frames(fragments(ASK.wire)))
    assert len(whole) == len(split) == 1
    assert all(whole[name][0] == split[name][0] for name in KEYS)


@pytest.mark.parametrize("chunk_bytes", [64, 300, 1 << 16])
def test_chunks_do_not_show(tmp_path: Path, chunk_bytes: int) -> None:
    packets = frames([*fragments(ASK.wire), *fragments(RING.wire, hosts=(1, 2), cut=400)])
    found = messages(tmp_path / "chunks.pcap", packets, chunk_bytes=chunk_bytes)
    assert found["status"].tolist() == [0, 180]
    assert found["session_key"][0] == found["session_key"][1]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_fragments(tmp_path: Path, order: tuple[int, ...]) -> None:
    parts = fragments(ASK.wire, cut=400)
    assert len(parts) == 3
    found = messages(tmp_path / "order.pcap", frames([parts[i] for i in order]))
    whole = messages(tmp_path / "whole.pcap", [datagram(ASK.wire, START_NS)])
    assert found["transaction_key"].tolist() == whole["transaction_key"].tolist()


def test_datagrams_of_one_flow_may_interleave(tmp_path: Path) -> None:
    calls = [Sip("INVITE", call=f"{i}{LONG_CALL}").wire for i in range(20)]
    parts = [fragments(call, number=i) for i, call in enumerate(calls)]
    mixed = [part for together in zip(*parts, strict=True) for part in together]
    found = messages(tmp_path / "mixed.pcap", frames(mixed))
    whole = messages(tmp_path / "whole.pcap", [datagram(c, START_NS) for c in calls])
    assert found["content_key"].tolist() == whole["content_key"].tolist()


def test_a_first_fragment_alone_is_still_read(tmp_path: Path) -> None:
    """A capture filter by port passes first fragments only."""
    message = Sip("INVITE", body=bytes(2000)).wire
    first = fragments(message, cut=800)[:1]
    assert count(tmp_path / "first.pcap", first, "request_session_start") == 1


def test_fragments_are_counted_as_they_are(tmp_path: Path) -> None:
    """Four fragments are four packets and four fragments, though one message comes of them."""
    parts = fragments(ASK.wire, cut=240)
    assert len(parts) == 4
    for name, n in (("packets", 4), ("fragments", 4), ("request_session_start", 1)):
        assert count(tmp_path / "count.pcap", parts, name) == n


def test_answers_find_their_requests(tmp_path: Path) -> None:
    """One transaction, and no retransmission, comes of an exchange in fragments."""
    parts = [
        *fragments(ASK.wire, cut=400),
        *fragments(RING.wire, hosts=(1, 2), cut=400),
        *fragments(ANSWER.wire, hosts=(1, 2), cut=400, number=2),
    ]
    wanted = {"new_transactions": 1, "answer_provisional": 1, "answer_success": 1}
    wanted |= {"retransmitted_requests": 0, "duplicates": 0}
    for name, n in wanted.items():
        assert count(tmp_path / "answers.pcap", parts, name) == n, name


def test_tcp_in_fragments_is_joined_once(tmp_path: Path) -> None:
    wire = ASK.wire
    payload = b.tcp(wire, ports=(40000, 5060), numbers=(100, 1))
    packets = [
        b.ipv4(payload[:480], 6, fragment=0x2000),
        b.ipv4(payload[480:], 6, fragment=480 // 8),
    ]
    assert count(tmp_path / "tcp.pcap", packets, "request_session_start") == 1
    assert count(tmp_path / "tcp.pcap", packets, "tcp_retransmissions") == 0


def test_fragments_inside_a_tunnel_and_of_a_tunnel(tmp_path: Path) -> None:
    """User traffic may be cut before GTP-U or behind it: either way it is read once."""
    inner = [b.ipv4(b.udp(b.gtp_u(part), ports=(2152, 2152))) for part in fragments(ASK.wire)]
    whole = b.ipv4(b.udp(ASK.wire, ports=(5060, 5060)), source=address(2), target=address(1))
    payload = b.udp(b.gtp_u(whole), ports=(2152, 2152))
    outer = [
        b.ipv4(payload[:160], fragment=0x2000),
        b.ipv4(payload[160:], fragment=160 // 8),
    ]
    for name, packets in (("inner", inner), ("outer", outer)):
        found = messages(tmp_path / f"{name}.pcap", frames(packets))
        assert len(found) == 1, name
        single = messages(tmp_path / "whole.pcap", [datagram(ASK.wire, START_NS)])
        assert found["session_key"].tolist() == single["session_key"].tolist(), name
