"""The two halves of an SCTP end, on values worked out by hand."""

from __future__ import annotations

import struct

import pytest

from traffic_siamese.simulate.signalling.sctp_chunks import Acked, Message
from traffic_siamese.simulate.signalling.sctp_receiver import Receiver
from traffic_siamese.simulate.signalling.sctp_sender import Sender

ROOM = 1468


def message(tsn: int, *, stream: int = 0, ssn: int = 0, n_bytes: int = 100) -> Message:
    return Message(tsn, stream, ssn, bytes(n_bytes), lambda _: None, None)


def sender(n: int, n_bytes: int = 100) -> Sender:
    """Return one with so many messages waiting, from number 1 on."""
    one = Sender(1, ROOM, (0.2, 60.0))
    one.waiting.extend(message(tsn, n_bytes=n_bytes) for tsn in range(1, n + 1))
    return one


def numbers(packed: list[Message]) -> list[int]:
    return [one.tsn for one in packed]


def test_the_time_to_wait_follows_round_trips() -> None:
    """Section 6.3.1.

    First 0.1 s: 0.1 + 4 · 0.05 = 0.3. Then 0.2 s: the deviation is 0.75 · 0.05 + 0.25 · 0.1 =
    0.0625, the mean 0.875 · 0.1 + 0.125 · 0.2 = 0.1125.
    """
    one = sender(0)
    one.measure(0.1)
    assert one.rto_s == pytest.approx(0.3)
    one.measure(0.2)
    assert one.rto_s == pytest.approx(0.1125 + 4 * 0.0625)
    for _ in range(100):
        one.measure(0.001)
    assert one.rto_s == 0.2
    for _ in range(20):
        one.back_off()
    assert one.rto_s == 60.0


def test_a_repeated_message_tells_no_round_trip() -> None:
    """Karn's rule: the acknowledgement may be that of the first copy."""
    one = sender(2)
    one.pack(ROOM, 0.0)
    one.expire()
    one.pack(ROOM, 5.0)
    one.take_sack(Acked(2, ()), 5.1)
    assert one.mean_s == 0.0


def test_a_window_opens_in_slow_start_and_closes_when_the_timer_rings() -> None:
    """Sections 7.2.1 and 7.2.3.

    4404 bytes at first; chunks of 1016 bytes, so five are sent; two that arrive open it by a
    packet. Then a packet's worth, and half of 5872 but at least 4 packets.
    """
    one = sender(20, n_bytes=1000)
    packets = [numbers(one.pack(ROOM, 0.0)) for _ in range(6)]
    assert packets == [[1], [2], [3], [4], [5], []]
    one.take_sack(Acked(2, ()), 0.1)
    assert one.window_bytes == 4404 + ROOM
    one.expire()
    assert (one.window_bytes, one.threshold_bytes) == (ROOM, 4 * ROOM)
    assert numbers(one.pack(ROOM, 1.0)) == [3]


def test_three_reports_that_miss_a_message_repeat_it_once() -> None:
    """Section 7.2.4; what arrived behind it is not sent again."""
    one = sender(6)
    one.pack(ROOM, 0.0)
    asked = [one.take_sack(Acked(0, ((2, tsn),)), 0.1)[1] for tsn in (2, 3, 4, 5, 6)]
    assert asked == [False, False, True, False, False]
    assert numbers(one.pack(ROOM, 0.2, at_least_one=True)) == [1]
    assert one.recover_tsn == 6
    one.take_sack(Acked(6, ()), 0.3)
    assert (one.recover_tsn, len(one.sent)) == (None, 0)


def test_what_was_reported_behind_a_gap_is_not_repeated_by_the_timer() -> None:
    one = sender(4)
    one.pack(ROOM, 0.0)
    one.take_sack(Acked(1, ((3, 3),)), 0.1)
    one.expire()
    assert numbers(one.pack(ROOM, 1.0)) == [2, 4]


def test_a_packet_holds_what_fits() -> None:
    """Chunks of 116 bytes, twelve in 1468; with 100 bytes less, eleven."""
    one = sender(40)
    assert numbers(one.pack(ROOM, 0.0)) == list(range(1, 13))
    assert numbers(one.pack(ROOM - 100, 0.0)) == list(range(13, 24))


def test_a_gap_holds_up_its_own_stream_only() -> None:
    """Section 6.5: the second message of stream 1 waits for the first, stream 2 goes on."""
    half = Receiver(10)
    assert half.take(message(11, stream=1, ssn=1)) == []
    assert numbers(half.take(message(12, stream=2, ssn=0))) == [12]
    assert numbers(half.take(message(10, stream=1, ssn=0))) == [10, 11]
    assert half.cumulative == 12


def test_a_report_tells_blocks_and_what_came_twice() -> None:
    """Cumulative 2^32 + 1 is written 1; the blocks are 3 to 4 and 6 behind it; 4 came again."""
    base = 1 << 32
    half = Receiver(base)
    for tsn in (0, 1, 4, 5, 7, 4):
        half.take(message(base + tsn, ssn=tsn))
    half.n_unreported = 1
    assert half.must_report
    n_bytes = half.report_bytes
    wire = half.report().wire
    assert len(wire) == n_bytes == 28
    assert struct.unpack(">BBHIIHH", wire[:16])[3:] == (1, 106_496, 2, 1)
    assert struct.unpack(">HHHHI", wire[16:]) == (3, 4, 6, 6, 4)
    assert not half.report_bytes
