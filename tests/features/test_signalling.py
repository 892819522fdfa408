"""Transactions and sessions of every protocol, on hand-made exchanges."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import builders as b
from tests.features import wire as w
from tests.features.sip import SECOND, START_NS, datagram, read, segment, totals

Exchange = tuple[float, bool, bytes]  # seconds, from the client, what is said


def exchange(tmp_path: Path, said: list[Exchange], port: int) -> dict[str, float]:
    """Say it over UDP between client 2 and server 1; return the totals."""
    ports = (40000, port)
    packets = []
    for at, asks, payload in said:
        ways = {"hosts": (2, 1) if asks else (1, 2), "ports": ports if asks else ports[::-1]}
        packets.append(datagram(payload, START_NS + int(at * SECOND), **ways))
    return totals(read(tmp_path / "exchange.pcap", packets))


def over_sctp(tmp_path: Path, said: list[Exchange]) -> dict[str, float]:
    """Say it over SCTP between client 2 and server 1; return the totals."""
    packets = []
    for i, (at, asks, payload) in enumerate(said):
        ends = {} if asks else {"hosts": (1, 2), "ports": (3868, 40000), "tag": 8}
        chunk = w.data_chunk(payload, i + 1)
        packets.append(w.sctp_packet(chunk, START_NS + int(at * SECOND), **ends))
    return totals(read(tmp_path / "exchange.pcap", packets))


SESSIONS: dict[str, tuple[list[Exchange], int]] = {
    "gtp2": (
        [
            (0.0, True, w.gtp2(32, w.fteid2(77), teid=0, sequence=1)),
            (0.2, False, w.gtp2(33, w.cause2(16) + w.fteid2(5), teid=77, sequence=1)),
            (9.2, True, w.gtp2(36, teid=5, sequence=2)),
            (9.4, False, w.gtp2(37, w.cause2(16), teid=77, sequence=2)),
        ],
        2123,
    ),
    "gtp1": (
        [
            (0.0, True, w.gtp1(16, b"\x11\0\0\0\x4d", sequence=1)),
            (0.2, False, w.gtp1(17, b"\1\x80\x11\0\0\0\5", teid=77, sequence=1)),
            (9.2, True, w.gtp1(20, teid=5, sequence=2)),
            (9.4, False, w.gtp1(21, b"\1\x80", teid=77, sequence=2)),
        ],
        2123,
    ),
    "pfcp": (
        [
            (0.0, True, w.pfcp(50, seid=0, sequence=1)),
            (
                0.2,
                False,
                w.pfcp(51, w.element_pfcp(19, b"\1") + w.element_pfcp(57, b"\2" + bytes(7) + b"\5"),
                       seid=77, sequence=1),
            ),
            (9.2, True, w.pfcp(54, seid=5, sequence=2)),
            (9.4, False, w.pfcp(55, w.element_pfcp(19, b"\1"), seid=77, sequence=2)),
        ],
        8805,
    ),
    "radius": (
        [
            (0.0, True, w.radius(4, w.attribute(40, 1) + w.attribute(44, b"s1"), identifier=1)),
            (0.2, False, w.radius(5, identifier=1)),
            (9.2, True, w.radius(4, w.attribute(40, 2) + w.attribute(44, b"s1"), identifier=2)),
            (9.4, False, w.radius(5, identifier=2)),
        ],
        1813,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_lasts_from_its_start_s_success_to_its_end(tmp_path: Path, name: str) -> None:
    """Both ends are answered after 0.2 s; the session lasts nine seconds."""
    found = exchange(tmp_path, *SESSIONS[name])
    assert found["from_service_started_sessions"] == found["to_service_request_session_start"] == 1
    assert found["to_service_request_session_end"] == 1
    assert found["session_length_mean_s"] == pytest.approx(9.0)
    assert found["from_service_answer_success"] == found["to_service_new_transactions"] == 2
    assert found["to_service_final_answer_delay_median_s"] == pytest.approx(0.2, rel=1e-3)


def over_tcp(tmp_path: Path, packets: list[Exchange]) -> dict[str, float]:
    """Say it over one TCP connection to port 3868; return the totals."""
    at = {True: 0, False: 0}
    frames = []
    for time_s, asks, data in packets:
        ports = (40000, 3868) if asks else (3868, 40000)
        frame = b.tcp(data, ports=ports, numbers=(at[asks], 1))
        source, target = (b"\n\0\0\2", b"\n\0\0\1") if asks else (b"\n\0\0\1", b"\n\0\0\2")
        frame = b.ethernet(b.ipv4(frame, 6, source=source, target=target))
        frames.append(b.Packet(frame, START_NS + int(time_s * SECOND)))
        at[asks] += len(data)
    return totals(read(tmp_path / "diameter.pcap", frames))


def test_a_diameter_session_over_tcp(tmp_path: Path) -> None:
    """Started, updated, ended; the answers do not say what they answer."""
    session = w.avp(263, "gw;1;1")
    packets = []
    for i, kind in enumerate((1, 2, 3)):
        ask = w.diameter(272, [session, w.avp(416, kind)], hop=i + 1)
        packets.append((3.0 * i, True, ask))
        packets.append((3.0 * i + 0.1, False, w.diameter(272, [session, w.result(2001)],
                                                         request=False, hop=i + 1)))  # fmt: skip
    found = over_tcp(tmp_path, packets)
    assert found["to_service_request_session_start"] == found["from_service_started_sessions"] == 1
    assert found["to_service_request_session_end"] == found["to_service_request_other"] == 1
    assert found["session_length_mean_s"] == pytest.approx(5.9)
    assert "to_service_unanswered_t1" not in found


def test_vectors_are_a_challenge_and_only_the_location_is_a_registration(tmp_path: Path) -> None:
    """What AIR and MAR bring is what SIP's 401 passes on; refused, it is an answer like others."""
    said: list[Exchange] = []
    for hop, (code, result) in enumerate(((318, 2001), (303, 2001), (318, 4181), (316, 2001))):
        told = w.diameter(code, [w.result(result)], request=False, hop=hop)
        said += [(hop + 0.0, True, w.diameter(code, hop=hop)), (hop + 0.1, False, told)]
    found = over_tcp(tmp_path, said)
    assert found["to_service_request_registration"] == 4
    assert found["from_service_answer_challenge"] == 2
    assert found["from_service_answer_success"] == found["from_service_done_registrations"] == 1


def test_an_identifier_used_again_is_another_transaction(tmp_path: Path) -> None:
    """RADIUS's has 8 bits: the second request under it waits for its own answer."""
    said = [
        (0.0, True, w.radius(1, w.attribute(1, b"ann"))),
        (0.1, False, w.radius(2)),
        (5.0, True, w.radius(1, w.attribute(1, b"bob"))),
        (5.3, False, w.radius(3)),
        (6.0, True, w.radius(1, w.attribute(1, b"cid"))),
        (9.0, True, w.radius(1, w.attribute(1, b"dan"), identifier=2)),
    ]
    found = exchange(tmp_path, said, 1812)
    assert found["to_service_new_transactions"] == 4
    assert found["to_service_unanswered_t1"] == 1
    assert found["from_service_done_registrations"] == 1
    assert "to_service_retransmitted_requests" not in found


def test_a_request_sent_again_is_a_retransmission(tmp_path: Path) -> None:
    """T3 of GTP-C: three seconds later, the same octets."""
    ask = w.gtp2(32, teid=0)
    said = [(0.0, True, ask), (3.0, True, ask), (3.1, False, w.gtp2(33, w.cause2(73), teid=1))]
    found = exchange(tmp_path, said, 2123)
    assert found["to_service_retransmitted_requests"] == found["to_service_new_transactions"] == 1
    assert found["from_service_answer_overload"] == 1


def test_a_request_with_flag_t_is_a_copy_even_where_the_first_went_elsewhere(
    tmp_path: Path,
) -> None:
    """RFC 6733 section 3: T tells that it may have been sent before, after a failover."""
    copy = w.diameter(316, hop=9, end=4, flags=0x10)
    said = [
        (0.0, True, w.diameter(316, hop=1, end=3)),
        (0.1, False, w.diameter(316, [w.result(2001)], request=False, hop=1, end=3)),
        (3.0, True, copy),
        (3.1, False, w.diameter(316, [w.result(2001)], request=False, hop=9, end=4)),
        (5.0, True, w.diameter(316, hop=10, end=5, flags=0x10)),
        (12.0, True, w.diameter(280, hop=11)),
    ]
    found = over_sctp(tmp_path, said)
    assert found["to_service_request_registration"] == 3
    assert found["to_service_retransmitted_requests"] == found["to_service_repeats"] == 2
    assert found["to_service_new_transactions"] == 2
    assert found["to_service_unanswered_t1"] == found["to_service_unanswered_4s"] == 1
    assert found["from_service_done_registrations"] == 2


def test_the_same_number_asked_by_either_side_is_two_transactions(tmp_path: Path) -> None:
    """Both nodes of a path send an Echo with sequence number 1; only one is answered."""
    echo, answer = w.gtp2(1, teid=None), w.gtp2(2, teid=None)
    said = [(0.0, True, echo), (0.1, False, echo), (0.2, True, answer), (3.0, True, answer)]
    found = exchange(tmp_path, said, 2123)
    assert found["from_service_new_transactions"] == found["to_service_new_transactions"] == 1
    assert found["to_service_unanswered_t1"] == 1
    assert "from_service_unanswered_t1" not in found


def test_what_nobody_answers_by_its_protocol_does_not_count_as_unanswered(tmp_path: Path) -> None:
    said = [(0.0, True, w.gtp2(70, teid=1)), (9.0, True, w.gtp2(1, teid=None, sequence=2)),
            (9.1, False, w.gtp2(2, teid=None, sequence=2))]  # fmt: skip
    found = exchange(tmp_path, said, 2123)
    assert found["to_service_request_message"] == 1
    assert not [name for name in found if "unanswered" in name]


def test_a_log_tells_its_messages_by_protocol(tmp_path: Path) -> None:
    packets = [datagram(w.dns(), START_NS, ports=(40000, 53))] * 2
    packets += [segment(w.diameter(257), 0, ports=(40000, 3868))]
    log = read(tmp_path / "both.pcap", packets)
    assert dict(log.protocols) == {"dns": 2, "diameter": 1}


@pytest.mark.parametrize("missing", [1, 100, 300])
def test_a_stream_goes_on_behind_bytes_that_were_not_captured(tmp_path: Path, missing: int) -> None:
    """Bytes are missing inside the second of four messages: all heads are read."""
    messages = [w.diameter(316, [w.avp(999, bytes(1000))], hop=i) for i in range(4)]
    wire, at = b"".join(messages), len(messages[0]) + 400
    parts = [(0, wire[:at]), (at + missing, wire[at + missing :])]
    packets = [segment(part, seq, ports=(40000, 3868)) for seq, part in parts]
    found = totals(read(tmp_path / "hole.pcap", packets))
    assert found["to_service_request_registration"] == 4
