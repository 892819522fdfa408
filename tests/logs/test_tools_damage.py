"""Logs of other tools, cut at every place and with bytes flipped: a series, or one line."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests import builders as b
from tests.logs.exports import (
    FIELDS_9,
    FIELDS_10,
    Flow,
    capture,
    data9,
    data10,
    ipfix,
    template,
    version5,
    version9,
)
from tests.logs.test_nfdump import FAST, NEW, OLD
from tests.logs.test_pm_xml import classic, info, value
from tests.logs.test_prometheus import answer, samples
from tests.logs.test_zeek_logs import CONN, FLOWS, SIP, json_lines, tsv
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.reading import read_logs

_FLOWS = [Flow(i, 100 * i, i, 9000 - i, 8000 - i) for i in range(1, 4)]
_SIP_ROW = (1_700_000_000, "C1", "10.0.0.1", 5060, "10.0.0.9", 5060, 0, "INVITE", "sip:b@x", "c1",
            "1 INVITE", 200, 100, 0)  # fmt: skip
_FIELDS = "frame.time_epoch\tframe.len\tip.src\tip.dst\tudp.srcport\tudp.dstport\tsip.Method\n"
_EK = {"timestamp": "1700000000000", "layers": {
    "frame": {"frame_frame_time_epoch": "1700000000.5", "frame_frame_len": "90"},
    "ip": {"ip_ip_src": "10.0.0.1", "ip_ip_dst": "10.0.0.2", "ip_ip_proto": "17"},
    "udp": {"udp_udp_srcport": "5060", "udp_udp_dstport": "5060"},
    "sip": [{"sip_sip_Method": "INVITE", "sip_sip_CSeq": "1 INVITE"}] * 2,
    "diameter": {"diameter_diameter_cmd_code": ["272", "316"]},
}}  # fmt: skip
TEXTS = {
    "old.csv": OLD,
    "new.csv": NEW,
    "fast.csv": FAST,
    "pm.xml": classic(info("2026-01-31T14:15:00Z", value(1, "1", "2"), value(2, "3", "4"))),
    "prometheus.json": answer(({"__name__": "a_total", "pod": "x"}, samples(1, 2, 3))),
    "fields.tsv": _FIELDS + "1700000000.5\t90\t10.0.0.1\t10.0.0.2\t1\t5060\tINVITE\n" * 3,
    "ek.json": '{"index":{"_index":"packets-1"}}\n' + json.dumps(_EK) + "\n",
}


def _logs(folder: Path) -> list[Path]:
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    tsv(folder / "conn.log", "conn", CONN, FLOWS)
    json_lines(folder / "conn.json", CONN, FLOWS)
    tsv(folder / "sip.log", "sip", SIP, [_SIP_ROW] * 2)
    nine = version9(template(0, FIELDS_9), data9(_FLOWS))
    capture(folder / "v5.pcap", version5(_FLOWS), nine)
    capture(folder / "ipfix.pcap", ipfix(template(2, FIELDS_10), data10(_FLOWS)))
    return sorted(folder.iterdir())


def _read(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    refusal = ""
    try:
        logs = read_logs(path)
    except CaptureError as err:
        logs, refusal = (), str(err)
    assert "\n" not in refusal
    assert bool(logs) != bool(refusal)
    return bool(logs)


def test_whole_logs_are_read(tmp_path: Path) -> None:
    for log in _logs(tmp_path):
        assert _read(log, log.read_bytes()), log.name


@pytest.mark.parametrize("seed", range(3))
def test_a_log_that_is_cut_or_changed_is_read_or_refused_in_one_line(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    (tmp_path / "logs").mkdir()
    for log in _logs(tmp_path / "logs"):
        data = log.read_bytes()
        for case in range(15):
            changed = bytearray(data[: rng.randint(0, len(data))] if case % 2 else data)
            for _ in range(rng.choice([0, 1, 1, 5]) if changed else 0):
                changed[rng.randrange(len(changed))] = rng.choice([0, 9, 34, 44, 48, 57, 255,
                                                                   rng.randrange(256)])  # fmt: skip
            _read(tmp_path / log.name, bytes(changed))


@pytest.mark.parametrize("name", ["fields.tsv", "new.csv"])
def test_a_million_columns_are_refused(tmp_path: Path, name: str) -> None:
    header, _, rest = TEXTS[name].partition("\n")
    separator = "\t" if name.endswith("tsv") else ","
    wide = separator.join([header, *(f"a.c{i}" for i in range(1_000_000))])
    path = tmp_path / name
    path.write_text(f"{wide}\n{rest}")
    with pytest.raises(CaptureError) as caught:
        read_logs(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_template_of_nothing_makes_no_endless_records(tmp_path: Path) -> None:
    empty = template(2, ((1, 0), (82, 0)))
    with pytest.raises(CaptureError, match="no readable record"):
        read_logs(capture(tmp_path / "x.pcap", ipfix(empty, b"\x01\x2c\x00\x08" + b.pad4(b"abcd"))))
