"""Alarms as fault events of the VES event listener (common event format 30.2.1, API 7.2.1)."""

from __future__ import annotations

from typing import Any

from traffic_siamese.noc.alarm import Notice
from traffic_siamese.noc.severity import kind_of
from traffic_siamese.times import format_time

_PRIORITY = {"critical": "High", "major": "Medium", "minor": "Normal", "warning": "Low"}


def ves_event(notice: Notice, reporter: str) -> dict[str, Any]:
    """Return one event; an ``eventList`` of them is what ``eventBatch`` takes.

    A clear is of severity ``NORMAL``, with event id, condition and source of its raise, and the
    next sequence number.

    Parameters
    ----------
    notice : Notice
    reporter : str
        Name of the machine that tells it.

    References
    ----------
    ONAP, VES Event Listener 7.2.1, "Common Event Header" and "Fault Domain Datatypes".
    """
    alarm = notice.alarm
    header = {
        "version": "4.1",
        "vesEventListenerVersion": "7.2.1",
        "domain": "fault",
        "eventName": f"Fault_TrafficSiamese_{alarm.label}",
        "eventId": alarm.id,
        "sequence": int(notice.clears),
        "priority": _PRIORITY[alarm.severity],
        "reportingEntityName": reporter,
        "sourceName": alarm.source,
        "startEpochMicrosec": alarm.raised_ns // 1000,
        "lastEpochMicrosec": notice.time_ns // 1000,
    }
    return {"commonEventHeader": header, "faultFields": _fault(notice)}


def _fault(notice: Notice) -> dict[str, Any]:
    alarm, kind = notice.alarm, kind_of(notice.alarm.label)
    return {
        "faultFieldsVersion": "4.0",
        "alarmCondition": alarm.label,
        "eventCategory": "signaling",
        "eventSeverity": "NORMAL" if notice.clears else alarm.severity.upper(),
        "eventSourceType": "other",
        "specificProblem": alarm.problem,
        "vfStatus": "Active",
        "alarmAdditionalInformation": {
            "description": notice.text,
            "log": alarm.log,
            "confidence": f"{alarm.confidence:.2f}",
            "eventType": kind.event_type,
            "probableCause": kind.probable_cause,
            "eventTime": format_time(notice.time_ns),
        },
    }
