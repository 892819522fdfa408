"""An incident as an alarm: what other systems need to know of it, in no system's own form."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from traffic_siamese.noc.severity import Severities
from traffic_siamese.tables import plain_value
from traffic_siamese.times import format_time
from traffic_siamese.types import UNKNOWN, Incident

_IDS = uuid.uuid5(uuid.NAMESPACE_DNS, "alarms.traffic-siamese")
CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One incident, to be raised and, if it has ended, cleared.

    Attributes
    ----------
    id : str
        A UUID that depends on log, network, start and label alone.
    log, network : str
        Where it was seen; the network is empty where none was named.
    label : str
        The fault, or ``unknown``.
    severity : str
        One of ``SEVERITIES``.
    raised_ns : int
        Its start, nanoseconds since the epoch, UTC.
    cleared_ns : int, optional
        Its end; None while it is not over.
    confidence : float, in [0, 1]
    reason : str
        What differs most from normal.
    """

    id: str
    log: str
    network: str
    label: str
    severity: str
    raised_ns: int
    cleared_ns: int | None
    confidence: float
    reason: str

    @property
    def source(self) -> str:
        """What is in trouble: the network, or the log where no network was named."""
        return self.network or self.log

    @property
    def problem(self) -> str:
        """The fault in words."""
        return "unknown trouble" if self.label == UNKNOWN else self.label.replace("_", " ")

    @property
    def title(self) -> str:
        """What is wrong where, in words."""
        return f"{self.problem} on {'network ' if self.network else ''}{self.source}"

    def notices(self) -> list[Notice]:
        """Return what is to be told of it, in order: that it is raised, then that it cleared."""
        raised = Notice(self, clears=False)
        return [raised] if self.cleared_ns is None else [raised, Notice(self, clears=True)]


@dataclass(frozen=True, slots=True)
class Notice:
    """That an alarm is raised, or cleared."""

    alarm: Alarm
    clears: bool

    @property
    def state(self) -> str:
        """Return ``raised`` or ``cleared``."""
        return CLEARED if self.clears else "raised"

    @property
    def severity(self) -> str:
        """Return the alarm's severity, or ``cleared``."""
        return CLEARED if self.clears else self.alarm.severity

    @property
    def time_ns(self) -> int:
        """When it happened, nanoseconds since the epoch, UTC."""
        over_ns = self.alarm.cleared_ns
        return self.alarm.raised_ns if not self.clears or over_ns is None else over_ns

    @property
    def text(self) -> str:
        """One line for people."""
        alarm = self.alarm
        if self.clears:
            lasted_s = (self.time_ns - alarm.raised_ns) / 1e9
            return f"{alarm.title}: over after {lasted_s:,.0f} s"
        return f"{alarm.title}: {alarm.reason}" if alarm.reason else alarm.title


def alarms_of(
    incidents: Iterable[Incident], severities: Severities, *, network: str | None = None
) -> list[Alarm]:
    """Make an alarm of each incident.

    Parameters
    ----------
    incidents : iterable of Incident
        Those that are still open raise an alarm and clear none.
    severities : Severities
        How bad each label is.
    network : str, optional
        The network that they were seen on.
    """
    return [_alarm(incident, severities, network or "") for incident in incidents]


def _alarm(incident: Incident, severities: Severities, network: str) -> Alarm:
    return Alarm(
        _id(incident, network),
        plain_value("text", incident.capture),
        plain_value("text", network),
        incident.label,
        severities.of(incident.label),
        incident.start_ns,
        None if incident.is_open else incident.end_ns,
        incident.confidence,
        plain_value("text", incident.reason),
    )


def _id(incident: Incident, network: str) -> str:
    # The full path: two folders may hold logs of one name, and a log may be named in two ways.
    log = incident.capture
    place = log if log == "-" else os.path.abspath(log)
    parts = (place, network, format_time(incident.start_ns), incident.label)
    return str(uuid.uuid5(_IDS, plain_value("text", "\n".join(parts))))
