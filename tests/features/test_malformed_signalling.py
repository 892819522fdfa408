"""Damaged signalling of every protocol is read without an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders as b
from tests.features import wire as w
from tests.features.dissection import messages_of
from tests.features.sip import START_NS, datagram, segment

CREDIT = w.diameter(
    272,
    [w.avp(263, "a;1"), w.avp(416, 1), w.avp(443, w.avp(444, "49")), w.experimental(5001)],
    request=False,
)
SAMPLES = {
    "diameter": (CREDIT, 3868),
    "gtp2": (w.gtp2(33, w.cause2(16) + w.fteid2(7), flags=16) + w.gtp2(95), 2123),
    "gtp1": (w.gtp1(17, b"\1\x80\x11\0\0\0\5\x80\0\4\1\2\3\4"), 2123),
    "pfcp": (w.pfcp(51, w.element_pfcp(19, b"\1") + w.element_pfcp(57, bytes(13)), seid=1), 8805),
    "radius": (
        w.radius(4, w.attribute(40, 1) + w.attribute(44, b"s") + w.attribute(1, b"u")),
        1813,
    ),
    "dns": (w.dns(), 53),
    "dns_tcp": (b"\0\x1d" + w.dns(), 53),
}
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_any_way(path: Path, payloads: list[bytes], port: int) -> int:
    """Carry each over UDP, TCP (in one stream, and alone) and SCTP; return what is read."""
    packets, at = [], 0
    for i, data in enumerate(payloads):
        time_ns = START_NS + i * 10**6
        packets.append(datagram(data, time_ns, ports=(40000, port)))
        packets.append(segment(data, at, time_ns=time_ns, ports=(40000, port)))
        packets.append(segment(data, 0, time_ns=time_ns, ports=(50000 + i, port)))
        packets.append(w.sctp_packet(w.data_chunk(data, i), time_ns))
        packets.append(w.sctp_packet(data, time_ns))
        at += len(data) + (i % 7)
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return len(messages_of(path))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_message_cut_at_every_byte(tmp_path: Path, name: str) -> None:
    sample, port = SAMPLES[name]
    assert read_any_way(tmp_path / "cut.pcap", [sample[:n] for n in range(len(sample) + 1)], port)


@quick
@given(data=st.data(), name=st.sampled_from(sorted(SAMPLES)))
def test_flipped_bytes(tmp_path: Path, data: st.DataObject, name: str) -> None:
    sample, port = SAMPLES[name]
    damaged = []
    for _ in range(20):
        wire = bytearray(sample)
        for _ in range(data.draw(st.integers(1, 4))):
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
        damaged.append(bytes(wire))
    assert read_any_way(tmp_path / "flipped.pcap", damaged, port) <= 300


@quick
@given(chunks=st.lists(st.binary(max_size=60), min_size=1, max_size=10))
def test_random_chunks(tmp_path: Path, chunks: list[bytes]) -> None:
    packets = [w.sctp_packet(data, START_NS) for data in chunks]
    path = tmp_path / "random.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    messages_of(path)
