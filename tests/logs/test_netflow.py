"""Flow exports in captures: three versions tell the same; against tshark's dissection."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.logs.exports import (
    FIELDS_9,
    FIELDS_10,
    Flow,
    a_set,
    capture,
    data9,
    data10,
    ipfix,
    template,
    version5,
    version9,
)
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.netflow import is_netflow
from traffic_siamese.logs.netflow_capture import read_netflow_capture
from traffic_siamese.logs.reading import read_log, read_logs

PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_CAPTURES", "no-such-folder"))
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
FLOWS = [Flow(1, 400, 8, 10_000, 6_000), Flow(2, 40, 1, 8_000, 8_000, flags=2),
         Flow(3, 33, 1, 7_500, 7_500, protocol=17, flags=0)]  # fmt: skip
MESSAGES = {
    "5": [version5(FLOWS)],
    "9": [version9(template(0, FIELDS_9), data9(FLOWS))],
    "9, template last": [version9(data9(FLOWS[:1])), version9(data9(FLOWS[1:])),
                         version9(template(0, FIELDS_9))],
    "IPFIX": [ipfix(template(2, FIELDS_10), data10(FLOWS))],
    "IPFIX, two messages": [ipfix(template(2, FIELDS_10), data10(FLOWS[:2])),
                            ipfix(data10(FLOWS[2:]))],
}  # fmt: skip


@pytest.mark.parametrize("version", MESSAGES)
@pytest.mark.parametrize("port", [2055, 4739, 31337])
def test_every_version_tells_the_same_flows(tmp_path: Path, version: str, port: int) -> None:
    """400 bytes over four seconds, 40 in the third, 33 within it."""
    series = read_log(capture(tmp_path / "x.pcap", *MESSAGES[version], port=port)).series[0]
    found = dict(zip(series.feature_names, series.values.T.tolist(), strict=True))
    assert series.start_ns == 1_700_000_000 * 10**9
    assert found["bytes"] == [100, 100, 173, 100]
    assert found["packets"] == [2, 2, 4, 2]
    assert found["flows"] == [1, 0, 2, 0]
    assert found["flows_udp"] == [0, 0, 1, 0]
    assert found["flows_syn_only"] == [0, 0, 1, 0]
    assert found["sources"] == [1, 0, 2, 0]
    assert found["targets"] == [1, 0, 1, 0]


def test_an_exporters_clock_may_wrap(tmp_path: Path) -> None:
    """Version 5 counts milliseconds since its start in 32 bits: 49.7 days."""
    path = capture(tmp_path / "x.pcap", version5(FLOWS, uptime_ms=5_000))
    assert read_log(path).series[0].start_ns == 1_700_000_000 * 10**9


def test_each_exporter_is_an_element_with_templates_of_its_own(tmp_path: Path) -> None:
    other = ((1, 4), (2, 4))
    path = capture(
        tmp_path / "x.pcap",
        version9(template(0, FIELDS_9)),
        version9(template(0, other)),
        version9(data9(FLOWS)),
        version9(template(0, other)),
        exporters=2,
    )
    logs = read_logs(path)
    assert [log.name for log in logs] == [str(path)]
    both = capture(tmp_path / "y.pcap", version5(FLOWS), version5(FLOWS[:1]), exporters=2)
    assert [log.name.partition("#")[2] for log in read_logs(both)] == ["192.0.2.1", "192.0.2.2"]


def test_records_without_a_template_are_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="1 sets whose template was not captured"):
        read_log(capture(tmp_path / "x.pcap", version9(data9(FLOWS))))


def test_options_are_no_flows(tmp_path: Path) -> None:
    options = b"\x01\x2c\x00\x04\x00\x04\x00\x01\x00\x04\x00\x22\x00\x04"
    message = version9(
        template(0, FIELDS_9), data9(FLOWS), b"\0\1" + (4 + len(options)).to_bytes(2) + options,
    )  # fmt: skip
    found = read_log(capture(tmp_path / "x.pcap", message, version9(data9(FLOWS)))).series[0]
    assert found.values[:, found.feature_names.index("flows")].sum() == 3


def _totals(path: Path) -> list[float]:
    """Sum flows, packets and bytes."""
    series = read_log(path).series[0]
    return [
        float(series.values[:, series.feature_names.index(name)].sum())
        for name in ("flows", "packets", "bytes")
    ]


def _options(kind: int, fields: tuple[tuple[int, int], ...], *values: bytes) -> bytes:
    """Write a template of options, number 400, and its records; the first field is the scope."""
    packed = b"".join(element.to_bytes(2) + length.to_bytes(2) for element, length in fields)
    counts = (4, 4 * (len(fields) - 1)) if kind == 1 else (len(fields), 1)
    head = b"\x01\x90" + b"".join(count.to_bytes(2) for count in counts)
    return a_set(kind, head + packed) + a_set(400, b"".join(values))


def test_version_5_states_sampling_in_its_header(tmp_path: Path) -> None:
    """Two bits of mode, 14 of interval: one packet in 100, then all."""
    sampled = bytearray(version5(FLOWS))
    sampled[22:24] = (1 << 14 | 100).to_bytes(2)
    path = capture(tmp_path / "x.pcap", bytes(sampled), version5(FLOWS))
    assert _totals(path) == [6, 10 * 101, 473 * 101]


@pytest.mark.parametrize("is_late", [False, True])
def test_options_state_the_sampling_of_their_exporter(tmp_path: Path, is_late: bool) -> None:
    """Samplers of version 9 (element 34), wherever in the capture; another exporter has none."""
    told = version9(_options(1, ((1, 4), (34, 4)), bytes(4) + (50).to_bytes(4)))
    flows = version9(template(0, FIELDS_9), data9(FLOWS))
    said = [flows, told] if is_late else [told, flows]
    one, other = (
        read_log(capture(tmp_path / f"{n}.pcap", *said, exporters=n)).series[0] for n in (1, 2)
    )
    assert one.values[:, one.feature_names.index("bytes")].sum() == 473 * 50
    assert other.values[:, other.feature_names.index("bytes")].sum() == 473


def test_packet_interval_and_space_make_the_interval(tmp_path: Path) -> None:
    """RFC 5477: 1 packet taken, then 9 left out."""
    told = _options(3, ((149, 4), (305, 4), (306, 4)), *(n.to_bytes(4) for n in (7, 1, 9)))
    path = capture(tmp_path / "x.pcap", ipfix(told, template(2, FIELDS_10), data10(FLOWS)))
    assert _totals(path) == [3, 10 * 10, 473 * 10]


def test_several_ways_of_sampling_are_told_and_nothing_is_multiplied(tmp_path: Path) -> None:
    records = (bytes(4) + n.to_bytes(4) for n in (50, 100))
    told = _options(1, ((1, 4), (34, 4)), *records)
    path = capture(tmp_path / "x.pcap", version9(told, template(0, FIELDS_9), data9(FLOWS)))
    assert _totals(path) == [3, 10, 473]
    assert "states several sampling intervals" in read_log(path).warnings[0]


def test_a_record_that_states_its_own_sampling_is_believed(tmp_path: Path) -> None:
    """0 is what exporters write for every packet; one in 3 billion is damage."""
    fields = ((1, 4), (2, 4), (34, 4))
    rows = [(100, 1, 10), (200, 2, 0), (400, 4, 3_000_000_000)]
    packed = b"".join(value.to_bytes(4) for row in rows for value in row)
    path = capture(tmp_path / "x.pcap", version9(template(0, fields), a_set(300, packed)))
    assert _totals(path) == [3, 10 + 2 + 4, 1000 + 200 + 400]


@pytest.mark.parametrize(
    "message", [*MESSAGES["5"], *MESSAGES["9, template last"], *MESSAGES["IPFIX"]]
)
def test_a_message_that_is_cut_is_none(message: bytes) -> None:
    assert is_netflow(message)
    assert not any(is_netflow(message[:n]) for n in range(len(message) - 3))


@needs_tshark
@pytest.mark.parametrize("version", MESSAGES)
def test_sums_are_those_of_tshark(tmp_path: Path, version: str) -> None:
    assert_as_tshark(
        capture(tmp_path / "x.pcap", *MESSAGES[version]), sum(f.n_bytes for f in FLOWS)
    )


@needs_tshark
@pytest.mark.skipif(not PUBLIC.exists(), reason="public captures are not here")
@pytest.mark.parametrize("name", ["scapy/netflowv9.pcap", "scapy/ipfix.pcap"])
def test_public_exports_sum_as_in_tshark(name: str) -> None:
    assert_as_tshark(PUBLIC / name, None)


def assert_as_tshark(path: Path, expected: float | None) -> None:
    """Compare bytes and packets of all flows; tshark needs templates first, so two passes."""
    command = ["tshark", "-n", "-2", "-r", str(path), "-T", "fields", "-E", "occurrence=a",
               "-d", "udp.port==9995,cflow",
               "-e", "cflow.octets", "-e", "cflow.packets"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    sums = [sum(float(v) for row in rows for v in row[k].split(",") if v) for k in (0, 1)]
    with path.open("rb") as file:
        tables, _ = read_netflow_capture(file)
    got = [sum(float(t.columns[name].sum()) for t in tables) for name in ("bytes", "packets")]
    if expected is not None and sums[0] == 0:
        pytest.skip("this tshark does not wait for templates")
    assert got == pytest.approx(sums, rel=1e-9)
