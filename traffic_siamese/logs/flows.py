"""Flows: traffic between two ends from a first to a last packet, as collectors tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.periods import Periods, lay_over_bins, n_bins_touched
from traffic_siamese.logs.table import CounterTable

MAX_CELLS = 6_000_000
"""Bins times columns of one table: one flow record of a few bytes can fill as many as it likes."""
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp"}
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Flow records as columns.

    Attributes
    ----------
    start_ns, end_ns : ndarray of shape (n_flows,), int64
        First and last packet, nanoseconds since the epoch.
    amounts : mapping of str to ndarray of shape (n_flows,), float64
        What a flow carried from start to end, such as bytes and packets; NaN is missing.
    marks : mapping of str to ndarray of shape (n_flows,), bool
        What is true of some flows, such as a state; counted where a flow starts.
    ends : mapping of str to ndarray of shape (n_flows,), uint64
        Names of columns, and hashes of which the distinct ones among the flows that start in a bin
        are counted, such as sources.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    amounts: Mapping[str, NDArray[np.float64]]
    marks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    ends: Mapping[str, NDArray[np.uint64]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of flows."""
        return len(self.start_ns)


def flow_table(
    name: str,
    flows: Flows,
    *,
    bin_s: float = 1.0,
    element: str = "",
    warnings: tuple[str, ...] = (),
) -> CounterTable:
    """Spread flows over bins: one row per bin in which some flow is under way.

    A flow's amounts are spread evenly from its start to its end; the flow itself is counted
    where it starts.

    Parameters
    ----------
    name : str
        The log.
    flows : Flows
    bin_s : float, > 0
        Length of a bin in seconds.
    element : str
        Who exported the flows, where there are several.
    warnings : tuple of str
        What was wrong with the log.

    Returns
    -------
    CounterTable
        Of granularity ``bin_s``. Its columns are the amounts, ``flows`` (started),
        ``active_flows``, the marks and the ends.

    Raises
    ------
    CaptureError
        If the flows cover more bins than one table may have.
    """
    bin_ns = round(bin_s * 1e9)
    n_columns = 2 + len(flows.amounts) + len(flows.marks) + len(flows.ends)
    n_bins = n_bins_touched(flows.start_ns, flows.end_ns, bin_ns)
    if n_bins * n_columns > MAX_CELLS:
        raise CaptureError(
            f"{name}: its flows cover {n_bins} bins of {bin_s:g} s in {n_columns} columns, "
            f"expected at most {MAX_CELLS // n_columns}. Use longer bins, or split the log."
        )
    periods = lay_over_bins(flows.start_ns, flows.end_ns, bin_ns)
    columns = {key: periods.spread(np.nan_to_num(a)) for key, a in flows.amounts.items()}
    columns["flows"] = periods.starts()
    columns["active_flows"] = periods.active()
    columns |= {key: periods.starts(mark) for key, mark in flows.marks.items()}
    columns |= {key: _distinct(periods, hashes) for key, hashes in flows.ends.items()}
    return CounterTable(
        name=name,
        element=element,
        time_ns=periods.bins * bin_ns,
        columns=columns,
        kinds=dict.fromkeys(columns, "event"),  # without a flow, nothing was sent
        granularity_s=bin_s,
        warnings=warnings,
    )


def _distinct(periods: Periods, hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Count distinct hashes among the flows that start in each bin."""
    order = np.lexsort((hashes, periods.first))
    bins, sorted_hashes = periods.first[order], hashes[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (bins[1:] != bins[:-1]) | (sorted_hashes[1:] != sorted_hashes[:-1])
    return np.bincount(bins[fresh], minlength=len(periods.bins)).astype(np.float64)


def protocol_marks(protocol: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Mark flows by their IP protocol, 0 where it is unknown: ``flows_tcp`` and so on."""
    marks: dict[str, NDArray[np.bool_]] = {}
    for number, word in PROTOCOLS.items():
        mark = protocol == number
        marks[f"flows_{word}"] = marks.get(f"flows_{word}", mark) | mark
    marks["flows_other"] = ~np.isin(protocol, (0, *PROTOCOLS))
    return marks


def tcp_marks(
    tcp_flags: NDArray[np.int64], protocol: NDArray[np.int64]
) -> dict[str, NDArray[np.bool_]]:
    """Mark TCP flows that were never answered, and those that were reset.

    Flags are those of all packets of a flow together: SYN without ACK is a request for a
    connection that went no further.
    """
    is_tcp = protocol == 6
    asks = (tcp_flags & (SYN | ACK)) == SYN
    return {
        "flows_syn_only": is_tcp & asks,
        "flows_reset": is_tcp & ((tcp_flags & RST) != 0),
    }
