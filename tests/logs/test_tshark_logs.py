"""What tshark writes of a capture gives the features of the capture itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.cli.tiny import sip_packets
from tests.features.sip import SECOND, START_NS, Sip, segment
from tests.features.traffic import random_traffic
from traffic_siamese.errors import CaptureError
from traffic_siamese.features.series import read_series
from traffic_siamese.logs.reading import read_log
from traffic_siamese.types import TrafficLog

FIELDS = (
    "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ip.proto", "ip.flags.mf",
    "ip.frag_offset", "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport", "tcp.flags",
    "tcp.seq_raw", "tcp.len", "icmp.type", "sip.Method", "sip.Status-Code", "sip.Call-ID",
    "sip.CSeq", "sip.Via.branch", "sip.r-uri.user",
)  # fmt: skip
BYTES = ("udp.payload", "tcp.payload")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def tshark(capture: Path, *words: str, fields: tuple[str, ...] = ()) -> bytes:
    command = ["tshark", "-n", "-r", str(capture), "-o", "ip.defragment:FALSE", *words]
    command += [word for field in fields for word in ("-e", field)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def same(log: TrafficLog, capture: Path, *, but: tuple[str, ...] = ()) -> None:
    """Compare every feature of every bin but some."""
    expected = read_series(capture)
    assert [s.start_ns for s in log.series] == [s.start_ns for s in expected.series]
    for got, wanted in zip(log.series, expected.series, strict=True):
        assert got.values.shape == wanted.values.shape
        for column, name in enumerate(wanted.feature_names):
            if not name.endswith(but or ("\0",)):
                np.testing.assert_allclose(
                    got.values[:, column], wanted.values[:, column], rtol=1e-5, err_msg=name
                )


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write SIP of all sorts, with repetitions, losses, TCP resets, ICMP errors and fragments."""
    packets = random_traffic(3, n=150)[0]
    path = tmp_path_factory.mktemp("tshark") / "random.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


@needs_tshark
def test_payloads_in_ek_give_the_features_of_the_capture(capture: Path, tmp_path: Path) -> None:
    log = tmp_path / "x.json"
    log.write_bytes(tshark(capture, "-T", "ek"))
    same(read_log(log), capture)


@needs_tshark
@pytest.mark.parametrize("words", [(), ("-E", "separator=,", "-E", "quote=d"),
                                   ("-E", "separator=;", "-E", "quote=d")])  # fmt: skip
def test_payloads_in_fields_give_the_features_of_the_capture(
    capture: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    log = tmp_path / "x.txt"
    options = ("-T", "fields", "-E", "header=y", "-E", "occurrence=a", *words)
    log.write_bytes(tshark(capture, *options, fields=FIELDS + BYTES))
    same(read_log(log), capture)


@needs_tshark
@pytest.mark.parametrize("form", ["fields", "ek"])
def test_dissected_fields_alone_give_counts_and_delays(tmp_path: Path, form: str) -> None:
    """Registrations with their answers, some refused, some asked again after a second."""
    packets = sip_packets({0: 200, 5: 403, 9: 503}, length_s=12)
    again = [b.Packet(p.frame, p.time_ns + SECOND) for p in packets[20:26:2]]
    capture, log = tmp_path / "x.pcap", tmp_path / "x.txt"
    in_order = sorted([*packets, *again], key=lambda packet: packet.time_ns)
    capture.write_bytes(b.pcap(in_order, magic=b.NANOSECONDS))
    options = ("-E", "header=y", "-E", "occurrence=a") if form == "fields" else ()
    log.write_bytes(tshark(capture, "-T", form, *options, fields=FIELDS))
    same(read_log(log), capture)


@needs_tshark
def test_repeated_segments_and_several_messages_in_one_are_told(tmp_path: Path) -> None:
    """Over TCP: a repeated SYN, two messages in a segment, the segment sent again."""
    ask = Sip("OPTIONS", call="a", number=1).wire + Sip("INVITE", call="b", number=2).wire
    packets = [
        segment(b"", 999, flags=2),
        segment(b"", 999, flags=2, time_ns=START_NS + SECOND),
        segment(ask, 1000, time_ns=START_NS + 2 * SECOND),
        segment(ask, 1000, time_ns=START_NS + 3 * SECOND),
    ]
    capture, log = tmp_path / "x.pcap", tmp_path / "x.tsv"
    capture.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    options = ("-T", "fields", "-E", "header=y", "-E", "occurrence=a")
    log.write_bytes(tshark(capture, *options, fields=FIELDS))
    same(read_log(log), capture, but=("targets_per_source",))


def test_without_addresses_rows_are_events(tmp_path: Path) -> None:
    log = tmp_path / "x.tsv"
    log.write_text(
        "frame.time_epoch\tframe.len\tgsm_map.opr.code\n"
        "1700000000.25\t100\t2\n1700000000.75\t50\t\n1700000002.1\t60\t2\n"
    )
    series = read_log(log).series[0]
    columns = dict(zip(series.feature_names, series.values.T.tolist(), strict=True))
    assert columns == {
        "packets": [2, 0, 1], "bytes": [150, 0, 60], "gsm_map.opr.code=2": [1, 0, 1],
    }  # fmt: skip


def test_lines_of_another_width_are_left_out_and_told(tmp_path: Path) -> None:
    log = tmp_path / "x.tsv"
    log.write_text(
        "frame.time_epoch\tframe.len\n1700000000.5\t10\n1700000001.5\t1\t2\n1700000001\t1"
    )
    read = read_log(log)
    assert read.series[0].values[:, 0].tolist() == [1, 1]
    assert "line 3 has 3 values, the header names 2" in read.warnings[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frame.time_epoch\tframe.len\nnever\t1\n", "row 1: frame.time_epoch is 'never'"),
        ("frame.time_epoch\tframe.len\n", "is no row"),
        ("frame.time_epoch\tframe.len\tframe.len\n1\t1\t1\n", "names 'frame.len' twice"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    log = tmp_path / "x.tsv"
    log.write_text(text)
    with pytest.raises(CaptureError, match=told) as caught:
        read_log(log)
    assert "\n" not in str(caught.value)


def test_diameter_told_by_its_fields_fills_the_same_slots(tmp_path: Path) -> None:
    """A credit control begun, answered with success; a registration refused as too busy."""
    log = tmp_path / "x.tsv"
    fields = (
        "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "sctp.srcport", "sctp.dstport",
        "diameter.cmd.code", "diameter.flags.request", "diameter.hopbyhopid",
        "diameter.CC-Request-Type", "diameter.Result-Code",
    )  # fmt: skip
    ask, answer = "10.0.0.1\t10.0.0.9\t40000\t3868", "10.0.0.9\t10.0.0.1\t3868\t40000"
    rows = [
        f"1700000000.1\t200\t{ask}\t272\t1\t0x11\t1\t",
        f"1700000000.2\t200\t{answer}\t272\t0\t0x11\t1\t2001",
        f"1700000001.1\t400\t{ask}\t316,316\t1,1\t0x12,0x13\t\t",
        f"1700000001.3\t400\t{answer}\t316,316\tFalse,False\t0x12,0x13\t\t2001,3004",
    ]
    log.write_text("\n".join(["\t".join(fields), *rows, ""]))
    read = read_log(log)
    series = read.series[0]
    totals = dict(zip(series.feature_names, series.values.sum(axis=0).tolist(), strict=True))
    assert read.protocols == {"diameter": 6}
    assert totals["to_service_request_session_start"] == 1
    assert totals["to_service_request_registration"] == 2
    assert totals["from_service_answer_success"] == 2
    assert totals["from_service_answer_overload"] == 1
    delays = series.values[:, series.feature_names.index("to_service_first_answer_delay_median_s")]
    assert delays.tolist() == pytest.approx([0.1, 0.2], abs=1e-6)
