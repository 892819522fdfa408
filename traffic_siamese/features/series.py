"""Traffic series of a log: the one call from a capture to features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.captures.reader import CaptureStats, read_packets
from traffic_siamese.errors import CaptureError
from traffic_siamese.features.builder import SeriesBuilder
from traffic_siamese.features.schema import (
    EMPTY_BIN,
    FEATURE_NAMES,
    FEATURES,
    N_MEASURES,
)
from traffic_siamese.features.slots import PROTOCOLS
from traffic_siamese.types import FloatArray, TrafficLog, TrafficSeries

MAX_GAP_S = 600.0
MAX_BINS = 31 * 86_400
_MEASURE_SLOTS = ((2, 0, 0), (3, 0, 1), (4, 2, 0), (5, 2, 1), (6, 0, 2))
"""Per measure of a direction: its place, the first sample slot, the statistic."""


class PacketSource(Protocol):
    """Packets of a log, chunk by chunk; ``stats`` tell of those read so far."""

    @property
    def stats(self) -> CaptureStats:
        """Return the log's name, what was read and what was wrong with it."""

    def __iter__(self) -> Iterator[PacketChunk]:
        """Iterate once."""


def read_series(
    source: str | Path, *, bin_s: float = 1.0, max_gap_s: float = MAX_GAP_S
) -> TrafficLog:
    """Read a traffic log into per-bin features.

    Parameters
    ----------
    source : str or Path
        A capture (pcap or pcapng, plain, gzip or zstd); ``-`` reads standard input.
    bin_s : float, > 0
        Length of a bin in seconds. Bins are aligned to the Unix epoch.
    max_gap_s : float, > 0
        A longer silence starts a new series; within a shorter one bins are empty.

    Returns
    -------
    TrafficLog
        Damage that does not stop the reading is told in its warnings; a log that is damaged in
        the middle gives what stands before the damage.

    Raises
    ------
    CaptureError
        The log cannot be read at all, or holds no signalling.
    ValueError
        If ``bin_s`` is below a millisecond.
    """
    with read_packets(source) as reader:
        return series_of_packets(reader, bin_s=bin_s, max_gap_s=max_gap_s)


def series_of_packets(
    packets: PacketSource, *, bin_s: float = 1.0, max_gap_s: float = MAX_GAP_S
) -> TrafficLog:
    """Measure packets that somebody else reads; otherwise as `read_series`.

    Parameters
    ----------
    packets : PacketSource
        Iterated once, to the end or to where it raises.
    bin_s, max_gap_s : float, > 0
        In seconds.

    Returns
    -------
    TrafficLog

    Raises
    ------
    CaptureError
        As for `read_series`.
    ValueError
        If ``bin_s`` is below a millisecond.
    """
    bin_ns = round(bin_s * 1e9)
    if bin_ns < 1_000_000:
        raise ValueError(f"bin_s={bin_s}: expected 0.001 s or more")
    builder, name = SeriesBuilder(bin_ns), packets.stats.name
    damage: list[str] = []
    try:
        try:
            for chunk in packets:
                builder.feed(chunk)
                _check_bins(name, len(builder.table), bin_ns)
        except CaptureError as error:
            if packets.stats.n_packets == 0:
                raise
            damage.append(str(error))
        builder.finish()
        warnings = [*packets.stats.warnings, *damage]
        _check_signalling(name, builder, warnings)
        series = _build(name, builder, round(max_gap_s / bin_s))
    finally:
        builder.close()
    if builder.n_late:
        warnings.append(
            f"{name}: {builder.n_late} delays belong to packets out of order by more "
            "than 16 bins and were left out of the delay features."
        )
    return TrafficLog(
        name,
        series,
        packets.stats.n_packets,
        tuple(warnings),
        protocols=_by_protocol(builder),
    )


def _check_bins(name: str | Path, n_bins: int, bin_ns: int) -> None:
    if n_bins > MAX_BINS:
        raise CaptureError(
            f"{name}: spans {n_bins} bins of {bin_ns / 1e9:g} s or more; expected at most "
            f"{MAX_BINS}. Use longer bins, or split the capture."
        )


def _by_protocol(builder: SeriesBuilder) -> dict[str, int]:
    """Messages of each protocol that was found, the most frequent first."""
    counts = dict(zip(PROTOCOLS, builder.n_by_protocol.tolist(), strict=True))
    found = sorted((name for name in counts if counts[name]), key=counts.__getitem__, reverse=True)
    return {name: counts[name] for name in found}


def _check_signalling(name: str, builder: SeriesBuilder, warnings: list[str]) -> None:
    """Refuse a log without signalling; where it is damaged too, that may be why, so tell it."""
    if builder.n_messages or builder.n_on_signalling_ports:
        return
    damage = f" The log is damaged besides: {warnings[0]}" if warnings else ""
    raise CaptureError(
        f"{name}: no signalling found: {builder.n_packets} IP packets, none of them with a message "
        f"of {', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}, nor on SIP's or Diameter's port. "
        f"Expected a capture that holds one of these; check the capture filter.{damage}"
    )


def _build(name: str, builder: SeriesBuilder, max_gap_bins: int) -> tuple[TrafficSeries, ...]:
    bins = builder.table.bins
    order = np.argsort(bins)
    bins = bins[order]
    values = _values(builder)[order]
    starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - max_gap_bins - 2) > max_gap_bins)
    ends = np.append(starts[1:], len(bins))
    n_bins = int((bins[ends - 1] - bins[starts] + 1).sum())
    _check_bins(name, n_bins, builder.table.bin_ns)
    return tuple(
        _fill(bins[start:end], values[start:end], builder.table.bin_ns)
        for start, end in zip(starts, ends, strict=True)
    )


def _values(builder: SeriesBuilder) -> FloatArray:
    """Features of the bins seen, (n_rows, n_features); NaN where nothing was measured."""
    n = len(builder.table)
    counts = builder.table.counts
    delays = builder.delays.statistics(n)
    measures = np.full((n, 2, N_MEASURES), np.nan, np.float32)
    n_tenths = np.bitwise_count(builder.table.tenths)
    for direction in (0, 1):
        packets = counts[:, direction, 0]
        total_bytes = counts[:, direction, 1]
        measures[:, direction, 0] = np.where(
            packets > 0, total_bytes / np.maximum(packets, 1), np.nan
        )
        measures[:, direction, 1] = 1 - n_tenths[:, direction] / 10
        for place, slot, statistic in _MEASURE_SLOTS:
            measures[:, direction, place] = delays[:, slot + direction, statistic]
    hosts, senders = builder.hosts.statistics(n), builder.senders.statistics(n)
    n_requesters = builder.requesters.statistics(n)[:, 0]
    n_targets = builder.targets.statistics(n)[:, 0]
    undirected = [
        delays[:, 4, 3],
        hosts[:, 0],
        senders[:, 1],
        senders[:, 2],
        np.where(n_requesters > 0, n_targets / np.maximum(n_requesters, 1), np.nan),
    ]
    parts = (counts.reshape(n, -1), measures.reshape(n, -1), np.stack(undirected, axis=1))
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")


def _fill(bins: NDArray[np.int64], values: FloatArray, bin_ns: int) -> TrafficSeries:
    """Put the bins seen into an unbroken series; bins without packets are empty."""
    dense = np.zeros((int(bins[-1] - bins[0]) + 1, values.shape[1]), np.float32)
    held = [column for column, feature in enumerate(FEATURES) if feature.held]
    dense[:, held] = np.nan
    for name, value in EMPTY_BIN.items():
        dense[:, FEATURE_NAMES.index(name)] = value
    dense[bins - bins[0]] = values
    for column in held:  # one at a time: a long log needs no second copy
        dense[:, column] = hold_last(dense[:, column])
    return TrafficSeries(dense, int(bins[0]) * bin_ns, bin_ns / 1e9, FEATURE_NAMES)


def hold_last(column: FloatArray) -> FloatArray:
    """Replace each NaN of a column by the last value above it, or 0 where there is none."""
    place = np.where(np.isfinite(column), np.arange(len(column), dtype=np.int32), 0)
    np.maximum.accumulate(place, out=place)
    return np.nan_to_num(column[place], nan=0.0)
