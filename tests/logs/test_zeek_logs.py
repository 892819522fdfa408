"""Zeek's conn.log and sip.log, as TSV and as JSON, against what their rows say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.reading import read_log
from traffic_siamese.types import TrafficLog

START = 1_700_000_000
CONN = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration",
        "orig_bytes", "resp_bytes", "conn_state", "orig_pkts", "orig_ip_bytes", "resp_pkts",
        "resp_ip_bytes")  # fmt: skip
SIP = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "trans_depth", "method",
       "uri", "call_id", "seq", "status_code", "request_body_len", "response_body_len")  # fmt: skip
FLOWS = [
    (START + 0.5, "C1", "10.0.0.1", 1, "10.0.0.9", 80, "tcp", 4.0, 90, 80, "SF", 8, 400, 4, 800),
    (START + 2, "C2", "10.0.0.2", 1, "10.0.0.9", 80, "tcp", None, None, None, "S0", 1, 40, 0, 0),
    (START + 2.5, "C3", "10.0.0.2", 2, "10.0.0.9", 53, "udp", 0.0, 5, 6, "SF", 1, 33, 1, 34),
]


def tsv(path: Path, name: str, fields: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
    """Write a log as Zeek does, with times to the microsecond."""
    lines = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-",
             f"#path\t{name}", "\t".join(("#fields", *fields))]  # fmt: skip
    lines += ["\t".join("-" if v is None else str(v) for v in row) for row in rows]
    path.write_text("\n".join([*lines, "#close\t2023-11-14-22-13-20", ""]))
    return path


def json_lines(path: Path, fields: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
    """Write a log as Zeek does with ``LogAscii::use_json``: unset fields are not there."""
    named = [dict(zip(fields, row, strict=True)) for row in rows]
    told = [{k: v for k, v in row.items() if v is not None} for row in named]
    path.write_text("".join(json.dumps(row) + "\n" for row in told))
    return path


def columns(log: TrafficLog) -> dict[str, list[float]]:
    series = log.series[0]
    return dict(zip(series.feature_names, series.values.T.tolist(), strict=True))


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_connections_are_spread_over_their_duration(tmp_path: Path, form: str) -> None:
    """400 bytes over 4 s from 0.5 s on: half of 100 in the first second and in the last."""
    path = tmp_path / "conn.log"
    log = tsv(path, "conn", CONN, FLOWS) if form == "tsv" else json_lines(path, CONN, FLOWS)
    found = columns(read_log(log))
    assert found["bytes"] == [50, 100, 100 + 40 + 33, 100, 50]
    assert found["bytes_back"] == [100, 200, 234, 200, 100]
    assert found["packets"] == [1, 2, 4, 2, 1]
    assert found["flows"] == [1, 0, 2, 0, 0]
    assert found["active_flows"] == [1, 1, 3, 1, 1]
    assert found["state_S0"] == [0, 0, 1, 0, 0]
    assert found["state_SF"] == [1, 0, 1, 0, 0]
    assert found["flows_udp"] == [0, 0, 1, 0, 0]
    assert found["sources"] == [1, 0, 1, 0, 0]


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_sip_rows_are_requests_and_their_answers(tmp_path: Path, form: str) -> None:
    """A call that rings and is taken, in two rows of one time; a refused registration, an ACK."""
    ends = ("10.0.0.1", 5060, "10.0.0.9", 5060)
    others = ("10.0.0.2", *ends[1:])
    rows = [
        (START, "C1", *ends, 0, "INVITE", "sip:bob@x", "c1", "1 INVITE", 180, 100, 0),
        (START, "C1", *ends, 0, "INVITE", "sip:bob@x", "c1", "1 INVITE", 200, 100, 90),
        (START + 1, "C1", *ends, 1, "ACK", "sip:bob@x", "c1", "1 ACK", None, None, None),
        (START + 2, "C2", *others, 0, "REGISTER", "sip:x", "c2", "7 REGISTER", 403, 0, 0),
    ]
    path = tmp_path / "sip.log"
    log = read_log(tsv(path, "sip", SIP, rows) if form == "tsv" else json_lines(path, SIP, rows))
    found = columns(log)
    assert log.protocols == {"sip": 6}
    expected = {
        "to_service_request_session_start": [1, 0, 0],
        "to_service_request_acknowledgement": [0, 1, 0],
        "to_service_request_registration": [0, 0, 1],
        "from_service_answer_provisional": [1, 0, 0],
        "from_service_answer_success": [1, 0, 0],
        "from_service_answer_forbidden": [0, 0, 1],
        "from_service_started_sessions": [1, 0, 0],
        "to_service_unanswered_t1": [0, 0, 0],
        "to_service_retransmitted_requests": [0, 0, 0],
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("#separator \\x09\n#path\tconn\n#fields\tts\tuid\nXXXX\tC1\n", "row 1: ts is 'XXXX'"),
        ("#separator \\x09\n#path\tconn\n#fields\tts\tuid\n", "holds no connection"),
        ("#separator ab\n#path\tsip\n#fields\tts\tuid\n1\t2\n", "separator 'ab'"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.log"
    path.write_text(text)
    with pytest.raises(CaptureError, match=told) as caught:
        read_log(path)
    assert "\n" not in str(caught.value)
