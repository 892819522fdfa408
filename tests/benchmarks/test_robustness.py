"""The script that damages files: a fast part of it, on captures made here."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from tests import builders as b
from tests.captures.test_decode import LINKS
from tests.features.sip import START_NS, Sip, datagram

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "robustness.py"
CALLS = [datagram(Sip("INVITE", call=str(n)).wire, START_NS + n * 10**8) for n in range(40)]


def write_captures(folder: Path) -> None:
    """Write a pcap, the same compressed, and a pcapng of every link type."""
    (folder / "calls.pcap").write_bytes(b.pcap(CALLS))
    (folder / "calls.pcap.gz").write_bytes(gzip.compress(b.pcap(CALLS)))
    out = b.section()
    for number, (link_type, frame) in enumerate(LINKS.values()):
        out += b.interface(link_type=link_type)
        out += b.enhanced(b.Packet(frame), START_NS // 1000 + number, number=number)
    (folder / "links.pcapng").write_bytes(out)


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_damaged_captures_give_series_or_errors(tmp_path: Path) -> None:
    """All cases are accounted for, and none of them ends in any other way."""
    write_captures(tmp_path)
    done = run(tmp_path, "--cases", "300", "--seed", "5")
    assert done.returncode == 0, done.stderr
    cells = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    assert cells[:3] == [".", "3", "300"]
    n_series, n_errors, n_other = map(int, cells[3:6])
    assert (n_series + n_errors, n_other) == (300, 0)
    assert min(n_series, n_errors) > 20


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "no logs" in run(tmp_path).stderr
