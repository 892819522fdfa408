"""How bad each kind of trouble is, and what standards call its cause.

Severities, event types and probable causes are those of ITU-T X.733 and M.3100 in the spelling of
IANA-ITU-ALARM-TC-MIB (RFC 3877, section 5.3), which TMF642 and RFC 5674 use too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.types import UNKNOWN

SEVERITIES = ("critical", "major", "minor", "warning")
"""From the worst down."""

ANY = "*"
"""Stands for all labels that are not named."""

DEFAULT_SEVERITIES: Mapping[str, str] = {
    "blocked": "critical",
    "one_way_block": "critical",
    "service_down": "critical",
    "auth_failure": "major",
    "capacity": "major",
    "flapping_link": "major",
    "registration_storm": "major",
    "route_misconfig": "major",
    "server_overload": "major",
    "latency": "minor",
    "packet_loss": "minor",
    UNKNOWN: "warning",
    ANY: "major",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What X.733 calls an alarm: its event type and its probable cause."""

    event_type: str
    probable_cause: str


_COMMUNICATIONS, _QUALITY = "communicationsAlarm", "qualityOfServiceAlarm"
_OTHER = Kind(_QUALITY, "performanceDegraded")
_KINDS = {
    "auth_failure": Kind("securityServiceOrMechanismViolation", "authenticationFailure"),
    "blocked": Kind(_COMMUNICATIONS, "communicationsSubsystemFailure"),
    "capacity": Kind(_QUALITY, "congestion"),
    "flapping_link": Kind(_COMMUNICATIONS, "transmissionError"),
    "latency": Kind(_QUALITY, "excessiveResponseTime"),
    "one_way_block": Kind(_COMMUNICATIONS, "communicationsSubsystemFailure"),
    "packet_loss": Kind(_QUALITY, "excessiveRetransmissionRate"),
    "registration_storm": Kind(_QUALITY, "systemResourcesOverload"),
    "route_misconfig": Kind(_COMMUNICATIONS, "routingFailure"),
    "server_overload": Kind(_QUALITY, "systemResourcesOverload"),
    "service_down": Kind("processingErrorAlarm", "applicationSubsystemFailure"),
}


def kind_of(label: str) -> Kind:
    """Return what standards call a fault; of one that nobody foresaw, degraded performance."""
    return _KINDS.get(label, _OTHER)


@dataclass(frozen=True, slots=True)
class Severities:
    """How bad each label is; what is not named here is as in ``DEFAULT_SEVERITIES``."""

    named: Mapping[str, str] = field(default_factory=dict)

    def of(self, label: str) -> str:
        """Return a label's severity."""
        default = DEFAULT_SEVERITIES.get(label) or self.named.get(ANY, DEFAULT_SEVERITIES[ANY])
        return self.named.get(label, default)


def read_severities(path: str | Path) -> Severities:
    """Read a YAML file of labels and severities, such as ``latency: major``.

    Raises
    ------
    TrafficSiameseError
        If the file cannot be read, or says anything else.
    """
    import yaml  # only who has such a file needs it

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise TrafficSiameseError(
            f"{path}: cannot be read ({err.strerror}), expected a YAML file such as "
            "'latency: major'. Name another file."
        ) from err
    except (UnicodeDecodeError, yaml.YAMLError) as err:
        where = " ".join(str(err).split())
        raise TrafficSiameseError(f"{path}: is no YAML ({where}). {_EXPECTED}") from err
    return Severities(_checked(document, str(path)))


_EXPECTED = f"Write a label and one of {', '.join(SEVERITIES)} on each line: 'latency: major'."


def _checked(document: Any, path: str) -> dict[str, str]:
    if not isinstance(document, dict):
        found = "nothing" if document is None else repr(document)
        raise TrafficSiameseError(f"{path}: holds {found}, expected labels. {_EXPECTED}")
    for label, severity in document.items():
        if not isinstance(label, str) or severity not in SEVERITIES:
            raise TrafficSiameseError(
                f"{path}: {label!r} has the severity {severity!r}, expected one of "
                f"{', '.join(SEVERITIES)}. {_EXPECTED}"
            )
    return document
