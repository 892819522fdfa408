"""Simulated traffic: networks and faults drawn at random, and episodes of traffic from them.

The parts are in ``simulate.signalling``; these are the calls for a notebook.
"""

from __future__ import annotations

from traffic_siamese.simulate.signalling.episode import Episode, simulate_episode
from traffic_siamese.simulate.signalling.fault_model import FaultModel, draw_fault
from traffic_siamese.simulate.signalling.network_model import NetworkModel, draw_network

__all__ = [
    "Episode",
    "FaultModel",
    "NetworkModel",
    "draw_fault",
    "draw_network",
    "simulate_episode",
]
