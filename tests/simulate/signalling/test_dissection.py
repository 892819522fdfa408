"""Simulated captures against tshark: nothing is malformed, every message is counted."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.features.dissection import our_counts, tshark_counts
from tests.features.test_tshark import assert_same_counts
from tests.simulate.signalling.simulated import PLAIN, episode, fault, values
from traffic_siamese.simulate.signalling.fault_model import FaultModel, Onset
from traffic_siamese.simulate.signalling.transports import TRANSPORTS

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

CHECKS = (
    "ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE",
    "sctp.checksum:CRC 32c",
)  # fmt: skip
WRONG = (
    "_ws.malformed or ip.checksum.status == 0 or udp.checksum.status == 0 "
    "or tcp.checksum.status == 0 or icmp.checksum.status == 0 or icmpv6.checksum.status == 0 "
    "or sctp.checksum.status == 0"
)
WRONG_ANYWHERE = (
    f"{WRONG} or _ws.expert.severity == error or _ws.expert.group == undecoded "
    "or _ws.expert.group == protocol"
)
SET_UP = ("1", "2", "10", "11")
"""INIT, INIT ACK, COOKIE ECHO and COOKIE ACK."""


def tshark(path: Path, *words: str) -> str:
    """Return what tshark says, with all checksums checked."""
    options = [word for check in CHECKS for word in ("-o", check)]
    command = ["tshark", "-n", "-r", str(path), *options, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ipv6", [False, True])
def test_tshark_finds_nothing_wrong(tmp_path: Path, transport: str, ipv6: bool) -> None:
    """Calls from both sides, a server that refuses, and all checksums."""
    network = replace(PLAIN, transport=transport, ipv6=ipv6, terminating_share=0.4, nat=ipv6)
    path = tmp_path / "one.pcap"
    episode(network, fault("service_down"), length_s=15, onset_s=8, end_s=11).write_pcap(path)
    assert tshark(path, "-Y", WRONG) == ""


def test_every_message_is_counted_as_tshark_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    broken = fault("packet_loss", way="both")
    episode(PLAIN, broken, length_s=25, onset_s=8, end_s=20).write_pcap(path)
    assert_same_counts(path)


EVERYTHING = (
    fault("server_overload", share=0.2), fault("route_misconfig", share=0.2, answer="404"),
    fault("server_errors", share=0.2, answer="502"), fault("auth_failure", share=0.4),
    fault("scan", per_s=6.0), fault("malformed", per_s=6.0),
)  # fmt: skip
"""Effects that bring all that Diameter can say."""


@pytest.mark.parametrize(("transport", "ipv6"), [("tcp", False), ("sctp", True)])
def test_tshark_reads_every_diameter_message_and_finds_nothing_wrong(
    tmp_path: Path, transport: str, ipv6: bool
) -> None:
    """No error, no attribute that cannot be read; messages by kind and result as counted here."""
    network = replace(
        PLAIN, protocol="diameter", transport=transport, n_addresses=6, n_cores=2, watchdog_s=6.0,
        ipv6=ipv6,
    )  # fmt: skip
    effects = tuple(effect for one in EVERYTHING for effect in one.effects)
    path = tmp_path / "one.pcap"
    broken = FaultModel("all", "all", effects, Onset())
    episode(network, broken, length_s=16, onset_s=4, end_s=13).write_pcap(path)
    assert tshark(path, "-Y", WRONG_ANYWHERE) == ""
    counts = our_counts(path)
    assert counts == tshark_counts(path)
    assert sum(counts.values()) > 300
    assert {slot for _, slot in counts} >= {
        "answer_overload", "answer_not_found", "answer_other_server_error", "answer_forbidden",
        "answer_bad_request", "answer_challenge", "answer_success", "request_keep_alive",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("packet_loss", {"way": "up", "share": 0.15}),
        ("blocked", {"way": "up"}),
        pytest.param("blocked", {"way": "both"}, marks=pytest.mark.slow),
        pytest.param("service_down", {"answer": "silence"}, marks=pytest.mark.slow),
    ],
)
def test_tshark_finds_the_chunks_of_sctp_repeated_that_are_counted(
    tmp_path: Path, family: str, given: dict[str, float | str]
) -> None:
    """TSNs seen before, and chunks of the set-up that came before; nothing is malformed.

    Nothing is lost before the capture point: it would be counted here when it comes, late.
    """
    network = replace(
        PLAIN, protocol="diameter", transport="sctp", n_addresses=6, watchdog_s=8.0,
        reconnect_s=5.0, rto_max_s=5.0, association_retries=3,
    )  # fmt: skip
    one = episode(network, fault(family, **given), length_s=30, onset_s=4, end_s=22)
    path = tmp_path / "one.pcap"
    one.write_pcap(path)
    assert tshark(path, "-Y", WRONG_ANYWHERE) == ""
    names = ("sctp.retransmission", "sctp.chunk_type", "sctp.verification_tag", "sctp.srcport",
             "sctp.init_initiate_tag")  # fmt: skip
    fields = [word for name in names for word in ("-e", name)]
    repeated, set_up = 0, Counter[tuple[str, ...]]()
    for line in tshark(path, "-T", "fields", *fields).splitlines():
        again, types, *where = line.split("\t")
        repeated += len(again.split(",")) if again else 0
        set_up.update((kind, *where) for kind in types.split(",") if kind in SET_UP)
    repeated += sum(n - 1 for n in set_up.values())
    found = sum(values(one, f"{way}_service_tcp_retransmissions", 0, 60) for way in ("to", "from"))
    assert round(found * len(one.log.series[0].values)) == repeated > 5
