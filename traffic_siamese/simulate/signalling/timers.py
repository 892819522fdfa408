"""The timers of SIP over UDP (RFC 3261, table 4), in seconds."""

from __future__ import annotations

T1_S = 0.5
"""Estimate of the round trip."""
T2_S = 4.0
"""Longest interval between repetitions of non-INVITE requests and of INVITE answers."""
T4_S = 5.0
"""How long a message stays in the network: timers I and K."""
TIMEOUT_S = 64 * T1_S
"""Timers B, F, H, and J."""
TIMER_D_S = 32.0
"""How long the client of an INVITE answers repeated final answers."""


def next_interval(interval_s: float, *, capped: bool) -> float:
    """Double the interval: without a limit for INVITE requests (timer A), up to T2 for all else.

    Timers E and G (sections 17.1.2.2 and 17.2.1), and the repetition of 2xx answers to INVITE
    (section 13.3.1.4), are capped.
    """
    return min(2 * interval_s, T2_S) if capped else 2 * interval_s
