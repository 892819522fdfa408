"""What is wrong with a network at the moment, and what is extra; faults change it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Conditions:
    """The state of everything but the links and the server's queue; as built, nothing is wrong.

    Attributes
    ----------
    down : bool
        The core's process does not run: UDP meets ICMP, TCP a reset.
    silent : bool
        With ``down``: the whole machine is gone, nothing answers.
    refused_calls : float
        Share of the INVITE requests answered 503.
    failed, failed_status : float, int
        Share of all requests answered with a server error, and which.
    slow_s : float
        Time that the core takes on top.
    denied, denied_status : float, int
        Share of the registrations refused: 403, or 401 over and over.
    misrouted, misrouted_status : float, int
        Share of calls that lead to nowhere: the answer (408 comes late), or 0 for none at all.
    gone : float
        Share of the subscribers that are cut off.
    vanishing : float
        Share of callers that go silent when their call is answered.
    rates : dict of str to float
        Factors of the usual rates, by kind of traffic.
    extra : dict of str to float
        Extra requests per second: ``flood``, ``scan`` and ``malformed``.
    flood_method : str
        What the flood is made of.
    n_attackers : int
        How many sources it has.
    one_callee : float
        Share of the calls that go to one number, which is busy.
    """

    down: bool = False
    silent: bool = False
    refused_calls: float = 0.0
    failed: float = 0.0
    failed_status: int = 500
    slow_s: float = 0.0
    denied: float = 0.0
    denied_status: int = 403
    misrouted: float = 0.0
    misrouted_status: int = 404
    gone: float = 0.0
    vanishing: float = 0.0
    rates: dict[str, float] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    flood_method: str = "INVITE"
    n_attackers: int = 1
    one_callee: float = 0.0
