"""Syslog messages, read by the grammar of RFC 5424, section 6."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.noc.made import END, ENDED, OPEN, START, alarm
from traffic_siamese.noc.syslog import syslog_message
from traffic_siamese.types import Incident

_NAME = r"[!#-<>-\\^-~]{1,32}"  # PRINTUSASCII without = SP ] "
_PARAM = rf'{_NAME}="(?:[^"\\\]]|\\["\\\]])*"'
_ELEMENT = rf"\[{_NAME}(?: {_PARAM})*\]"
_MESSAGE = re.compile(
    r"<(?P<pri>0|[1-9]\d{0,2})>1 "
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    r"(?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) "
    rf"(?P<data>(?:{_ELEMENT})+) \ufeff(?P<text>.*)",
    re.DOTALL,
)


def _messages(incident: Incident = ENDED, *, host: str = "probe1", network: str = "") -> list[str]:
    return [syslog_message(one, host) for one in alarm(incident, network=network).notices()]


def _read(message: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the fields, and the structured data unescaped."""
    match = _MESSAGE.fullmatch(message)
    assert match, message
    data = {}
    for element in re.findall(_ELEMENT, match["data"]):
        name = re.match(_NAME, element[1:])
        assert name
        pairs = [pair.split("=", 1) for pair in re.findall(_PARAM, element)]
        data[name[0]] = {key: re.sub(r"\\(.)", r"\1", value[1:-1]) for key, value in pairs}
    return match.groupdict(), data


def test_a_raise_and_a_clear() -> None:
    """Local use 0 is facility 16; critical is an alert (1), cleared a notice (5): RFC 5674."""
    (raised, alarmed), (cleared, over) = map(_read, _messages(network="C"))
    assert (raised["pri"], cleared["pri"]) == (str(16 * 8 + 1), str(16 * 8 + 5))
    assert (raised["time"], cleared["time"]) == (START, END)
    assert (raised["app"], raised["id"], cleared["id"]) == ("traffic-siamese", "RAISE", "CLEAR")
    assert alarmed["alarm"] == {
        "resource": "C",
        "probableCause": "communicationsSubsystemFailure",
        "perceivedSeverity": "critical",
        "eventType": "communicationsAlarm",
    }
    assert over["alarm"]["perceivedSeverity"] == "cleared"
    (own,) = set(alarmed) - {"alarm"}
    assert re.fullmatch(r"[A-Za-z]+@\d+", own)
    assert alarmed[own]["id"] == over[own]["id"] == alarm(network="C").id
    assert raised["text"] == "blocked on network C: answers 20 -> 0.5"


@pytest.mark.parametrize(
    ("label", "level"), [("service_down", 1), ("capacity", 2), ("latency", 3), ("unknown", 4)]
)
def test_severities_follow_rfc_5674(label: str, level: int) -> None:
    fields, _ = _read(_messages(replace(OPEN, label=label))[0])
    assert int(fields["pri"]) % 8 == level


def test_a_host_name_is_printable_or_none() -> None:
    assert _read(_messages(host="böse probe")[0])[0]["host"] == "bseprobe"
    assert _read(_messages(host="")[0])[0]["host"] == "-"
    assert len(_read(_messages(host="x" * 300)[0])[0]["host"]) == 255


def test_the_text_is_utf_8_after_a_byte_order_mark() -> None:
    message = _messages(replace(OPEN, reason="Überlast"))[0]
    assert "\ufeffcapacity on C/blocked-1.pcap: Überlast".encode() in message.encode()


@given(label=st.text(min_size=1), log=st.text(min_size=1), reason=st.text())
def test_whatever_names_hold_it_stays_one_message_and_can_be_read_back(
    label: str, log: str, reason: str
) -> None:
    """Control characters become spaces; quotes, backslashes and brackets are escaped."""
    incident = replace(OPEN, label=label, capture=log, reason=reason)
    (message,) = _messages(incident)
    assert len(message.splitlines()) == 1
    fields, data = _read(message)
    own = data["trafficSiamese@32473"]
    assert own["label"] == "".join(" " if _breaks(c) else c for c in label)
    assert own["log"] == "".join(" " if _breaks(c) else c for c in log)
    assert fields["text"].endswith("".join(" " if _breaks(c) else c for c in reason))


def _breaks(character: str) -> bool:
    code = ord(character)
    return code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029)
