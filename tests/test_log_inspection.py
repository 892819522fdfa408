"""What is told of a log before any verdict: silences, clock jumps, what is odd, what is enough."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.cli.tiny import sip_packets
from tests.conftest import Invoke
from tests.features.sip import SECOND, START_NS
from traffic_siamese.features.series import read_series
from traffic_siamese.inspection.columns import fold_directions, guessed_unit
from traffic_siamese.inspection.logs import describe_log, first_packet_ns
from traffic_siamese.times import format_time

DAY_NS = 86_400 * SECOND


def capture(path: Path, packets: list[b.Packet]) -> Path:
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


def later(packets: list[b.Packet], by_ns: int) -> list[b.Packet]:
    return [b.Packet(p.frame, p.time_ns + by_ns, p.wire_bytes) for p in packets]


def test_silences_and_clock_jumps_are_told_with_their_times(tmp_path: Path) -> None:
    """Five seconds of traffic; 25 s of silence; a day later; and half a day back."""
    some = sip_packets({}, length_s=5)
    times = [0, 25 * SECOND, DAY_NS, DAY_NS // 2]
    path = capture(tmp_path / "x.pcap", [p for t in times for p in later(some, t)])
    found = describe_log(path)
    last = max(p.time_ns for p in some)
    assert found["gaps"]["count"] == 1
    gap = found["gaps"]["longest"][0]
    assert (gap["from"], gap["to"]) == (format_time(last), format_time(START_NS + 25 * SECOND))
    steps = [step["seconds"] for step in found["clock_jumps"]["longest"]]
    first_s = (START_NS - last) / SECOND
    assert steps == pytest.approx([86_400 - 25 + first_s, -43_200 + first_s], abs=1e-3)
    assert found["out_of_order"] == len(some)
    assert len(found["stretches"]) == 3


def test_kinds_of_packets_are_counted(tmp_path: Path) -> None:
    packets = sip_packets({}, length_s=10)
    tagged = b.ethernet(b.ipv4(b.udp()), tags=(0x8100,))
    arp = b.ethernet(bytes(28), 0x0806)
    cut = b.Packet(packets[-1].frame[:42], packets[-1].time_ns, len(packets[-1].frame))
    extra = [b.Packet(frame, packets[-1].time_ns) for frame in (tagged, arp)]
    found = describe_log(capture(tmp_path / "x.pcap", [*packets, *extra, cut]))
    assert found["packets"] == len(packets) + 3
    assert found["transports"] == {"UDP": len(packets) + 2}
    assert found["encapsulations"] == {"vlan": 1}
    assert (found["undecoded"], found["truncated"]) == (1, 1)
    assert found["protocols"] == {"sip": len(packets)}


def test_what_never_changes_is_what_numpy_finds(tmp_path: Path) -> None:
    path = capture(tmp_path / "x.pcap", sip_packets({0: 200, 20: 503}, length_s=45))
    series = read_series(path).series[0]
    still = np.ptp(series.values, axis=0) == 0
    expected = [
        name for name, is_still in zip(series.feature_names, still, strict=True) if is_still
    ]
    found = describe_log(path)
    assert found["constant_features"] == expected
    assert found["windows"] == 2
    assert found["problem"] is None


def test_a_capture_without_signalling_is_told_all_the_same(tmp_path: Path) -> None:
    frame = b.ethernet(b.ipv4(b.udp(b"x" * 50, ports=(1000, 2000))))
    packets = [b.Packet(frame, START_NS + i * SECOND) for i in range(50)]
    found = describe_log(capture(tmp_path / "x.pcap", packets))
    assert found["packets"] == 50
    assert found["transports"] == {"UDP": 50}
    assert "no signalling found" in found["problem"]


def test_a_table_is_told_by_element_and_column(tmp_path: Path, invoke: Invoke) -> None:
    path = tmp_path / "x.csv"
    rows = [
        f"{1_700_000_000 + 10 * i},{node},{i * 100 + k},{50 + (i * 7 + k) % 11},3"
        for i in range(60) for k, node in enumerate(("amf", "smf"))
    ]  # fmt: skip
    path.write_text("time,node,rx_bytes_total,cpu_percent,admin_status\n" + "\n".join(rows))
    found = json.loads(invoke("inspect", path, "--by", "node", "--json").stdout)
    assert found["elements"] == ["amf", "smf"]
    assert found["bin_s"] == 10
    columns = {one["name"]: one for one in found["columns"]}
    assert columns["rx_bytes_total"]["unit"] == "bytes"
    assert columns["cpu_percent"]["unit"] == "share"
    assert columns["admin_status"]["constant"]
    text = invoke("inspect", path, "--by", "node").stdout
    assert "for 2 elements (amf, smf)" in text
    assert "windows of 5 min 20 s" in text


def test_standard_input_is_inspected_in_one_reading(tmp_path: Path, invoke: Invoke) -> None:
    path = capture(tmp_path / "x.pcap", sip_packets({}, length_s=40))
    piped = json.loads(invoke("inspect", "-", "--json", stdin=path.read_bytes()).stdout)
    named = json.loads(invoke("inspect", path, "--json").stdout)
    without = {"log", "stretches", "enough_for_baseline"}  # they hold its name
    assert {k: v for k, v in piped.items() if k not in without} == {
        k: v for k, v in named.items() if k not in without
    }


def test_the_text_fits_a_screen(tmp_path: Path, invoke: Invoke) -> None:
    path = capture(tmp_path / "x.pcap", sip_packets({0: 200, 20: 503}, length_s=45))
    lines = invoke("inspect", path).stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 110
    assert any(line.startswith("enough      yes: 2 windows of 32 s") for line in lines)


def test_a_log_of_any_kind_tells_its_start(tmp_path: Path) -> None:
    table = tmp_path / "x.csv"
    table.write_text("time,a\n" + "".join(f"{1_700_000_000 + 10 * i},{i}\n" for i in range(9)))
    assert first_packet_ns(table) == pytest.approx(START_NS, abs=10 * SECOND)
    assert first_packet_ns(capture(tmp_path / "x.pcap", sip_packets({}, length_s=2))) == START_NS


def test_directions_are_folded() -> None:
    names = ["to_service_a", "to_service_b", "from_service_a", "c"]
    assert fold_directions(names) == ["a", "to_service_b", "c"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("rx_bytes_total", "bytes"), ("latency_ms", "ms"), ("up", ""), ("ifHCInOctets", "bytes"),
     ('http_seconds_bucket{le="1"}', "s"), ("status", "")],
)  # fmt: skip
def test_units_are_guessed_by_name(name: str, unit: str) -> None:
    assert guessed_unit(name) == unit
