"""From packet chunks to per-bin features: counting while a log is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.features.batches import Batcher, PacketBatch
from traffic_siamese.features.bins import BinTable
from traffic_siamese.features.concentration import KeyTable
from traffic_siamese.features.counting import SUMS, count_packets
from traffic_siamese.features.direction import find_service
from traffic_siamese.features.samples import SampleTable
from traffic_siamese.features.schema import COUNTER_INDEX, N_COUNTERS
from traffic_siamese.features.slots import PROTOCOLS
from traffic_siamese.features.transactions import (
    N_SAMPLE_SLOTS,
    TransactionMatcher,
    Unanswered,
)

_UNANSWERED = np.array([COUNTER_INDEX[name] for name in ("unanswered_t1", "unanswered_4s")])
_MAX_WAITING = 1_000_000
_OPEN_BINS = 16


class SeriesBuilder:
    """Counts the features of a log, chunk by chunk, in bounded memory.

    Attributes
    ----------
    table : BinTable
        Counters of schema.COUNTERS for both directions, and tenths, per bin seen.
    delays : SampleTable
        Delays and session lengths.
    hosts, senders, requesters, targets : KeyTable
        Hosts outside the service, by packets; those of them that send to it; senders of requests,
        and whom the requests are for.
    n_packets, n_messages, n_on_signalling_ports, n_late : int
        IP packets, signalling messages, packets from or to ports of signalling, and delays left
        out since they came too late for their bin.
    n_by_protocol : ndarray of shape (n_protocols,), int64
        Messages of each of `PROTOCOLS`.
    """

    def __init__(self, bin_ns: int) -> None:
        self.table = BinTable(bin_ns, N_COUNTERS)
        self.delays = SampleTable(N_SAMPLE_SLOTS)
        self.hosts, self.requesters, self.targets = (KeyTable() for _ in range(3))
        self.senders = KeyTable(with_shares=True)
        self.n_packets = self.n_messages = self.n_on_signalling_ports = self.n_late = 0
        self.n_by_protocol = np.zeros(len(PROTOCOLS), np.int64)
        self._batcher = Batcher()
        self._transactions = TransactionMatcher()
        self._service: NDArray[np.uint64] | None = None
        self._latest_ns = np.iinfo(np.int64).min

    def close(self) -> None:
        """Free what the kernel holds."""
        self._batcher.close()
        self._transactions.close()

    def feed(self, chunk: PacketChunk) -> None:
        """Take one chunk; it is counted when a batch is full, or by `finish`."""
        for batch in self._batcher.add(chunk):
            self._count(batch)

    def finish(self) -> None:
        """Count what is left, and describe all bins."""
        for batch in self._batcher.rest():
            self._count(batch)
        if self.n_packets:
            self._count_unanswered(self._transactions.finish(self._latest_ns))
        for name, parts in SUMS.items():
            columns = [COUNTER_INDEX[part] for part in parts]
            self.table.counts[..., COUNTER_INDEX[name]] = self.table.counts[..., columns].sum(-1)
        self._describe(np.ones(len(self.table), bool))

    def _count(self, batch: PacketBatch) -> None:
        if self._service is None:
            self._service = find_service(batch)
        n_on_signalling_ports, hosts, senders = count_packets(batch, self._service, self.table)
        matched = self._transactions.match(batch, self.table)
        self.hosts.add(hosts)
        self.senders.add(senders)
        self.requesters.add(matched.requesters)
        self.targets.add(matched.targets)
        self.delays.add(matched.samples)
        self._count_unanswered(matched.unanswered)
        self.n_packets += len(batch.packets)
        self.n_messages += len(batch.messages)
        self.n_by_protocol += np.bincount(batch.messages["protocol"], minlength=len(PROTOCOLS))
        self.n_on_signalling_ports += n_on_signalling_ports
        self.n_late += matched.n_late
        self._latest_ns = max(self._latest_ns, int(batch.packets["time_ns"].max()))
        self._close_bins(int(batch.packets["time_ns"][-1]))

    def _count_unanswered(self, unanswered: Unanswered) -> None:
        rows = self.table.rows(unanswered.time_ns // self.table.bin_ns)
        self.table.add(rows, unanswered.direction, _UNANSWERED[unanswered.patience])

    def _close_bins(self, now_ns: int) -> None:
        tables = (self.hosts, self.senders, self.requesters, self.targets)
        if max(self.delays.n_waiting, *(t.n_waiting for t in tables)) > _MAX_WAITING:
            self._describe(self.table.bins < now_ns // self.table.bin_ns - _OPEN_BINS)

    def _describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe bins that take no more samples."""
        for table in (self.delays, self.hosts, self.senders, self.requesters, self.targets):
            table.describe(closes)
        self.table.closed[closes] = True
