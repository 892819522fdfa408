"""What features are called by people: in the words of the protocol, or in words for any."""

from __future__ import annotations

from collections.abc import Mapping

from traffic_siamese.explanation.topics import split_direction

SIP = "sip"
_OWN_SHARE = 0.9
"""Share of the messages that one protocol must have for its own words to be used."""

_SIP_METHODS = {
    "session_start": "INVITEs",
    "session_end": "BYEs",
    "cancel": "CANCELs",
    "registration": "REGISTERs",
    "keep_alive": "OPTIONS",
    "message": "messages",
    "acknowledgement": "ACKs",
    "other": "other requests",
}
_KINDS = {
    "session_start": "session starts",
    "session_end": "session ends",
    "cancel": "cancels",
    "registration": "registrations",
    "keep_alive": "keep-alives",
    "message": "messages",
    "acknowledgement": "acknowledgements",
    "other": "other requests",
}
_SIP_CODES = {
    "provisional": "1xx answers",
    "success": "2xx answers",
    "redirect": "3xx",
    "challenge": "401/407",
    "forbidden": "403",
    "not_found": "404",
    "timeout": "408",
    "user_unavailable": "busy (480/486)",
    "bad_request": "400",
    "other_client_error": "other 4xx",
    "overload": "503",
    "other_server_error": "other 5xx",
    "global_failure": "6xx",
}
_CLASSES = {
    "provisional": "provisional answers",
    "success": "success answers",
    "redirect": "redirect",
    "challenge": "authentication challenge",
    "forbidden": "forbidden",
    "not_found": "not found",
    "timeout": "timeout",
    "user_unavailable": "busy or away",
    "bad_request": "bad request",
    "other_client_error": "other client error",
    "overload": "overload",
    "other_server_error": "other server error",
    "global_failure": "global failure",
}
_NAMES = {
    "packets": "traffic",
    "bytes": "bytes",
    "mean_size_bytes": "packet size",
    "idle_share": "silence",
    "new_transactions": "requests",
    "started_sessions": "sessions set up",
    "done_registrations": "accepted registrations",
    "retransmitted_requests": "repeated requests",
    "retransmitted_answers": "repeated answers",
    "repeats": "repeats",
    "duplicates": "duplicates",
    "unanswered_t1": "unanswered requests",
    "unanswered_4s": "requests unanswered for 4 s",
    "tcp_syn": "connection attempts",
    "tcp_rst": "connection resets",
    "tcp_retransmissions": "TCP repeats",
    "icmp_unreachable": "ICMP unreachable",
    "refusals": "refused packets",
    "fragments": "IP fragments",
    "busiest_source_share": "busiest sender's share",
}
_SOURCE = {"started_sessions": "by", "done_registrations": "by"}
_SIP_NAMES = {"started_sessions": "answered calls"}
_RISING = {
    "started_sessions": "answers to session starts",
    "done_registrations": "answers to registrations",
}
_SIP_RISING = {
    "started_sessions": "2xx answers to INVITEs",
    "done_registrations": "2xx answers to REGISTERs",
}
"""Repeated answers count as well, so that more of them are no more sessions."""
_USUAL_DIRECTION = {
    "request": "to_service",
    "answer": "from_service",
    "new": "to_service",
    "started": "from_service",
    "done": "from_service",
    "unanswered": "to_service",
}
"""By a name's first word: which direction goes without saying."""


def protocol_of(messages: Mapping[str, int]) -> str:
    """Return the protocol that nearly all signalling messages of a log are of, or nothing.

    Parameters
    ----------
    messages : mapping of str to int
        Messages of each protocol; see `TrafficLog`.
    """
    most = max(messages, key=lambda name: messages[name], default="")
    share = messages[most] / sum(messages.values()) if most else 0
    return most if share >= _OWN_SHARE else ""


def clients(protocol: str) -> str:
    """Return who asks the service."""
    return "phones" if protocol == SIP else "clients"


def is_refusal(name: str) -> bool:
    """Tell whether a feature, without its direction, counts answers of a class that is no success.

    Of these, subjects are adjectives: 503 share, 503 answers.
    """
    kind, _, rest = name.partition("_")
    return kind == "answer" and rest not in ("provisional", "success")


def subject(feature_name: str, protocol: str, *, noun: str = "", rises: bool = False) -> str:
    """Return what a counted feature of captures is called, with its direction if it must be said.

    Parameters
    ----------
    feature_name : str
    protocol : str
        Whose words to use; see `protocol_of`.
    noun : str
        What stands after it: ``share``, or ``answers`` where `is_refusal`.
    rises : bool
        What rises may be called otherwise than what falls.

    Examples
    --------
    >>> subject("to_service_request_session_start", "sip")
    'INVITEs'
    >>> subject("to_service_answer_overload", "", noun="share")
    'overload share from clients'
    """
    direction, name = split_direction(feature_name)
    called = _called(name, sip=protocol == SIP)
    if rises:
        called = (_SIP_RISING if protocol == SIP else _RISING).get(name, called)
    called = f"{called} {noun}".rstrip()
    if not direction or _USUAL_DIRECTION.get(name.split("_")[0]) == direction:
        return called
    source = clients(protocol) if direction == "to_service" else "the service"
    return f"{called} {_SOURCE.get(name, 'from')} {source}"


def _called(name: str, *, sip: bool) -> str:
    first, _, rest = name.partition("_")
    if first == "request":
        return (_SIP_METHODS if sip else _KINDS)[rest]
    if first == "answer":
        return (_SIP_CODES if sip else _CLASSES)[rest]
    return (_SIP_NAMES if sip else {}).get(name) or _NAMES.get(name, name.replace("_", " "))
