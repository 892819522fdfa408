"""Memory and time stay bounded whatever the traffic is."""

from __future__ import annotations

import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.features.sip import SECOND, START_NS, Sip, datagram, read, totals
from traffic_siamese.errors import CaptureError
from traffic_siamese.features import series
from traffic_siamese.features.batches import BATCH_PACKETS, MESSAGE, PACKET, PacketBatch
from traffic_siamese.features.direction import MAX_SERVICE_HOSTS, find_service

ASK = Sip("OPTIONS").wire


def test_packets_a_year_apart_are_series_of_their_own(tmp_path: Path) -> None:
    year_ns = 365 * 86_400 * SECOND
    packets = [datagram(ASK, year_ns * year) for year in range(1, 80)]
    log = read(tmp_path / "years.pcap", packets)
    lengths = [len(one.values) for one in log.series]
    assert sum(lengths) < 6 * len(packets)  # the request, and when its patience ran out


def test_packets_nine_minutes_apart_stay_one_series_of_modest_memory(tmp_path: Path) -> None:
    """1,000 packets, 540,000 bins: little more than the result is held."""
    packets = [datagram(ASK, START_NS + 540 * SECOND * i) for i in range(1000)]
    tracemalloc.start()
    log = read(tmp_path / "minutes.pcap", packets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(log.series) == 1
    assert peak < 1.5 * log.series[0].values.nbytes


def test_a_log_of_too_many_bins_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAX_BINS", 100)
    packets = [datagram(ASK, START_NS + 50 * SECOND * i) for i in range(5)]
    with pytest.raises(CaptureError, match="spans 201 bins of 1 s or more; expected at most 100"):
        read(tmp_path / "long.pcap", packets)


def test_a_scan_from_100_000_addresses_within_a_second(tmp_path: Path) -> None:
    frame = datagram(ASK, 0).frame
    packets = [
        b.Packet(frame[:26] + (0x0B000000 + i).to_bytes(4, "big") + frame[30:], START_NS + i * 9000)
        for i in range(100_000)
    ]
    began = time.perf_counter()
    found = totals(read(tmp_path / "scan.pcap", packets))
    assert time.perf_counter() - began < 10
    assert found["active_endpoints"] == found["to_service_packets"] == 100_000
    assert found["source_entropy_bits"] == pytest.approx(np.log2(100_000), rel=1e-6)


def test_thousands_of_host_pairs_do_not_slow_the_search_for_the_service() -> None:
    packets = np.zeros(BATCH_PACKETS, PACKET)
    keys = np.random.default_rng(0).integers(1, 2**63, (2, BATCH_PACKETS))
    packets["src_key"], packets["dst_key"] = keys
    batch = PacketBatch(packets, np.zeros(0, MESSAGE))
    began = time.perf_counter()
    service = find_service(batch)
    assert time.perf_counter() - began < 3
    assert len(service) == MAX_SERVICE_HOSTS


def test_samples_of_closed_bins_are_described_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With little room for waiting samples the series is the same as with much."""
    packets = []
    for i in range(30_000):
        at = START_NS + i * SECOND // 500
        packets.append(datagram(Sip("OPTIONS", call=f"c{i}").wire, at, hosts=(10 + i % 50, 1)))
        answer = Sip("OPTIONS", 200, call=f"c{i}").wire
        packets.append(datagram(answer, at + (i % 900) * 10**6, hosts=(1, 10 + i % 50)))
    packets.sort(key=lambda packet: packet.time_ns)
    whole = read(tmp_path / "much.pcap", packets)
    monkeypatch.setattr("traffic_siamese.features.builder._MAX_WAITING", 5000)
    early = read(tmp_path / "little.pcap", packets)
    assert not early.warnings
    np.testing.assert_array_equal(whole.series[0].values, early.series[0].values)


def test_a_delay_that_comes_too_late_for_its_bin_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last request and its answer (its first, and final) are dated a minute back."""
    monkeypatch.setattr("traffic_siamese.features.builder._MAX_WAITING", 0)
    monkeypatch.setattr("traffic_siamese.features.batches.BATCH_PACKETS", 8)
    packets = []
    for i, second in enumerate([*range(100), 40]):
        for status, hosts in ((None, (10 + i, 1)), (200, (1, 10 + i))):
            at = START_NS + second * SECOND + (status or 0) * 10**6
            said = {"status": status} if status else {}
            packets.append(datagram(Sip("OPTIONS", call=f"c{i}", **said).wire, at, hosts=hosts))
    log = read(tmp_path / "late.pcap", packets)
    assert [w for w in log.warnings if " 2 delays belong to packets out of order" in w]
    assert totals(log)["to_service_packets"] == 101


def test_a_damaged_log_without_signalling_tells_of_the_damage(tmp_path: Path) -> None:
    """The signalling may stand behind the damage: the error names both."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    whole = struct.pack("<IIII", 1, 0, 14, 14) + bytes(14)
    cut = struct.pack("<IIII", 2, 0, 600, 600) + bytes(20)
    path = tmp_path / "cut.pcap"
    path.write_bytes(header + whole + cut)
    with pytest.raises(CaptureError, match=r"no signalling found.*promises 616 bytes, 36 remain"):
        series.read_series(path)
