"""What the signalling protocols run over."""

from __future__ import annotations

TRANSPORTS = ("udp", "tcp", "tcp_per_call")
"""Those of SIP; networks draw from them where none is asked for."""
TRANSPORTS_OF: dict[str, tuple[str, ...]] = {"sip": TRANSPORTS, "diameter": ("tcp", "sctp")}
"""By protocol; the first one is usual."""


def check_transport(protocol: str, transport: str) -> None:
    """Refuse a transport that a protocol does not run over.

    Raises
    ------
    ValueError
    """
    known = TRANSPORTS_OF[protocol]
    if transport not in known:
        raise ValueError(
            f"found transport {transport!r}, expected {' or '.join(known)}: "
            f"{protocol} runs over no other here"
        )
