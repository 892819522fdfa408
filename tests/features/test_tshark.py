"""Counts per second against tshark's dissection, on built and on recorded captures."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import builders as b
from tests.features.naive import KINDS, answer_class
from tests.features.sip import SECOND, START_NS, Sip, segment
from tests.features.traffic import random_traffic
from traffic_siamese.features.series import read_series
from traffic_siamese.types import TrafficLog

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

FIELDS = ("frame.time_epoch", "frame.len", "ip.version", "icmp", "sip.Method", "sip.Status-Code")
OPTIONS = ("ip.defragment:FALSE", "tcp.desegment_tcp_streams:TRUE")
DATA = Path(os.environ.get("TRAFFIC_SIAMESE_CAPTURES", Path(__file__).parents[2] / "data"))
FAULTS = ("normal-1", "blocked-1", "service_down-1", "registration_storm-1", "server_overload-1")
RECORDED = sorted(path for fault in FAULTS for path in DATA.rglob(f"{fault}.pcap*"))


def dissect(path: Path) -> list[list[str]]:
    """Return the fields of each packet, occurrences separated by commas."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    command += [word for option in OPTIONS for word in ("-o", option)]
    command += [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.removesuffix("\n").split("\n")]


def tshark_counts(path: Path) -> Counter[tuple[int, str]]:
    """Count packets, bytes, requests by kind and answers by class per second."""
    counts: Counter[tuple[int, str]] = Counter()
    for epoch, length, version, icmp, methods, statuses in dissect(path):
        second = int(epoch.split(".")[0])
        if version:
            counts[second, "packets"] += 1
            counts[second, "bytes"] += int(length)
        if icmp:  # the message inside an error was sent before
            continue
        for method in filter(None, methods.split(",")):
            counts[second, f"request_{KINDS.get(method, 'other')}"] += 1
        for status in filter(None, statuses.split(",")):
            counts[second, f"answer_{answer_class(int(status))}"] += 1
    return counts


def our_counts(log: TrafficLog) -> Counter[tuple[int, str]]:
    """Return the same counts of a log, both directions together."""
    counts: Counter[tuple[int, str]] = Counter()
    for series in log.series:
        for column, name in enumerate(series.feature_names):
            short = name.removeprefix("to_service_").removeprefix("from_service_")
            if short in ("packets", "bytes") or short.startswith(("request_", "answer_")):
                for row in series.values[:, column].nonzero()[0]:
                    second = series.start_ns // SECOND + int(row)
                    counts[second, short] += int(series.values[row, column])
    return counts


def assert_same_counts(path: Path) -> None:
    """Compare every second."""
    ours, theirs = our_counts(read_series(path)), tshark_counts(path)
    different = {key: (ours[key], theirs[key]) for key in ours | theirs if ours[key] != theirs[key]}
    assert not different


@pytest.mark.parametrize("seed", [1, 2])
def test_random_traffic_counts_as_in_tshark(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "random.pcap"
    packets = [p for p in random_traffic(seed, n=120)[0] if p.frame[20:22] == b"\0\0"]
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    assert_same_counts(path)


def test_a_stream_of_cut_messages_counts_as_in_tshark(tmp_path: Path) -> None:
    """Forty messages with bodies over TCP, in segments of 300 bytes, all within one second.

    A message counts here when its head ends, in tshark when its body does.
    """
    methods = ("INVITE", "REGISTER", "OPTIONS", "BYE")
    wire = b"".join(
        Sip(methods[i % 4], call=f"c{i}", number=i + 1, body=b"x" * (i * 7)).wire for i in range(40)
    )
    packets = [segment(b"", 999, flags=2)]
    for at in range(0, len(wire), 300):
        time_ns = START_NS + at * 10**4
        packets.append(segment(wire[at : at + 300], 1000 + at, time_ns=time_ns))
    path = tmp_path / "stream.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    assert_same_counts(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_recorded_traffic_counts_as_in_tshark(path: Path, tmp_path: Path) -> None:
    """Every second of every recording, over UDP and TCP."""
    assert_same_counts(path)
