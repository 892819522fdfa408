"""Simulated captures against tshark: nothing is malformed, every message is counted."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.features.test_tshark import assert_same_counts
from tests.simulate.signalling.simulated import PLAIN, episode, fault
from traffic_siamese.simulate.signalling.network_model import TRANSPORTS

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
