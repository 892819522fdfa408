"""The features of a traffic series: name, unit and what counts, each defined here and only here.

Two directions (``to_service``, ``from_service``) have the same features; a few have no direction.
Counts are of what was captured in the bin. An answer's delay belongs to the direction of its
*request* and to the bin in which the answer came.
"""

from __future__ import annotations

from traffic_siamese.feature_schema import Feature, FeatureSchema
from traffic_siamese.features.slots import ANSWER_CLASSES, DIRECTIONS, REQUEST_KINDS
from traffic_siamese.types import TrafficLog

COUNTERS: tuple[Feature, ...] = (
    Feature("packets", "packets", "IP packets, truncated ones and fragments too"),
    Feature("bytes", "bytes", "length on the wire of those packets"),
    Feature("new_transactions", "requests", "requests that open a transaction"),
    *(
        Feature(f"request_{kind}", "requests", f"requests of kind {kind}, repeated ones too")
        for kind in REQUEST_KINDS
    ),
    *(
        Feature(f"answer_{name}", "answers", f"answers of class {name}, repeated ones too")
        for name in ANSWER_CLASSES
    ),
    Feature("started_sessions", "answers", "answers of class success to session starts"),
    Feature("done_registrations", "answers", "answers of class success to registrations"),
    Feature("retransmitted_requests", "requests", "exact copies of a request, 50 ms or more later"),
    Feature("retransmitted_answers", "answers", "exact copies of an answer, 50 ms or more later"),
    Feature("duplicates", "messages", "exact copies sooner than any retransmission timer"),
    Feature("unanswered_t1", "requests", "requests that have now waited 0.5 s for any answer"),
    Feature("unanswered_4s", "requests", "requests that have now waited 4 s for any answer"),
    Feature("tcp_syn", "segments", "TCP connection attempts (SYN without ACK), SCTP INIT"),
    Feature("tcp_rst", "segments", "TCP resets, SCTP ABORT"),
    Feature(
        "tcp_retransmissions",
        "segments",
        "TCP segments, SCTP chunks behind those that were due next; repeated SYN, INIT",
    ),
    Feature("icmp_unreachable", "packets", "ICMP or ICMPv6 destination unreachable"),
    Feature("repeats", "messages", "retransmitted messages and TCP segments: any transport's"),
    Feature("refusals", "packets", "TCP resets and ICMP unreachable: any transport's"),
    Feature("fragments", "packets", "IP fragments"),
)
"""Counted per direction."""

MEASURES: tuple[Feature, ...] = (
    Feature("mean_size_bytes", "bytes", "bytes per packet", 100.0, True),
    Feature("idle_share", "share", "share of the bin's tenths in which no packet came", 0.1),
    Feature("first_answer_delay_median_s", "s", "request to its first answer, median", 0.001, True),
    Feature(
        "first_answer_delay_p95_s", "s", "request to its first answer, 95th percentile", 0.001, True
    ),
    Feature(
        "final_answer_delay_median_s",
        "s",
        "request to its final answer, median; not session starts, which wait for a person",
        0.001,
        True,
    ),
    Feature("final_answer_delay_p95_s", "s", "the same, 95th percentile", 0.001, True),
    Feature(
        "first_answer_delay_std_s", "s", "standard deviation of the first-answer delay", 0.001, True
    ),
)
"""Measured per direction."""

UNDIRECTED: tuple[Feature, ...] = (
    Feature("session_length_mean_s", "s", "mean length of the sessions that ended", 0.1, True),
    Feature("active_endpoints", "hosts", "distinct hosts, the service's own not counted"),
    Feature(
        "busiest_source_share", "share", "share of the busiest host in packets to the service", 0.1
    ),
    Feature("source_entropy_bits", "bits", "entropy of hosts in packets to the service", 0.1),
    Feature(
        "targets_per_source", "targets", "distinct request targets per requesting host", 0.1, True
    ),
)

N_COUNTERS = len(COUNTERS)
N_MEASURES = len(MEASURES)
COUNTER_INDEX = {feature.name: i for i, feature in enumerate(COUNTERS)}


def _directed(features: tuple[Feature, ...], direction: str) -> list[Feature]:
    return [
        Feature(f"{direction}_{f.name}", f.unit, f"{f.meaning}, {direction}", f.floor, f.held)
        for f in features
    ]


FEATURES: tuple[Feature, ...] = (
    *(f for direction in DIRECTIONS for f in _directed(COUNTERS, direction)),
    *(f for direction in DIRECTIONS for f in _directed(MEASURES, direction)),
    *UNDIRECTED,
)
"""Columns of a series: counters by direction, measures by direction, undirected."""

SIGNALLING = FeatureSchema(FEATURES)
"""What is measured in captures."""
FEATURE_NAMES: tuple[str, ...] = SIGNALLING.names
EMPTY_BIN = {"to_service_idle_share": 1.0, "from_service_idle_share": 1.0}
"""What a bin without any packet shows where that is not zero."""


def schema_of(log: TrafficLog) -> FeatureSchema:
    """Return the schema of a log: its own, or that of captures."""
    return log.schema or SIGNALLING
