"""Alarms as syslog messages (RFC 5424) with the structured data of RFC 5674."""

from __future__ import annotations

import re

from traffic_siamese.noc.alarm import Notice
from traffic_siamese.noc.severity import kind_of
from traffic_siamese.times import format_time

_LOCAL0 = 16
_SEVERITY = {"critical": 1, "major": 2, "minor": 3, "warning": 4, "cleared": 5}
"""RFC 5674, section 2: from alert down to notice."""

OWN_DATA = "trafficSiamese@32473"
"""The enterprise number is the one that RFC 5612 keeps for examples; the project has none."""

_BOM = "\ufeff"


def syslog_message(notice: Notice, reporter: str) -> str:
    """Return one message, without a line end and with none inside.

    Parameters
    ----------
    notice : Notice
        Its time is the time of the message.
    reporter : str
        Name of the machine that tells it: the HOSTNAME.

    References
    ----------
    RFC 5424, section 6 (syntax), 6.3.3 (escapes), 6.4 (byte order mark); RFC 5674, section 3.
    """
    priority = 8 * _LOCAL0 + _SEVERITY[notice.severity]
    time, msg_id = format_time(notice.time_ns), "CLEAR" if notice.clears else "RAISE"
    head = f"<{priority}>1 {time} {_host(reporter)} traffic-siamese - {msg_id}"
    return f"{head} {_structured_data(notice)} {_BOM}{_one_line(notice.text)}"


def _structured_data(notice: Notice) -> str:
    alarm, kind = notice.alarm, kind_of(notice.alarm.label)
    standard = {
        "resource": alarm.source,
        "probableCause": kind.probable_cause,
        "perceivedSeverity": notice.severity,
        "eventType": kind.event_type,
    }
    own = {
        "id": alarm.id,
        "state": notice.state,
        "label": alarm.label,
        "network": alarm.network,
        "log": alarm.log,
        "start": format_time(alarm.raised_ns),
        "confidence": f"{alarm.confidence:.2f}",
    }
    return _element("alarm", standard) + _element(OWN_DATA, own)


def _element(name: str, params: dict[str, str]) -> str:
    written = [f'{key}="{_escape(value)}"' for key, value in params.items() if value]
    return f"[{' '.join([name, *written])}]"


def _escape(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", _one_line(value))


def _one_line(text: str) -> str:
    """Put a space for every control character: a line break would end the message."""
    return re.sub(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]", " ", text)


def _host(name: str) -> str:
    return re.sub(r"[^!-~]", "", name)[:255] or "-"
