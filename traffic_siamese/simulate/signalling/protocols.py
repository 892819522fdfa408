"""The signalling protocols that networks can be simulated in."""

from __future__ import annotations

from traffic_siamese.simulate.signalling.calls import Call
from traffic_siamese.simulate.signalling.diameter import DiameterDialogue
from traffic_siamese.simulate.signalling.exchanges import Exchange
from traffic_siamese.simulate.signalling.peers import PeerSite
from traffic_siamese.simulate.signalling.protocol import SignallingProtocol
from traffic_siamese.simulate.signalling.sessions import Session
from traffic_siamese.simulate.signalling.sip import SipDialogue
from traffic_siamese.simulate.signalling.subscribers import Site
from traffic_siamese.simulate.signalling.transactions import Transaction
from traffic_siamese.simulate.signalling.transports import TRANSPORTS_OF

SIP = SignallingProtocol(
    name="sip",
    port=5060,
    transports=TRANSPORTS_OF["sip"],
    dialogue=SipDialogue,
    transaction=Transaction,
    session=Call,
    site=Site,
    sessions_come_in=True,
)

DIAMETER = SignallingProtocol(
    name="diameter",
    port=3868,
    transports=TRANSPORTS_OF["diameter"],
    dialogue=DiameterDialogue,
    transaction=Exchange,
    session=Session,
    site=PeerSite,
    meaningless={
        "mass_call": "credit control knows no number that is busy",
        "silent_callers": "its answers are not acknowledged",
    },
    answers={
        "401": "5003",
        "403": "5004",
        "404": "5030",
        "408": "3002",
        "480": "3002",
        "500": "5012",
        "502": "5031",
        "504": "5012",
    },
)

PROTOCOLS = {protocol.name: protocol for protocol in (SIP, DIAMETER)}
"""By name."""
