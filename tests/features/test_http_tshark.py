"""HTTP/2 and HTTP/1.1 against tshark's dissection, on built and on recorded captures."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import builders as b
from tests.features import http as h
from tests.features.gathered import slots
from tests.features.test_http import CLASSES, KINDS

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_CAPTURES", "no-such-folder"))
RECORDED = sorted((PUBLIC / "open5gs").glob("*.pcapng"))
SPEAK_HTTP2 = {"random": (h.SBI_PORT,), "5g-roaming-hr": (80, 7777), "5g-roaming-lbo": (80, 7777)}
"""Ports that tshark must be told of: it does not look for HTTP/2 in the middle of connections."""
FIELDS = ("http2.headers.method", "http.request.method", "http2.headers.status")
SEGMENT = ("ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.seq_raw")


def tshark_http(path: Path) -> tuple[int, Counter[str]]:
    """Count requests, and answers by class."""
    command = ["tshark", "-n", "-r", str(path), "-Y", "!ssdp", "-T", "fields", "-E", "occurrence=a"]
    for port in SPEAK_HTTP2.get(path.stem, ()):
        command += ["-d", f"tcp.port=={port},http2"]
    fields = (*SEGMENT, *FIELDS, "http.response.code")
    command += [word for field in fields for word in ("-e", field)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return count_once([line.split("\t") for line in lines])


def count_once(rows: list[list[str]]) -> tuple[int, Counter[str]]:
    """Count the messages of each TCP segment, once where several interfaces saw it."""
    seen: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        inner = tuple(value.split(",")[-1] for value in row[: len(SEGMENT)])
        if any(row[len(SEGMENT) :]):
            seen[inner] = row[len(SEGMENT) :]
    columns = [",".join(column).split(",") for column in zip(*seen.values(), strict=True)]
    asks2, asks1, answers2, answers1 = columns or [[], [], [], []]
    classes = dict(CLASSES)
    statuses = filter(None, answers2 + answers1)
    n_requests = sum(1 for method in asks2 + asks1 if method)
    return n_requests, Counter(f"answer_{classes[int(status)]}" for status in statuses)


def our_http(path: Path) -> tuple[int, Counter[str]]:
    """Count the same in what the kernel gathers; pings and resets are none in these captures."""
    found = slots(path, "http")
    answers = Counter({name: n for name, n in found.items() if name.startswith("answer_")})
    return sum(n for name, n in found.items() if name.startswith("request_")), answers


def test_random_connections_count_as_in_tshark(tmp_path: Path) -> None:
    """Requests and statuses of random connections, several messages to a segment, as tshark's."""
    chance, packets = random.Random(7), []
    for n in range(6):
        connection, client, server = h.Connection(port=41000 + n), h.Sender(), h.Sender()
        connection.send(0, h.PREFACE + h.frame(h.SETTINGS))
        connection.send(1, h.frame(h.SETTINGS))
        for stream in range(1, 60, 6):
            asked = [chance.choice(KINDS)[:2] for _ in range(3)]
            wires = [client.request(stream + 2 * i, *ask, b"{}") for i, ask in enumerate(asked)]
            connection.send(0, b"".join(wires), stream / 10)
            answers = [
                server.answer(stream + 2 * i, chance.choice(CLASSES[1:])[0]) for i in range(3)
            ]
            connection.send(1, b"".join(answers), stream / 10 + 0.01)
        packets += connection.packets
    path = tmp_path / "random.pcap"
    path.write_bytes(b.pcap(sorted(packets, key=lambda p: p.time_ns), magic=b.NANOSECONDS))
    assert our_http(path) == tshark_http(path)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_networks_count_as_in_tshark(path: Path) -> None:
    """Every request and every answer, by class, that tshark finds; and no other."""
    assert our_http(path) == tshark_http(path)
