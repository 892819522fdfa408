"""What an incident becomes: an alarm with an id of its own, raised and cleared."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from tests.noc.made import ENDED, OPEN, alarm
from traffic_siamese.noc.alarm import alarms_of
from traffic_siamese.noc.severity import Severities


def test_an_incident_that_has_ended_is_raised_and_cleared() -> None:
    made = alarm(network="C")
    raised, cleared = made.notices()
    assert (raised.state, raised.severity, raised.time_ns) == (
        "raised", "critical", ENDED.start_ns,
    )  # fmt: skip
    assert (cleared.state, cleared.severity, cleared.time_ns) == (
        "cleared", "cleared", ENDED.end_ns,
    )  # fmt: skip
    assert raised.text == "blocked on network C: answers 20 -> 0.5"
    assert cleared.text == "blocked on network C: over after 208 s"


def test_an_incident_that_the_log_cut_off_is_not_cleared() -> None:
    (raised,) = alarm(OPEN).notices()
    assert raised.state == "raised"


def test_where_no_network_is_named_the_log_is_in_trouble() -> None:
    assert alarm().source == "C/blocked-1.pcap"
    assert alarm(network="C").source == "C"


def test_ids_are_uuids_of_version_5() -> None:
    assert uuid.UUID(alarm().id).version == 5


def test_an_id_changes_with_what_makes_another_alarm_and_with_nothing_else() -> None:
    """Log, network, start and label count; how it ended and how sure one is does not."""
    others = [
        alarm(network="C"),
        alarm(replace(ENDED, capture="B/blocked-1.pcap")),
        alarm(replace(ENDED, start_ns=ENDED.start_ns + 1_000_000)),
        alarm(replace(ENDED, label="capacity")),
    ]
    assert len({made.id for made in [alarm(), *others]}) == 5
    same = replace(ENDED, end_ns=ENDED.end_ns + 1, confidence=0.1, reason="", is_open=True)
    assert alarm(same).id == alarm().id


def test_an_id_is_the_same_in_another_process_and_by_another_path() -> None:
    """One process names the log by its full path, the other from within its folder."""
    code = (
        "from tests.noc.made import ENDED, alarm; from dataclasses import replace; import os;"
        "made = alarm(replace(ENDED, capture=os.path.abspath(ENDED.capture)));"
        "import sys; sys.stdout.write(made.id)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True,
        cwd=Path.cwd(),
    )  # fmt: skip
    assert child.stdout == alarm().id


def test_names_that_are_no_text_can_be_written() -> None:
    """A file's name may hold any bytes."""
    made = alarm(replace(ENDED, capture=os.fsdecode(b"trace-\xff.pcap")))
    assert made.log.encode() == b"trace-\\udcff.pcap"


@pytest.mark.parametrize("label", ["blocked", "own_fault"])
def test_severities_are_those_that_were_asked_for(label: str) -> None:
    asked = Severities({label: "warning"})
    (made,) = alarms_of([replace(ENDED, label=label)], asked)
    assert made.severity == "warning"
