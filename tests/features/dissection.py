"""What tshark says of signalling: its dissection as slots, by the names that it gives."""

from __future__ import annotations

import functools
import re
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from traffic_siamese.captures.reader import read_packets
from traffic_siamese.features.batches import MESSAGE, Batcher
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, PROTOCOLS, REQUEST_KINDS

Rules = tuple[tuple[str, str], ...]
Counts = Counter[tuple[str, str]]
"""By protocol and slot: ``request_session_start``, ``answer_success``, ..."""

TSHARK_NAMES = {
    "diameter": "diameter",
    "gtp": "gtp",
    "gtpprime": "gtp",
    "gtpv2": "gtp",
    "pfcp": "pfcp",
    "radius": "radius",
    "dns": "dns",
}
KINDS: Rules = (
    (r"echo|heartbeat|node alive|association setup|capabilities-exch|watchdog", "keep_alive"),
    (r"status-server", "keep_alive"),
    (r"cancel (request|notif)", "cancel"),
    (r"context acknowledge", "acknowledgement"),
    (
        r"create (session|pdp|mbms)|session (start|establish)|initial|start_record|^aa$",
        "session_start",
    ),
    (
        r"delete (session|pdp|aa pdp|bearer req|mbms|pdn)|session (stop|deletion|set del)",
        "session_end",
    ),
    (
        r"terminat(e|ion_)|session-termination|abort-session|stop_record|disconnect-req",
        "session_end",
    ),
    (r"ue registration query", "other"),
    (r"access-request|update-location|cancel-location|authentication-inf|purge", "registration"),
    (r"identi(fication|ty-check)|^(sgsn )?context req|forward relocation req", "registration"),
    (r"user-auth|server-assign|location-info|multimedia-auth|registration-term", "registration"),
    (r"diameter-eap|mbms (de-)?registration|detach", "registration"),
    (r"paging ind|downlink data|downlink trig|pdu notif|ran info|mbms notif", "message"),
    (r"data record|node report|session report|event_re|subscriber-data|3gpp-notify", "message"),
    (r"push-|user-data|profile-update|subscribe-not|short-message|info-for-sm", "message"),
    (r"alert-service|sm-delivery|provide-location|location-report|lcs-routing", "message"),
    (r"stop paging|.", "other"),
)
CLASSES: Rules = (
    (r"accept|new pd[np] type|more usage report", "success"),
    (r"context not found|unknown apn|gre key not found|not known|non-existent", "not_found"),
    (r"unknown pdp", "not_found"),
    (r"congestion|no resource|no memory|occupied", "overload"),
    (r"remote peer not responding|timed out", "timeout"),
    (
        r"not responding|not gprs responding|refuses$|page ue|paging|power saving",
        "user_unavailable",
    ),
    (r"gprs detached|suspended", "user_unavailable"),
    (r"ie (incorrect|missing)|invalid (message|length|overall|forwarding|f-teid)", "bad_request"),
    (r"version not|semantic|syntactic|unknown mandatory|decoding", "bad_request"),
    (
        r"system failure|relocation failure$|reason not|invalid reply|path failure",
        "other_server_error",
    ),
    (r"not fulfilled|rule creation", "other_server_error"),
    (r"denied|authentication|no subscription|signature|restriction|restricted", "forbidden"),
    (r"invalid peer|multiple|vplmn|not authorised|5gc not|no established", "forbidden"),
    (r"redirection requested", "redirect"),
    (r".", "other_client_error"),
)
RESULTS: Rules = (
    (r"MULTI_ROUND", "challenge"),
    (r"_SUCCESS|FIRST_REG|SUBSEQUENT_REG|UNREGISTERED_SERVICE|SERVER_SELECTION", "success"),
    (r"REDIRECT", "redirect"),
    (r"UNABLE_TO_DELIVER|TOO_BUSY|OUT_OF_SPACE|RESOURCES|CONGESTION", "overload"),
    (r"REALM_NOT|UNKNOWN_SESSION|USER_UNKNOWN|NOT_REGISTERED|EQUIPMENT_UNKNOWN", "not_found"),
    (r"UNKNOWN_PEER|AUTH\w+_REJECTED|SERVICE_DENIED|CREDIT_LIMIT|DONT_MATCH", "forbidden"),
    (r"ROAMING_NOT|RAT_NOT|UNKNOWN_EPS|SERVICE_NOT_AUTHORIZED|NO_NON_3GPP", "forbidden"),
    (r"HDR_BITS|AVP_BITS|AVP_UNSUPPORTED|AVP_VALUE|MISSING_AVP|CONTRADICTING", "bad_request"),
    (r"AVP_NOT_ALLOWED|OCCURS_TOO|BIT_IN_HEADER|_LENGTH|BIT_COMBO", "bad_request"),
    (r"UNABLE_TO_COMPLY|RATING|LOOP|DATA_UNAVAILABLE", "other_server_error"),
    (r"ABSENT_USER|USER_BUSY", "user_unavailable"),
    (r".", "other_client_error"),
)
RCODES = {0: "success", 1: "bad_request", 2: "other_server_error", 3: "not_found"}
RCODES |= {5: "forbidden", 9: "forbidden"}


def by_rule(rules: Rules, name: str) -> str:
    """Return what the first rule that matches says."""
    return next(slot for pattern, slot in rules if re.search(pattern, name, re.IGNORECASE))


@functools.cache
def tshark_values() -> dict[str, dict[int, str]]:
    """Return tshark's names of the values of each field."""
    command = ["tshark", "-G", "values"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, errors="replace")
    values: dict[str, dict[int, str]] = {}
    for row in (line.split("\t") for line in done.stdout.split("\n")):
        if len(row) == 4 and row[0] == "V" and row[1].partition(".")[0] in TSHARK_NAMES:
            values.setdefault(row[1], {})[int(row[2], 0)] = row[3]
    return values


class Dissected:
    """The fields of one message, those of messages and of groups of elements in it left out."""

    def __init__(self, proto: ET.Element) -> None:
        self.fields: dict[str, list[ET.Element]] = {}
        self._gather(proto, 0 if proto.get("name") in ("diameter", "radius") else 1)

    def _gather(self, element: ET.Element, depth: int) -> None:
        for child in element:
            if child.tag == "proto":
                continue
            self.fields.setdefault(str(child.get("name")), []).append(child)
            if depth < 2:
                self._gather(child, depth + (depth > 0))

    def text(self, name: str) -> str:
        """Return what tshark writes of the first field of this name, its label cut off."""
        found = self.fields.get(name)
        return str(found[0].get("showname")).split(": ", 1)[-1] if found else ""

    def number(self, name: str) -> int | None:
        """Return the first field of this name as a number."""
        found = self.fields.get(name)
        return int(str(found[0].get("show")), 0) if found else None

    def avp(self, name: str) -> str:
        """Return the value, by name, of the first Diameter AVP of this name."""
        for field in self.fields.get("diameter.avp", ()):
            match = re.match(
                rf"AVP: {name}\(\d+\).* val=(.*?) \(\d+\)$", str(field.get("showname"))
            )
            if match:
                return match[1]
        return ""


def dissect(path: Path) -> Iterator[tuple[str, Dissected]]:
    """Yield each message, with tshark's name of its protocol; not those quoted in ICMP errors."""
    wanted = " or ".join(name for name in TSHARK_NAMES if name != "gtp")
    wanted = f"({wanted} or (gtp and not udp.port == 2152)) and not icmp.type == 3"
    command = ["tshark", "-n", "-r", str(path), "-Y", wanted, "-T", "pdml"]
    command += ["-J", " ".join(TSHARK_NAMES), "-d", "tcp.port==3871,diameter"]  # a port of Rx
    done = subprocess.run(command, capture_output=True, check=True)
    for proto in ET.fromstring(done.stdout).iter("proto"):
        if proto.get("name") in TSHARK_NAMES:
            yield str(proto.get("name")), Dissected(proto)


def _diameter(m: Dissected) -> str:
    command = re.sub(r" \(\d+\)$", "", m.text("diameter.cmd.code"))
    if m.number("diameter.flags.request"):
        kind = m.avp("CC-Request-Type") or m.avp("Accounting-Record-Type") or command
        return f"request_{by_rule(KINDS, kind)}"
    result = m.avp("Result-Code") or m.avp("Experimental-Result-Code") or "DIAMETER_SUCCESS"
    slot = by_rule(RESULTS, result)
    brings_vectors = re.search(r"authentication-inf|multimedia-auth", command, re.IGNORECASE)
    return "answer_challenge" if slot == "success" and brings_vectors else f"answer_{slot}"


def _tunnel(m: Dissected, kind_field: str, cause_field: str) -> str | None:
    name = m.text(kind_field)
    if re.search(r"t-pdu|end marker|error indication|unknown|reserved", name, re.IGNORECASE):
        return None
    if re.search(r"version not supp", name, re.IGNORECASE):
        return "answer_bad_request"
    asks = re.search(_ASKS, name, re.IGNORECASE)
    answers = re.search(r"response|failure indication|acknowledge", name, re.IGNORECASE)
    if re.search(r"context acknowledge", name, re.IGNORECASE) and "SRNS" not in name:
        return "request_acknowledgement"
    if asks and not answers:
        return f"request_{by_rule(KINDS, name)}"
    cause = m.text(cause_field)
    return f"answer_{by_rule(CLASSES, re.sub(r' .[0-9]+.$', '', cause)) if cause else 'success'}"


def _radius(m: Dissected) -> str:
    name = m.text("radius.code")
    kinds = {1: "session_start", 2: "session_end"}
    if name.startswith("Accounting-Request"):
        status = [
            int(str(field.get("show"))) for field in m.fields.get("radius.Acct_Status_Type", ())
        ]
        return f"request_{kinds.get(status[0], 'other') if status else 'other'}"
    if "Request" in name or "Status-Server" in name:
        return f"request_{by_rule(KINDS, name)}"
    for pattern, slot in (("Reject", "forbidden"), ("Challenge", "challenge")):
        if pattern in name:
            return f"answer_{slot}"
    return "answer_other_client_error" if "NAK" in name else "answer_success"


def _dns(m: Dissected) -> str:
    if not m.number("dns.flags.response"):
        return "request_other"
    return f"answer_{RCODES.get(m.number('dns.flags.rcode') or 0, 'other_client_error')}"


_ASKS = (
    r"request|command|notification(?! (reject )?resp| ack)|indication|complete \(|relay"
    r"|(de)?activation|context \(|tunnel"
)
_TUNNEL_FIELDS = {
    "gtp": ("gtp.message", "gtp.cause"),
    "gtpprime": ("gtp.message", "gtp.cause"),
    "gtpv2": ("gtpv2.message_type", "gtpv2.cause"),
    "pfcp": ("pfcp.msg_type", "pfcp.cause"),
}


def slot_of(name: str, m: Dissected) -> str | None:
    """Return the slot of a message; None where it is none of the control plane."""
    if name in _TUNNEL_FIELDS:
        return _tunnel(m, *_TUNNEL_FIELDS[name])
    return {"diameter": _diameter, "radius": _radius, "dns": _dns}[name](m)


def tshark_counts(path: Path) -> Counts:
    """Count the messages that tshark finds."""
    found = ((TSHARK_NAMES[name], slot_of(name, m)) for name, m in dissect(path))
    return Counter((protocol, slot) for protocol, slot in found if slot)


def messages_of(path: Path) -> np.ndarray:
    """Return all messages of a capture, shape (n_messages,), MESSAGE."""
    batcher, parts = Batcher(), [np.empty(0, MESSAGE)]
    try:
        with read_packets(path) as reader:
            for chunk in reader:
                parts += [batch.messages.copy() for batch in batcher.add(chunk)]
        parts += [batch.messages.copy() for batch in batcher.rest()]
    finally:
        batcher.close()
    return np.concatenate(parts)


def slots_of(messages: np.ndarray) -> list[str]:
    """Name the slot of each message."""
    return [
        f"answer_{ANSWER_CLASSES[m['answer_class']]}"
        if m["request_kind"] == NONE
        else f"request_{REQUEST_KINDS[m['request_kind']]}"
        for m in messages
    ]


def our_counts(path: Path) -> Counts:
    """Count the messages that are read here, of the protocols that tshark is asked for."""
    messages = messages_of(path)
    names = [PROTOCOLS[number] for number in messages["protocol"]]
    counts = Counter(zip(names, slots_of(messages), strict=True))
    return Counter({key: n for key, n in counts.items() if key[0] in TSHARK_NAMES.values()})
