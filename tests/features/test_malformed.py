"""Damaged SIP is read without an error and without delay."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.sip import START_NS, STYLES, Sip, datagram, read, segment
from tests.features.test_streams import STREAM

STARTS = [b"INVITE sip:a@b SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", b"SIP/2.0 ", b"OPTIONS * SIP/2.0\n"]
quick = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
def test_random_bytes_behind_a_start_line(tmp_path: Path, start: bytes, rest: bytes) -> None:
    packets = [datagram(start + rest, START_NS), segment(start + rest, 0), segment(rest, 9)]
    assert read(tmp_path / "random.pcap", packets).n_packets == 3


@quick
@given(data=st.data(), style=st.sampled_from(STYLES))
def test_flipped_bytes_of_a_message(tmp_path: Path, data: st.DataObject, style: str) -> None:
    wire = bytearray(Sip("INVITE", style=style).wire)
    for _ in range(data.draw(st.integers(1, 20))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    packets = [datagram(bytes(wire), START_NS), segment(bytes(wire), 0)]
    assert read(tmp_path / "flipped.pcap", packets).n_packets == 2


@quick
@given(
    pieces=st.lists(
        st.tuples(st.integers(0, len(STREAM)), st.integers(0, 200), st.integers(0, 200)),
        min_size=1,
        max_size=20,
    )
)
def test_segments_in_any_order_with_any_overlap(
    tmp_path: Path, pieces: list[tuple[int, int, int]]
) -> None:
    packets = [
        segment(STREAM[at : at + n], at, captured=min(kept, len(STREAM[at : at + n])))
        for at, n, kept in pieces
    ]
    log = read(tmp_path / "shuffled.pcap", packets)
    assert log.n_packets == len(packets)
