"""How fast captures are read: this package against tshark, dpkt and nfstream.

A recorded capture is repeated with shifted times and renewed Call-IDs and branches, so that every
repetition holds new transactions. Each reader runs as a whole process, on one core where the
system can bind one, in turns, and the median counts. Slow readers may get the first part of the
same file: compare packets per second. On a busy machine compare those per second of processor
time, which is the same on an idle one.

    python benchmarks/capture_speed.py CAPTURE [--gigabytes 1] [--repeat 3] [--only READER ...]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.compression import open_log
from traffic_siamese.captures.reader import read_packets

PCAP_MAGIC = 0xA1B2C3D4
IDENTIFIER = re.compile(rb"(?:Call-ID: ?|\ni: ?|;branch=z9hG4bK)([0-9A-Za-z]{4})", re.IGNORECASE)
MAX_REPEATS = 10_000
SLOW_BYTES = 150_000_000

OURS = """
import sys
from traffic_siamese.features.series import read_series
print(read_series(sys.argv[1]).n_packets)
"""
DPKT = """
import collections, sys, dpkt
counts, sizes = collections.Counter(), collections.Counter()
with open(sys.argv[1], "rb") as file:
    for time_s, frame in dpkt.pcap.Reader(file):
        ip = dpkt.ethernet.Ethernet(frame).data
        if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.udp.UDP):
            counts[int(time_s)] += 1
            sizes[int(time_s)] += len(frame)
print(counts.total())
"""
NFSTREAM = """
import sys
from nfstream import NFStreamer
print(sum(flow.bidirectional_packets for flow in NFStreamer(source=sys.argv[1], n_meters=1)))
"""


@dataclass(frozen=True)
class Reader:
    """A reader to time: its command for a capture, and whether it gets only a part of it."""

    name: str
    command: Callable[[Path], list[str]]
    is_slow: bool = False


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


READERS = (
    Reader("traffic-siamese", lambda path: [sys.executable, "-c", OURS, str(path)]),
    Reader("nfstream", lambda path: [sys.executable, "-c", NFSTREAM, str(path)]),
    Reader("dpkt", lambda path: [sys.executable, "-c", DPKT, str(path)], is_slow=True),
    Reader("tshark", lambda path: ["tshark", "-n", "-q", "-z", "io,stat,1", "-r", str(path)], True),
)


def read_pcap(path: Path) -> bytes:
    """Return a whole pcap, decompressed."""
    stream, parts = open_log(path), []
    buffer = bytearray(1 << 20)
    while n := stream.readinto(memoryview(buffer)):
        parts.append(bytes(buffer[:n]))
    stream.close()
    data = b"".join(parts)
    if struct.unpack_from("<I", data)[0] != PCAP_MAGIC:
        raise SystemExit(f"{path}: expected a little-endian pcap in microseconds")
    return data


def record_offsets(data: bytes) -> NDArray[np.int64]:
    """Return where each packet record starts."""
    offsets, at = [], 24
    while at + 16 <= len(data):
        offsets.append(at)
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return np.array(offsets, np.int64)


def turned(letters: NDArray[np.uint8], digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn digits and letters round by some places each: different names stay different."""
    out = letters.copy()
    for first, size in ((48, 10), (65, 26), (97, 26)):
        mask = (letters >= first) & (letters < first + size)
        out[mask] = (first + (letters - first + digits) % size)[mask]
    return out


def write_repeated(source: Path, target: Path, n_bytes: int) -> None:
    """Write a capture again and again, later each time and with new names."""
    data = read_pcap(source)
    offsets = record_offsets(data)
    body = np.frombuffer(data, np.uint8)[24:].copy()
    at_seconds = (offsets - 24)[:, None] + np.arange(4)
    seconds = body[at_seconds].copy().view("<u4").ravel()
    span_s = int(seconds.max() - seconds.min()) + 1
    found = [match.start(1) - 24 for match in IDENTIFIER.finditer(data)]
    at_names = np.array(found, np.int64)[:, None] + np.arange(4)
    names = body[at_names]
    with target.open("wb") as file:
        file.write(data[:24])
        for k in range(min(-(-n_bytes // len(body)), MAX_REPEATS)):
            digits = np.array([k // 10**place % 10 for place in range(4)], np.uint8)
            body[at_names] = turned(names, digits)
            body[at_seconds] = (seconds + np.uint32(k * span_s)).view(np.uint8).reshape(-1, 4)
            file.write(body.tobytes())


def write_part(source: Path, target: Path, n_bytes: int) -> None:
    """Write the whole packets among the first bytes of a capture."""
    with source.open("rb") as file:
        data = file.read(n_bytes)
    target.write_bytes(data[: int(record_offsets(data)[-1])])


def run_once(command: list[str]) -> Run:
    """Run a process to its end, bound to one core where that can be done."""
    bound = ["taskset", "-c", "0", *command] if shutil.which("taskset") else command
    began = time.perf_counter()
    process = subprocess.Popen(bound, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{command[0]} failed: {process.stderr.read().decode()[-500:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def present(readers: tuple[Reader, ...]) -> list[Reader]:
    """Return the readers that are installed."""
    missing = {name for name in ("nfstream", "dpkt") if not _can_import(name)}
    missing |= set() if shutil.which("tshark") else {"tshark"}
    return [reader for reader in readers if reader.name not in missing]


def _can_import(name: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {name}"], check=False).returncode == 0


def print_table(
    runs: dict[str, list[Run]], files: dict[str, Path], packets: dict[str, int]
) -> None:
    """Print one row per reader; the ratios are of packets per second of processor time."""
    rate, cpu_rate = (
        {
            name: packets[name] / statistics.median(getattr(run, clock) for run in timed)
            for name, timed in runs.items()
        }
        for clock in ("seconds", "cpu_seconds")
    )
    titles = (
        "reader|file MB|k packets|k packets/s|k packets/CPU s|MB/s|peak MiB|x tshark|x nfstream"
    )
    print(f"| {titles.replace('|', ' | ')} |")
    print("|---" * (titles.count("|") + 1) + "|")
    for name, timed in runs.items():
        size = files[name].stat().st_size
        ratios = [
            f"{cpu_rate[name] / cpu_rate[peer]:.1f}" if peer in rate else "-"
            for peer in ("tshark", "nfstream")
        ]
        speed = f"{rate[name] / 1e3:,.0f} | {cpu_rate[name] / 1e3:,.0f}"
        volume = f"{rate[name] * size / packets[name] / 1e6:,.0f}"
        peak = f"{max(run.peak_mib for run in timed):,.0f}"
        head = f"{name} | {size / 1e6:,.0f} | {packets[name] / 1e3:,.0f}"
        print(f"| {head} | {speed} | {volume} | {peak} | {' | '.join(ratios)} |")


def count_packets(path: Path) -> int:
    """Return the number of packets in a pcap."""
    with read_packets(path) as reader:
        for _ in reader:
            pass
    return reader.stats.n_packets


def prepare(capture: Path, gigabytes: float) -> tuple[Path, Path, dict[Path, int]]:
    """Make the large capture and its first part, once; return them and their packets."""
    folder = Path(tempfile.gettempdir()) / "traffic-siamese-benchmark"
    folder.mkdir(exist_ok=True)
    whole = folder / f"{capture.name}-{gigabytes:g}.pcap"
    part = folder / f"{capture.name}-{gigabytes:g}-part.pcap"
    if not part.exists():
        write_repeated(capture, whole, int(gigabytes * 1e9))
        write_part(whole, part, SLOW_BYTES)
    return whole, part, {path: count_packets(path) for path in (whole, part)}


def main() -> None:
    """Make the captures once, time every reader, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("capture", type=Path, help="a recorded pcap, plain or compressed")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="READER", help="time these readers alone")
    options = parser.parse_args()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        # apart: a process counts its parent's peak memory as its own
        whole, part, n_packets = pool.submit(prepare, options.capture, options.gigabytes).result()
    readers = [r for r in present(READERS) if not options.only or r.name in options.only]
    files = {reader.name: part if reader.is_slow else whole for reader in readers}
    runs: dict[str, list[Run]] = {reader.name: [] for reader in readers}
    for _ in range(options.repeat):
        for reader in readers:
            runs[reader.name].append(run_once(reader.command(files[reader.name])))
    print_table(runs, files, {name: n_packets[path] for name, path in files.items()})


if __name__ == "__main__":
    main()
