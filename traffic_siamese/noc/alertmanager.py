"""Alarms as alerts of Prometheus Alertmanager, in the body of ``POST /api/v2/alerts``."""

from __future__ import annotations

from typing import Any

from traffic_siamese.noc.alarm import Alarm
from traffic_siamese.times import format_time


def alertmanager_alert(alarm: Alarm) -> dict[str, Any]:
    """Return one alert, firing from ``startsAt`` and resolved at ``endsAt``.

    Alertmanager knows an alert by its labels, so these hold what stays the same from raise to
    clear; the alarm's id among them keeps two incidents of one fault apart.

    References
    ----------
    Alertmanager, api/v2/openapi.yaml, definition ``postableAlert``.
    """
    labels = {
        "alertname": "TrafficIncident",
        "fault": alarm.label,
        "severity": alarm.severity,
        "network": alarm.network,
        "log": alarm.log,
        "incident": alarm.id,
    }
    raised, cleared = alarm.notices()[0], alarm.cleared_ns
    alert: dict[str, Any] = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {
            "summary": alarm.title,
            "description": f"{raised.text} (confidence {alarm.confidence:.2f})",
        },
        "startsAt": format_time(alarm.raised_ns),
    }
    return alert if cleared is None else {**alert, "endsAt": format_time(cleared)}
