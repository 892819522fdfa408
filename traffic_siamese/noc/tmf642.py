"""Alarms as TM Forum's Alarm Management API takes them (TMF642, version 4.0.0)."""

from __future__ import annotations

import uuid
from typing import Any

from traffic_siamese.noc.alarm import Notice
from traffic_siamese.noc.severity import kind_of
from traffic_siamese.times import format_time

_SAFE_BITS = 53  # of an integer that every reader of JSON keeps exactly (RFC 8259, section 6)


def tmf642_alarm(notice: Notice, reporter: str) -> dict[str, Any]:
    """Return an ``Alarm``: raised, or the same one cleared.

    It holds all that ``Alarm_Create`` requires. ``id`` must be an integer there, so it is made of
    the first 53 bits of the alarm's UUID, which is ``externalAlarmId``.

    Parameters
    ----------
    notice : Notice
    reporter : str
        Name of the machine that tells it.

    References
    ----------
    TM Forum, TMF642 Alarm Management API REST Specification R19.0.0, resource Alarm.
    """
    alarm, kind = notice.alarm, kind_of(notice.alarm.label)
    raised, changed = format_time(alarm.raised_ns), format_time(notice.time_ns)
    told = {
        "id": uuid.UUID(alarm.id).int >> (128 - _SAFE_BITS),
        "externalAlarmId": alarm.id,
        "state": notice.state,
        "ackState": "unacknowledged",
        "perceivedSeverity": notice.severity,
        "alarmType": kind.event_type,
        "probableCause": kind.probable_cause,
        "specificProblem": alarm.problem,
        "alarmDetails": f"{notice.text} (confidence {alarm.confidence:.2f}, log {alarm.log})",
        "alarmedObjectType": "network" if alarm.network else "traffic log",
        "alarmedObject": {"id": alarm.source},
        "sourceSystemId": "traffic-siamese",
        "reportingSystemId": reporter,
        "alarmRaisedTime": raised,
        "alarmChangedTime": changed,
        "@type": "Alarm",
    }
    return {**told, "alarmClearedTime": changed} if notice.clears else told
