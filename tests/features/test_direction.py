"""Which hosts serve, on hand-made geometries."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests import builders as b
from tests.features.sip import SECOND, START_NS, Sip, datagram, read, totals

Call = tuple[int, int, int, int]  # source, target, their ports


def packets_to_service(tmp_path: Path, calls: list[Call]) -> tuple[float, float]:
    """Send a request and its answer along each pair; return packets to and from the service."""
    packets = []
    for i, (source, target, source_port, target_port) in enumerate(calls):
        ask, at = Sip("OPTIONS", call=f"call-{i}"), START_NS + i * SECOND // 100
        answer = Sip("OPTIONS", 200, call=f"call-{i}")
        ports = (source_port, target_port)
        packets.append(datagram(ask.wire, at, hosts=(source, target), ports=ports))
        back = {"hosts": (target, source), "ports": ports[::-1]}
        packets += [datagram(answer.wire, at + n, **back) for n in (1, 2)]
    found = totals(read(tmp_path / "geometry.pcap", packets))
    return found["to_service_packets"], found["from_service_packets"]


PHONES = range(10, 40)


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([(phone, 1, 5060, 5060) for phone in PHONES], id="one core"),
        pytest.param([(p, c, 5060, 5060) for p, c in product(PHONES, (1, 2))], id="two cores"),
        pytest.param([(10, 1, 20_000 + i, 5060) for i in range(30)], id="all phones behind NAT"),
        pytest.param([(p, 1, 30_000 + p, 5060) for p in (10, 11)], id="two phones"),
    ],
)
def test_requests_go_to_the_service(tmp_path: Path, calls: list[Call]) -> None:
    """Each pair sends one packet to the service and gets two."""
    assert packets_to_service(tmp_path, calls) == (len(calls), 2 * len(calls))


def test_requests_from_the_core_come_from_the_service(tmp_path: Path) -> None:
    calls = [(1, phone, 5060, 5060) for phone in PHONES]
    assert packets_to_service(tmp_path, calls) == (2 * len(calls), len(calls))


def test_a_trunk_of_two_hosts_has_one_server(tmp_path: Path) -> None:
    """Nothing tells the two apart: whichever is taken, the directions are kept apart."""
    ways = packets_to_service(tmp_path, [(10, 11, 5060, 5060)] * 20)
    assert sorted(ways) == [20, 40]


def test_media_between_phones_does_not_make_them_servers(tmp_path: Path) -> None:
    pairs = [(10 + i % 20, 11 + i % 20) for i in range(600)]
    media = [
        datagram(b"\x80\0" + bytes(160), START_NS + i, hosts=hosts, ports=(4000, 4002))
        for i, hosts in enumerate(pairs)
    ]
    signalling = [
        datagram(Sip("OPTIONS", call=f"c{p}").wire, START_NS + p * SECOND // 100, hosts=(p, 1))
        for p in PHONES
    ]
    found = totals(read(tmp_path / "media.pcap", media + signalling))
    assert found["to_service_request_keep_alive"] == len(PHONES)
    assert "from_service_request_keep_alive" not in found


def test_traffic_without_any_message_still_has_a_server(tmp_path: Path) -> None:
    """The core is dead: only connection attempts are seen."""
    frames = [b.ethernet(b.ipv4(b.tcp(flags=2, ports=(40_000 + i, 5060)), 6)) for i in range(10)]
    found = totals(read(tmp_path / "dead.pcap", [b.Packet(f, START_NS) for f in frames]))
    assert found["to_service_tcp_syn"] == 10
