"""HTTP/2 and HTTP/1.1 of service-based interfaces as slots."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders as b
from tests.features import http as h
from tests.features.sip import read, totals

SM, UECM = "/nsmf-pdusession/v1", "/nudm-uecm/v1"
NF = "/nnrf-nfm/v1/nf-instances/38c9ca6c-610c-41ee-b951-973e863a8887"
UE = "imsi-901700000000001"
KINDS = [
    ("POST", f"{SM}/sm-contexts", "session_start"),
    ("POST", f"/apiroot{SM}/sm-contexts", "session_start"),
    ("POST", f"{SM}/pdu-sessions", "session_start"),
    ("POST", "/npcf-smpolicycontrol/v1/sm-policies", "session_start"),
    ("POST", "/nchf-convergedcharging/v3/chargingdata", "session_start"),
    ("POST", f"{SM}/sm-contexts/5/release", "session_end"),
    ("POST", "/npcf-smpolicycontrol/v1/sm-policies/7/delete", "session_end"),
    ("DELETE", "/npcf-policyauthorization/v1/app-sessions/3", "session_end"),
    ("POST", f"{SM}/sm-contexts/5/modify", "other"),
    ("POST", f"{SM}/sm-contexts/5/retrieve", "other"),
    ("PUT", f"{UECM}/{UE}/registrations/amf-3gpp-access", "registration"),
    ("GET", f"{UECM}/{UE}/registrations/amf-3gpp-access", "other"),
    ("POST", "/nausf-auth/v1/ue-authentications", "registration"),
    ("PUT", NF, "registration"),
    ("PATCH", NF, "keep_alive"),
    ("GET", "/nnrf-disc/v1/nf-instances?target-nf-type=AUSF", "other"),
    ("POST", "/nnrf-nfm/v1/subscriptions", "message"),
    ("POST", f"/namf-comm/v1/ue-contexts/{UE}/n1-n2-messages", "message"),
    ("GET", f"/nudm-sdm/v2/{UE}/sm-data?single-nssai=%7B%22sst%22%3A1%7D", "other"),
    ("GET", "/", "other"),
]
CLASSES = [
    (100, "provisional"),
    (200, "success"),
    (201, "success"),
    (204, "success"),
    (307, "redirect"),
    (308, "redirect"),
    (400, "bad_request"),
    (401, "challenge"),
    (403, "forbidden"),
    (404, "not_found"),
    (410, "not_found"),
    (408, "timeout"),
    (504, "timeout"),
    (409, "other_client_error"),
    (429, "overload"),
    (503, "overload"),
    (500, "other_server_error"),
]


def counts(tmp_path: Path, packets: list[b.Packet]) -> dict[str, float]:
    """Sum each counter over time and both directions, where it is not zero."""
    sums: Counter[str] = Counter()
    for name, value in totals(read(tmp_path / "http.pcap", packets)).items():
        sums[name.removeprefix("to_service_").removeprefix("from_service_")] += value
    return dict(sums)


def messages(found: dict[str, float]) -> dict[str, float]:
    """Keep the counts of requests by kind and of answers by class."""
    return {name: n for name, n in found.items() if name.startswith(("request_", "answer_"))}


@pytest.mark.parametrize("version", [1, 2])
def test_methods_and_paths_are_kinds(tmp_path: Path, version: int) -> None:
    """Each service operation counts as the kind that the table above names, in both versions."""
    connection, sender = h.Connection(), h.Sender()
    if version == 2:
        connection.send(0, h.PREFACE + h.frame(h.SETTINGS))
    for i, (method, path, _) in enumerate(KINDS):
        wire = sender.request(2 * i + 1, method, path, b"{}")
        connection.send(0, wire if version == 2 else h.http1_request(method, path, b"{}"))
    expected = Counter(f"request_{kind}" for _, _, kind in KINDS)
    assert messages(counts(tmp_path, connection.packets)) == dict(expected)


@pytest.mark.parametrize("version", [1, 2])
def test_statuses_are_classes(tmp_path: Path, version: int) -> None:
    """Each status counts as the class that the table above names, in both versions."""
    connection, sender = h.Connection(), h.Sender()
    connection.send(1, h.frame(h.SETTINGS) if version == 2 else b"")
    for i, (status, _) in enumerate(CLASSES):
        wire = sender.answer(2 * i + 1, status, body=b"{}")
        connection.send(1, wire if version == 2 else h.http1_answer(status, body=b"{}"))
    expected = Counter(f"answer_{name}" for _, name in CLASSES)
    assert messages(counts(tmp_path, connection.packets)) == dict(expected)


def session(connection: h.Connection, version: int) -> None:
    """Open a session context at 0 s, release it at 5 s; each is answered 20 ms later."""
    client, server = h.Sender(), h.Sender()
    where = f"http://smf.5gc{SM}/sm-contexts/5"
    create = ("POST", f"{SM}/sm-contexts", b'{"pei":1}')
    release = ("POST", f"{SM}/sm-contexts/5/release", b"{}")
    if version == 2:
        connection.send(0, h.PREFACE + h.frame(h.SETTINGS))
        connection.send(1, h.frame(h.SETTINGS))
        wires = [client.request(1, *create), server.answer(1, 201, where, b"{}")]
        wires += [client.request(3, *release), server.answer(3, 204)]
    else:
        wires = [h.http1_request(*create), h.http1_answer(201, where, b"{}")]
        wires += [h.http1_request(*release), h.http1_answer(204)]
    for i, (wire, time_s) in enumerate(zip(wires, (0, 0.02, 5, 5.02), strict=True)):
        connection.send(i % 2, wire, time_s)


@pytest.mark.parametrize("version", [1, 2])
def test_requests_meet_their_answers(tmp_path: Path, version: int) -> None:
    """A session of 5 - 0.02 s is told from its reference; nothing is unanswered or repeated."""
    connection = h.Connection()
    session(connection, version)
    log = read(tmp_path / "session.pcap", connection.packets)
    found = totals(log)
    assert found["to_service_new_transactions"] == 2
    assert not any(name.endswith(("unanswered_t1", "retransmitted_requests")) for name in found)
    series = log.series[0]
    lengths = [v for v in series.values[:, names(series, "session_length")].ravel() if v > 0]
    assert lengths == [pytest.approx(4.98, abs=0.01)]


def names(series: object, part: str) -> list[int]:
    """Return the columns whose names hold a word."""
    return [i for i, name in enumerate(series.feature_names) if part in name]  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", [1, 2])
def test_a_server_that_is_silent_leaves_requests_unanswered(tmp_path: Path, version: int) -> None:
    """Three requests, the second is answered: two stay unanswered after T1."""
    connections = [h.Connection(port=40000 + i) for i in range(3)]
    for i, connection in enumerate(connections):
        sender, path = h.Sender(), f"{UECM}/imsi-00{i}/registrations/amf-3gpp-access"
        wire = sender.request(1, "PUT", path)
        connection.send(0, h.PREFACE + wire if version == 2 else h.http1_request("PUT", path))
    answer = h.Sender().answer(1, 201) if version == 2 else h.http1_answer(201)
    connections[1].send(1, (h.frame(h.SETTINGS) if version == 2 else b"") + answer, 0.1)
    packets = [p for connection in connections for p in connection.packets]
    late = h.Connection(port=50000)  # so that time passes
    late.send(0, h.http1_request("GET", "/"), 8)
    found = counts(tmp_path, [*packets, *late.packets])
    assert found["unanswered_t1"] == 2


def test_refused_streams_and_farewells_are_answers(tmp_path: Path) -> None:
    """RST_STREAM and GOAWAY tell an overload or an error; a client's RST_STREAM cancels."""
    connection, client = h.Connection(), h.Sender()
    connection.send(0, h.PREFACE + h.frame(h.SETTINGS))
    connection.send(1, h.frame(h.SETTINGS) + h.Sender().answer(9, 200))
    for stream in (1, 3, 5):
        connection.send(0, client.request(stream, "GET", "/a"))
    connection.send(1, h.frame(h.RST_STREAM, (7).to_bytes(4, "big"), stream=1))
    connection.send(1, h.frame(h.RST_STREAM, (2).to_bytes(4, "big"), stream=3))
    connection.send(0, h.frame(h.RST_STREAM, (8).to_bytes(4, "big"), stream=5))
    connection.send(0, h.frame(h.PING, b"12345678"))
    connection.send(1, h.frame(h.PING, b"12345678", flags=1))
    connection.send(1, h.frame(h.GOAWAY, bytes(4) + (11).to_bytes(4, "big")))
    assert messages(counts(tmp_path, connection.packets)) == {
        "request_other": 3,
        "request_cancel": 1,
        "request_keep_alive": 1,
        "answer_overload": 2,
        "answer_other_server_error": 1,
        "answer_success": 2,
    }


def test_blocks_over_frames_padded_and_with_priority(tmp_path: Path) -> None:
    """A header block may go on in CONTINUATION frames, with padding and priority around it."""
    whole = h.Sender().request(1, "PATCH", NF)
    block = whole[9:]
    first = b"\3" + bytes(5) + block[:7] + bytes(3)
    flags = h.PADDED | h.PRIORITY | h.END_STREAM
    wire = h.frame(h.HEADERS, first, flags=flags, stream=1)
    wire += h.frame(h.CONTINUATION, block[7:20], stream=1)
    wire += h.frame(h.CONTINUATION, block[20:], flags=h.END_HEADERS, stream=1)
    connection = h.Connection()
    connection.send(0, h.PREFACE + h.frame(h.SETTINGS) + wire)
    assert messages(counts(tmp_path, connection.packets)) == {"request_keep_alive": 1}


def test_trailers_are_no_message(tmp_path: Path) -> None:
    """A second header block of a stream, without pseudo-headers, counts nothing."""
    connection, sender = h.Connection(), h.Sender()
    connection.send(1, h.frame(h.SETTINGS) + sender.answer(1, 200))
    connection.send(1, sender.headers(1, [("grpc-status", "0")]))
    assert messages(counts(tmp_path, connection.packets)) == {"answer_success": 1}


def test_a_capture_from_the_middle_of_a_connection(tmp_path: Path) -> None:
    """Statuses that came before the capture count as success; those that come later are known."""
    connection, sender = h.Connection(), h.Sender()
    connection.send(1, h.frame(h.SETTINGS) + sender.answer(1, 201), lost=True)
    for stream, status in ((3, 503), (5, 201), (7, 503), (9, 404)):
        connection.send(1, sender.answer(stream, status))
    found = messages(counts(tmp_path, connection.packets))
    assert found == {"answer_overload": 2, "answer_success": 1, "answer_not_found": 1}


def test_a_lost_segment_costs_only_its_messages(tmp_path: Path) -> None:
    """After a hole, statuses that were seen before it are no longer told apart: success."""
    connection, sender = h.Connection(), h.Sender()
    connection.send(1, h.frame(h.SETTINGS) + sender.answer(1, 200))
    connection.send(1, sender.answer(3, 503), lost=True)
    connection.send(1, sender.answer(5, 429))
    connection.send(1, sender.answer(7, 404))
    found = messages(counts(tmp_path, connection.packets))
    assert found == {"answer_success": 1, "answer_overload": 1, "answer_not_found": 1}


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 2000), max_size=12), st.sampled_from([1, 2]))
def test_where_segments_end_does_not_matter(tmp_path: Path, cuts: list[int], version: int) -> None:
    """Any split of the bytes into segments gives the same messages; one byte is the smallest."""
    sender, paths = h.Sender(), [(method, path) for method, path, _ in KINDS[:6]]
    if version == 2:
        wires = [sender.request(2 * i + 1, *path, b"{}" * i) for i, path in enumerate(paths)]
        wires = [h.frame(h.SETTINGS), *wires]
    else:
        wires = [h.http1_request(*path, b"{}" * i) for i, path in enumerate(paths)]
    wire = b"".join(wires)
    connection = h.Connection()
    connection.send_in_parts(0, wire, cuts)
    assert messages(counts(tmp_path, connection.packets)) == {
        "request_session_start": 5,
        "request_session_end": 1,
    }


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_flipped_bytes_break_nothing(tmp_path: Path, seed: int, n_flips: int) -> None:
    """Damaged frames and headers are passed over: a series comes out."""
    chance = random.Random(seed)
    connection, sender = h.Connection(), h.Sender()
    connection.send(0, h.http1_request("GET", "/"))
    wires = [sender.request(2 * i + 1, method, path) for i, (method, path, _) in enumerate(KINDS)]
    damaged = bytearray(h.PREFACE + h.frame(h.SETTINGS) + b"".join(wires))
    for _ in range(n_flips):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    other = h.Connection(port=40001)
    for start in range(0, len(damaged), 97):
        other.send(0, bytes(damaged[start : start + 97]), lost=chance.random() < 0.1)
    assert counts(tmp_path, connection.packets + other.packets)["packets"] > 0
