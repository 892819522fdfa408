"""Incidents and alarms to write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from traffic_siamese.noc.alarm import Alarm, alarms_of
from traffic_siamese.noc.severity import Severities
from traffic_siamese.times import parse_time
from traffic_siamese.types import Incident

START, END = "2026-11-22T06:53:24.250Z", "2026-11-22T06:56:52.000Z"
ENDED = Incident(
    "C/blocked-1.pcap", parse_time(START), parse_time(END), "blocked", 0.92, 25, "answers 20 -> 0.5"
)
OPEN = replace(ENDED, label="capacity", is_open=True)


def alarm(incident: Incident = ENDED, **options: Any) -> Alarm:
    """Return the alarm of an incident."""
    (made,) = alarms_of([incident], Severities(), **options)
    return made
