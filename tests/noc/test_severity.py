"""How bad a fault is: what the package says, and what a file says instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.noc.severity import DEFAULT_SEVERITIES, SEVERITIES, kind_of, read_severities
from traffic_siamese.noc.severity import Severities as Levels


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("blocked", "critical"),
        ("service_down", "critical"),
        ("capacity", "major"),
        ("server_overload", "major"),
        ("unknown", "warning"),
        ("taught_last_night", "major"),
    ],
)
def test_usual_severities(label: str, severity: str) -> None:
    assert Levels().of(label) == severity


def test_a_file_overrides_what_it_names(tmp_path: Path) -> None:
    """The star stands for faults that the package does not know."""
    file = tmp_path / "severities.yaml"
    file.write_text('latency: critical\nunknown: minor\n"*": warning\n')
    levels = read_severities(file)
    found = [levels.of(label) for label in ("latency", "unknown", "taught", "blocked")]
    assert found == ["critical", "minor", "warning", "critical"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds nothing"),
        ("- blocked", "holds ['blocked']"),
        ("blocked: worst", "'blocked' has the severity 'worst'"),
        ("blocked: [major]", "severity ['major']"),
        ("7: major", "7 has the severity"),
        ("a: b: c", "is no YAML"),
    ],
)
def test_a_file_that_says_something_else_is_refused_in_one_line(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "severities.yaml"
    file.write_text(text)
    with pytest.raises(TrafficSiameseError) as err:
        read_severities(file)
    assert said in str(err.value)
    assert "\n" not in str(err.value)
    assert "critical, major, minor, warning" in str(err.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrafficSiameseError, match=r"none\.yaml: cannot be read"):
        read_severities(tmp_path / "none.yaml")


# IANA-ITU-ALARM-TC-MIB, revision of 2014-05-22, as far as it is used.
PROBABLE_CAUSES = {
    "applicationSubsystemFailure": 158,
    "authenticationFailure": 600,
    "communicationsSubsystemFailure": 505,
    "congestion": 202,
    "excessiveResponseTime": 204,
    "excessiveRetransmissionRate": 205,
    "performanceDegraded": 532,
    "routingFailure": 26,
    "systemResourcesOverload": 207,
    "transmissionError": 10,
}
EVENT_TYPES = {
    "communicationsAlarm": 2,
    "qualityOfServiceAlarm": 3,
    "processingErrorAlarm": 4,
    "securityServiceOrMechanismViolation": 10,
}


@pytest.mark.parametrize("label", sorted(DEFAULT_SEVERITIES))
def test_causes_and_types_are_names_of_the_register(label: str) -> None:
    kind = kind_of(label)
    assert kind.probable_cause in PROBABLE_CAUSES
    assert kind.event_type in EVENT_TYPES
    assert DEFAULT_SEVERITIES[label] in SEVERITIES
