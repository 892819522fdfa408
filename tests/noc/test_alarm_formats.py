"""Each format against what its standard says, and against the published schema if that is here."""

from __future__ import annotations

import csv
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.noc.made import END, ENDED, OPEN, START, alarm
from tests.noc.schema_check import PUBLIC, faults, needs_schemas, published
from traffic_siamese.noc.alarm_rows import csv_head, csv_line, json_line
from traffic_siamese.noc.alertmanager import alertmanager_alert
from traffic_siamese.noc.severity import DEFAULT_SEVERITIES
from traffic_siamese.noc.tmf642 import tmf642_alarm
from traffic_siamese.noc.ves import ves_event
from traffic_siamese.types import Incident

INCIDENTS = [
    ENDED,
    OPEN,
    *(replace(ENDED, label=label) for label in DEFAULT_SEVERITIES),
    replace(ENDED, capture="", reason="", confidence=0.0),
    replace(ENDED, label="Überlast „neu“", reason='says "no" \\ ]\n'),
]


def _tmf642(incident: Incident = ENDED, **options: Any) -> list[dict[str, Any]]:
    return [tmf642_alarm(one, "probe1") for one in alarm(incident, **options).notices()]


def _ves(incident: Incident = ENDED, **options: Any) -> list[dict[str, Any]]:
    return [ves_event(one, "probe1") for one in alarm(incident, **options).notices()]


def test_tmf642_raises_an_alarm_and_clears_the_same() -> None:
    """Required by ``Alarm_Create`` of TMF642 4.0.0; state and severity by X.733."""
    raised, cleared = _tmf642(network="C")
    required = (
        "alarmType perceivedSeverity probableCause alarmedObject sourceSystemId state "
        "alarmRaisedTime"
    )
    assert set(required.split()) <= set(raised) & set(cleared)
    assert raised["id"] == cleared["id"]
    assert isinstance(raised["id"], int)
    assert 0 <= raised["id"] < 2**53
    assert uuid.UUID(raised["externalAlarmId"]) == uuid.UUID(cleared["externalAlarmId"])
    assert (raised["state"], raised["perceivedSeverity"]) == ("raised", "critical")
    assert (cleared["state"], cleared["perceivedSeverity"]) == ("cleared", "cleared")
    assert raised["alarmedObject"] == {"id": "C"}
    assert "alarmClearedTime" not in raised
    assert (cleared["alarmRaisedTime"], cleared["alarmClearedTime"]) == (START, END)
    assert len(_tmf642(OPEN)) == 1


@needs_schemas
@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: one.label)
def test_tmf642_is_valid_by_the_published_schema(incident: Incident) -> None:
    root = published("tmf642/TMF642-Alarm-v4.0.0.swagger.json.gz")
    for told in _tmf642(incident):
        assert faults(told, root["definitions"]["Alarm"], root) == []
        assert faults(told, root["definitions"]["Alarm_Create"], root) == []
        assert set(told) <= set(root["definitions"]["Alarm"]["properties"])


def test_ves_clears_with_severity_normal_and_the_next_sequence() -> None:
    """VES event listener: required members of header and fault fields; times in microseconds."""
    raised, cleared = _ves(network="C")
    header, later = raised["commonEventHeader"], cleared["commonEventHeader"]
    required = (
        "domain eventId eventName lastEpochMicrosec priority reportingEntityName sequence "
        "sourceName startEpochMicrosec version vesEventListenerVersion"
    )
    assert set(required.split()) <= set(header) & set(later)
    assert header["domain"] == "fault"
    for name in ("eventId", "eventName", "sourceName", "startEpochMicrosec"):
        assert header[name] == later[name]
    assert later["sequence"] > header["sequence"]
    assert header["lastEpochMicrosec"] == header["startEpochMicrosec"] == ENDED.start_ns / 1000
    assert later["lastEpochMicrosec"] == ENDED.end_ns / 1000
    fault, over = raised["faultFields"], cleared["faultFields"]
    for name in ("alarmCondition", "eventSourceType", "specificProblem"):
        assert fault[name] == over[name]
    assert (fault["eventSeverity"], over["eventSeverity"]) == ("CRITICAL", "NORMAL")
    assert all(isinstance(text, str) for text in fault["alarmAdditionalInformation"].values())


@needs_schemas
@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: one.label)
def test_ves_is_valid_by_the_published_schema(incident: Incident) -> None:
    root = published("ves/CommonEventFormat_30.2.1_ONAP.json.gz")
    assert faults({"eventList": _ves(incident)}, root, root) == []


@needs_schemas
def test_the_reading_of_schemas_tells_right_from_wrong() -> None:
    """The published samples are right; one that lacks its header or has more is not."""
    root = published("ves/CommonEventFormat_30.2.1_ONAP.json.gz")
    sample = json.loads((PUBLIC / "ves/ves7_batch_valid.json").read_text())
    assert faults(sample, root, root) == []
    sample["eventList"][0]["faultFields"]["eventSeverity"] = "BAD"
    sample["eventList"][1]["faultFields"]["more"] = 1
    del sample["eventList"][1]["commonEventHeader"]["sequence"]
    assert len(faults(sample, root, root)) == 3


def test_an_alert_fires_from_its_start_to_its_end() -> None:
    """``postableAlert`` of Alertmanager's API v2: labels required, all strings, none empty."""
    ended, still_open = alertmanager_alert(alarm(network="C")), alertmanager_alert(alarm(OPEN))
    assert set(ended) == {"labels", "annotations", "startsAt", "endsAt"}
    assert (ended["startsAt"], ended["endsAt"]) == (START, END)
    assert "endsAt" not in still_open
    assert ended["labels"]["alertname"] == "TrafficIncident"
    assert ended["labels"]["severity"] == "critical"
    for alert in (ended, still_open):
        for name, value in (alert["labels"] | alert["annotations"]).items():
            assert name.isidentifier()
            assert isinstance(value, str)
            assert value


def test_an_alert_keeps_its_labels_when_it_ends() -> None:
    """Alertmanager knows it by them."""
    labels = [
        alertmanager_alert(alarm(replace(ENDED, is_open=is_open, confidence=confidence)))["labels"]
        for is_open, confidence in ((True, 0.5), (False, 0.9))
    ]
    assert labels[0] == labels[1]


def test_rows_say_the_same_in_csv_and_json_lines() -> None:
    notices = [one for incident in INCIDENTS for one in alarm(incident).notices()]
    objects = [json.loads(json_line(one)) for one in notices]
    text = csv_head() + "".join(csv_line(one) for one in notices)
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert rows == [
        {name: "" if value is None else str(value) for name, value in one.items()}
        for one in objects
    ]
    assert (objects[0]["state"], objects[0]["time"], objects[0]["end"]) == ("raised", START, None)
    assert (objects[1]["state"], objects[1]["time"], objects[1]["end"]) == ("cleared", END, END)
