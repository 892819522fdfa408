"""Simulated captures against tshark: nothing is malformed, every message is counted."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.features.dissection import our_counts, tshark_counts
from tests.features.test_tshark import assert_same_counts
from tests.simulate.signalling.simulated import PLAIN, episode, fault
from traffic_siamese.simulate.signalling.fault_model import FaultModel, Onset
from traffic_siamese.simulate.signalling.transports import TRANSPORTS

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

CHECKS = ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum")
WRONG = (
    "_ws.malformed or ip.checksum.status == 0 or udp.checksum.status == 0 "
    "or tcp.checksum.status == 0 or icmp.checksum.status == 0 or icmpv6.checksum.status == 0"
)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("ipv6", [False, True])
def test_tshark_finds_nothing_wrong(tmp_path: Path, transport: str, ipv6: bool) -> None:
    """Calls from both sides, a server that refuses, and all checksums."""
    network = replace(PLAIN, transport=transport, ipv6=ipv6, terminating_share=0.4, nat=ipv6)
    path = tmp_path / "one.pcap"
    episode(network, fault("service_down"), length_s=15, onset_s=8, end_s=11).write_pcap(path)
    options = [word for name in CHECKS for word in ("-o", f"{name}:TRUE")]
    command = ["tshark", "-n", "-r", str(path), *options, "-Y", WRONG]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""


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


def test_tshark_reads_every_diameter_message_and_finds_nothing_wrong(tmp_path: Path) -> None:
    """No error, no attribute that cannot be read; messages by kind and result as counted here."""
    network = replace(
        PLAIN, protocol="diameter", transport="tcp", n_addresses=6, n_cores=2, watchdog_s=6.0,
    )  # fmt: skip
    effects = tuple(effect for one in EVERYTHING for effect in one.effects)
    path = tmp_path / "one.pcap"
    broken = FaultModel("all", "all", effects, Onset())
    episode(network, broken, length_s=16, onset_s=4, end_s=13).write_pcap(path)
    options = [word for name in CHECKS for word in ("-o", f"{name}:TRUE")]
    wrong = f"{WRONG} or _ws.expert.severity == error or _ws.expert.group == undecoded"
    wrong += " or _ws.expert.group == protocol"
    command = ["tshark", "-n", "-r", str(path), *options, "-Y", wrong]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    counts = our_counts(path)
    assert counts == tshark_counts(path)
    assert sum(counts.values()) > 300
    assert {slot for _, slot in counts} >= {
        "answer_overload", "answer_not_found", "answer_other_server_error", "answer_forbidden",
        "answer_bad_request", "answer_challenge", "answer_success", "request_keep_alive",
    }  # fmt: skip
