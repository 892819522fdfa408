"""The signalling protocols that networks can be simulated in."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.calls import Call
from traffic_siamese.simulate.signalling.protocol import SignallingProtocol
from traffic_siamese.simulate.signalling.sip import SipDialogue
from traffic_siamese.simulate.signalling.subscribers import Site
from traffic_siamese.simulate.signalling.transactions import Transaction

SIP = SignallingProtocol(
    name="sip",
    port=5060,
    transports=("udp", "tcp", "tcp_per_call"),
    dialogue=SipDialogue,
    transaction=Transaction,
    session=Call,
    site=Site,
    sessions_come_in=True,
)

PROTOCOLS = {protocol.name: protocol for protocol in (SIP,)}
"""By name."""
