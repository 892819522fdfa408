"""Which HTTP requests tell another system of alarms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from traffic_siamese.noc.alarm import Alarm, Notice
from traffic_siamese.noc.alarm_rows import json_line
from traffic_siamese.noc.alertmanager import alertmanager_alert
from traffic_siamese.noc.tmf642 import tmf642_alarm
from traffic_siamese.noc.ves import ves_event

POSTED_FORMATS = ("tmf642", "ves", "alertmanager", "jsonl")
_BATCH = "/eventBatch"


@dataclass(frozen=True, slots=True)
class AlarmRequest:
    """One request.

    Attributes
    ----------
    method, url : str
    body : bytes
    content_type : str
    alarm_ids : tuple of str
        Of the alarms that it tells of.
    creates : bool
        Whether the answer says how the other system calls the alarm.
    """

    method: str
    url: str
    body: bytes
    content_type: str
    alarm_ids: tuple[str, ...]
    creates: bool = False


def posted_format(url: str) -> str:
    """Return the format that a URL's path tells, by the paths of the standards.

    Raises
    ------
    ValueError
        If this is no HTTP URL, holds a password, or its path tells no format.
    """
    check_url(url)
    path = urlsplit(url).path.rstrip("/")
    if path.endswith("/api/v2/alerts"):
        return "alertmanager"
    if "/eventListener/" in path:
        return "ves"
    if path.endswith("/alarm"):
        return "tmf642"
    raise ValueError(
        f"{url!r} does not tell the format, expected one of {', '.join(POSTED_FORMATS)}. "
        "Say it with --alarm-format."
    )


def check_url(url: str) -> None:
    """Refuse what no alarm can be posted to. Raises ValueError."""
    parts = urlsplit(url)
    if parts.password or parts.username:
        raise ValueError("the URL holds a user or a password, expected none. Use a header.")
    # A port that is no number raises here.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url!r} is no URL, expected one such as https://noc.example/alarm.")


def alarm_requests(
    alarms: Sequence[Alarm], url: str, *, form: str, reporter: str
) -> list[AlarmRequest]:
    """Return the requests that tell of some alarms, in order.

    Alertmanager, JSON lines and VES at ``eventBatch`` take them all at once; VES elsewhere one
    event at a time. TMF642 takes a raise by POST; a clear is a PATCH of what the raise made, whose
    URL only the answer tells: the one given here ends in the alarm's own id.

    Parameters
    ----------
    alarms : sequence of Alarm
    url : str
    form : str
        One of ``POSTED_FORMATS``.
    reporter : str
        Name of the machine that tells it.
    """
    notices = [notice for alarm in alarms for notice in alarm.notices()]
    ids = tuple(alarm.id for alarm in alarms)
    if not notices:
        return []
    if form == "alertmanager":
        return [_request(url, [alertmanager_alert(alarm) for alarm in alarms], ids)]
    if form == "jsonl":
        body = "".join(map(json_line, notices)).encode()
        return [AlarmRequest("POST", url, body, "application/x-ndjson", ids)]
    if form == "tmf642":
        return [_tmf642(notice, url, reporter) for notice in notices]
    events = [ves_event(notice, reporter) for notice in notices]
    if urlsplit(url).path.rstrip("/").endswith(_BATCH):
        return [_request(url, {"eventList": events}, ids)]
    return [
        _request(url, {"event": event}, (notice.alarm.id,))
        for event, notice in zip(events, notices, strict=True)
    ]


def _tmf642(notice: Notice, url: str, reporter: str) -> AlarmRequest:
    told, alarm_id = tmf642_alarm(notice, reporter), notice.alarm.id
    if not notice.clears:
        del told["id"]  # Alarm_Create has none: the other system gives it
        return _request(url, told, (alarm_id,), creates=True)
    changed = ("state", "perceivedSeverity", "alarmClearedTime", "alarmChangedTime")
    body = {name: told[name] for name in (*changed, "alarmDetails")}
    return _request(below(url, str(told["id"])), body, (alarm_id,), method="PATCH")


def below(url: str, name: str) -> str:
    """Return the URL of something below another URL; a query stays at the end."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name, safe='')}"))


def _request(
    url: str, value: Any, ids: tuple[str, ...], *, method: str = "POST", creates: bool = False
) -> AlarmRequest:
    body = json.dumps(value, ensure_ascii=False).encode()
    return AlarmRequest(method, url, body, "application/json", ids, creates)
