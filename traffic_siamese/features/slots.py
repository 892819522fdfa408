"""Protocol-neutral slots: what a signalling message asks or answers, whatever its protocol.

A fault learned on one protocol can be recognised on another because both fill the same slots. A
message's slot is its place in these tuples; the native kernel counts in the same order.
"""

from __future__ import annotations

REQUEST_KINDS = (
    "session_start",
    "session_end",
    "cancel",
    "registration",
    "keep_alive",
    "message",
    "acknowledgement",
    "other",
)

ANSWER_CLASSES = (
    "provisional",
    "success",
    "redirect",
    "challenge",
    "forbidden",
    "not_found",
    "timeout",
    "user_unavailable",
    "bad_request",
    "other_client_error",
    "overload",
    "other_server_error",
    "global_failure",
)

PROTOCOLS = (
    "sip",
    "diameter",
    "gtp",
    "pfcp",
    "radius",
    "dns",
    "m3ua",
    "tcap",
    "s1ap",
    "ngap",
    "http",
)
"""Signalling protocols, in the order of ``enum protocol`` in native/message.h."""

NONE = 255
"""Stands in a request's answer class, and in an answer's request kind."""

DIRECTIONS = ("to_service", "from_service")
"""Towards the hosts that serve (0), and from them (1)."""
