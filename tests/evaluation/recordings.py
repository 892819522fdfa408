"""Made-up recordings: some networks, four faults, two captures of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.types import LabelledInterval, TrafficLog, TrafficSeries

N_NORMAL, N_FAULT = 60, 80
FAULTS = ("blocked", "capacity", "latency", "storm")
SECOND_NS = 1_000_000_000


def recordings(networks: str = "ABC") -> Iterator[tuple[TrafficLog, list[LabelledInterval]]]:
    """Each fault multiplies seven features of its own by eight, after a minute of normal."""
    rng = np.random.default_rng(0)
    for network in networks:
        for label in ("normal", *FAULTS):
            for number in (1, 2):
                name = f"{network}/{label}-{number}.pcap"
                values = rng.gamma(5, 2, (N_NORMAL + N_FAULT, len(FEATURE_NAMES)))
                intervals = [LabelledInterval(name, 0, N_NORMAL * SECOND_NS, "normal", network)]
                if label != "normal":
                    column = 7 * FAULTS.index(label)
                    values[N_NORMAL:, column : column + 7] *= 8
                    span = N_NORMAL * SECOND_NS, (N_NORMAL + N_FAULT) * SECOND_NS
                    intervals.append(LabelledInterval(name, *span, label, network))
                series = TrafficSeries(values.astype(np.float32), 0, 1.0, FEATURE_NAMES)
                yield TrafficLog(name, (series,), 1), intervals
