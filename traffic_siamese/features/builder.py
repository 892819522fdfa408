"""From packet chunks to per-bin features: counting while a log is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import FRAGMENT, PacketChunk
from traffic_siamese.features.batches import BATCH_PACKETS, Batcher, PacketBatch
from traffic_siamese.features.bins import BinTable
from traffic_siamese.features.concentration import KeyTable
from traffic_siamese.features.direction import TO_SERVICE, directions, find_service
from traffic_siamese.features.messages import MessageChunk
from traffic_siamese.features.samples import SampleTable
from traffic_siamese.features.schema import COUNTER_INDEX, N_COUNTERS
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, REQUEST_KINDS
from traffic_siamese.features.transactions import (
    IS_DUPLICATE,
    IS_FIRST,
    IS_RETRANSMISSION,
    Matched,
    TransactionMatcher,
    Unanswered,
)

_SYN, _RST, _ACK = 2, 4, 16
_TCP, _ICMP, _ICMPV6 = 6, 1, 58
_ICMP_UNREACHABLE, _ICMPV6_UNREACHABLE = 3, 1
_SESSION_START = REQUEST_KINDS.index("session_start")
_REGISTRATION = REQUEST_KINDS.index("registration")
_SUCCESS = ANSWER_CLASSES.index("success")
_FIRST_DELAY, _FINAL_DELAY, _SESSION = 0, 2, 4  # slots of the sample table; + direction
_MAX_WAITING = 1_000_000
_OPEN_BINS = 16


class SeriesBuilder:
    """Counts the features of a log, chunk by chunk, in bounded memory.

    Attributes
    ----------
    table : BinTable
        Counters of schema.COUNTERS for both directions, per bin seen.
    tenths : ndarray of shape (>= n_rows, 2, 10), bool
        Per direction, the tenths of the bin that held a packet.
    n_packets, n_messages, n_on_sip_ports : int
        IP packets, SIP messages, and packets from or to the ports of SIP.
    """

    def __init__(self, bin_ns: int) -> None:
        self.bin_ns = bin_ns
        self.table = BinTable(2 * N_COUNTERS)
        self.delays = SampleTable(5)
        self.hosts, self.senders, self.requesters, self.targets = (KeyTable() for _ in range(4))
        self.tenths = np.zeros((256, 2, 10), bool)
        self.n_packets = self.n_messages = self.n_on_sip_ports = 0
        self._batcher = Batcher()
        self._transactions = TransactionMatcher()
        self._service: NDArray[np.uint64] | None = None
        self._latest_ns = np.iinfo(np.int64).min
        self._closed = np.zeros(0, bool)

    def close(self) -> None:
        """Free what the kernel holds."""
        self._batcher.close()
        self._transactions.close()

    def feed(self, chunk: PacketChunk) -> None:
        """Take one chunk; it is counted when a batch is full, or by `finish`."""
        self._batcher.add(chunk)
        if self._batcher.n_packets >= BATCH_PACKETS:
            self._count(self._batcher.take())

    def finish(self) -> None:
        """Count what is left, and describe all bins."""
        if self._batcher.n_packets:
            self._count(self._batcher.take())
        if self.n_packets:
            self._count_unanswered(self._transactions.finish(self._latest_ns))
        self._describe(np.ones(len(self.table), bool))

    def _count(self, batch: PacketBatch) -> None:
        if self._service is None:
            self._service = find_service(batch)
        direction = directions(batch, self._service)
        rows = self._rows(batch.time_ns)
        self._latest_ns = max(self._latest_ns, int(batch.time_ns.max()))
        self._count_packets(batch, rows, direction)
        self._count_hosts(batch, rows, direction)
        self._count_messages(batch, rows, direction)
        self._close_bins(int(batch.time_ns[-1]))

    def _rows(self, time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = self.table.rows(time_ns // self.bin_ns)
        self._closed = np.pad(self._closed, (0, len(self.table) - len(self._closed)))
        return rows

    def _cells(self, rows: NDArray[np.int64], direction: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the cell of the first counter of each row and direction."""
        return rows * (2 * N_COUNTERS) + N_COUNTERS * direction.astype(np.int64)

    def _add(self, cells: NDArray[np.int64], masks: dict[str, NDArray[np.bool_]]) -> None:
        """Add one to the named counters, each where its mask is true."""
        for name, mask in masks.items():
            self.table.add(cells[np.flatnonzero(mask)] + COUNTER_INDEX[name])

    def _count_packets(
        self, batch: PacketBatch, rows: NDArray[np.int64], direction: NDArray[np.uint8]
    ) -> None:
        is_tcp = batch.ip_protocol == _TCP
        tcp_flags = batch.tcp_flags
        unreachable = ((batch.ip_protocol == _ICMP) & (batch.icmp_type == _ICMP_UNREACHABLE)) | (
            (batch.ip_protocol == _ICMPV6) & (batch.icmp_type == _ICMPV6_UNREACHABLE)
        )
        is_reset = is_tcp & ((tcp_flags & _RST) != 0)
        cells = self._cells(rows, direction)
        self.table.add(cells + COUNTER_INDEX["packets"])
        self.table.add(cells + COUNTER_INDEX["bytes"], batch.wire_bytes.astype(np.float64))
        masks = {
            "tcp_syn": is_tcp & ((tcp_flags & (_SYN | _ACK)) == _SYN),
            "tcp_rst": is_reset,
            "tcp_retransmissions": batch.retransmitted,
            "icmp_unreachable": unreachable,
            "repeats": batch.retransmitted,
            "refusals": unreachable | is_reset,
            "fragments": (batch.flags & FRAGMENT) != 0,
        }
        self._add(cells, masks)
        self._mark_tenths(batch.time_ns, rows, direction)
        self.n_packets += len(batch)
        self.n_on_sip_ports += int(np.count_nonzero(batch.on_sip_ports()))

    def _mark_tenths(
        self,
        time_ns: NDArray[np.int64],
        rows: NDArray[np.int64],
        direction: NDArray[np.uint8],
    ) -> None:
        if len(self.table) > len(self.tenths):
            missing = 2 * len(self.table) - len(self.tenths)
            self.tenths = np.pad(self.tenths, ((0, missing), (0, 0), (0, 0)))
        tenth = (time_ns % self.bin_ns) * 10 // self.bin_ns
        self.tenths.reshape(-1)[(rows * 2 + direction) * 10 + tenth] = True

    def _count_hosts(
        self, batch: PacketBatch, rows: NDArray[np.int64], direction: NDArray[np.uint8]
    ) -> None:
        sent = direction == TO_SERVICE
        outside = np.where(sent, batch.src_key, batch.dst_key)
        self.hosts.add(rows, outside, self._closed)
        self.senders.add(rows[sent], batch.src_key[sent], self._closed)

    def _count_messages(
        self,
        batch: PacketBatch,
        packet_rows: NDArray[np.int64],
        packet_direction: NDArray[np.uint8],
    ) -> None:
        messages = batch.messages
        self.n_messages += len(messages)
        rows, direction = packet_rows[messages.packet], packet_direction[messages.packet]
        time_ns = batch.time_ns[messages.packet]
        matched = self._transactions.match(messages, time_ns, direction)
        asks = messages.request_kind != NONE
        cells = self._cells(rows, direction)
        asked = COUNTER_INDEX["request_session_start"] + messages.request_kind.astype(np.int64)
        answered = COUNTER_INDEX["answer_provisional"] + messages.answer_class.astype(np.int64)
        self.table.add(cells + np.where(asks, asked, answered))
        again = (matched.flags & IS_RETRANSMISSION) != 0
        succeeds = messages.answer_class == _SUCCESS
        masks = {
            "new_transactions": (matched.flags & IS_FIRST) != 0,
            "started_sessions": succeeds & (messages.answered_kind == _SESSION_START),
            "done_registrations": succeeds & (messages.answered_kind == _REGISTRATION),
            "repeats": again,
            "retransmitted_requests": again & asks,
            "retransmitted_answers": again & ~asks,
            "duplicates": (matched.flags & IS_DUPLICATE) != 0,
        }
        self._add(cells, masks)
        self._count_unanswered(matched.unanswered)
        self._sample_delays(messages, matched, rows, direction)
        self.requesters.add(rows[asks], batch.src_key[messages.packet[asks]], self._closed)
        self.targets.add(rows[asks], messages.target_key[asks], self._closed)

    def _count_unanswered(self, unanswered: Unanswered) -> None:
        cells = self._cells(self._rows(unanswered.time_ns), unanswered.direction)
        names = ("unanswered_t1", "unanswered_4s")
        self._add(cells, {name: unanswered.patience == p for p, name in enumerate(names)})

    def _sample_delays(
        self,
        messages: MessageChunk,
        matched: Matched,
        rows: NDArray[np.int64],
        direction: NDArray[np.uint8],
    ) -> None:
        asked = 1 - direction.astype(np.int64)  # an answer goes against its request
        machine = messages.answered_kind != _SESSION_START
        for slot, value, mask in (
            (_FIRST_DELAY + asked, matched.first_delay_s, np.isfinite(matched.first_delay_s)),
            (
                _FINAL_DELAY + asked,
                matched.final_delay_s,
                np.isfinite(matched.final_delay_s) & machine,
            ),
            (np.full_like(asked, _SESSION), matched.session_s, np.isfinite(matched.session_s)),
        ):
            self.delays.add(rows[mask], slot[mask], value[mask], self._closed)

    def _close_bins(self, now_ns: int) -> None:
        tables = (self.hosts, self.senders, self.requesters, self.targets)
        if max(self.delays.n_waiting, *(t.n_waiting for t in tables)) > _MAX_WAITING:
            self._describe(self.table.bins < now_ns // self.bin_ns - _OPEN_BINS)

    def _describe(self, closes: NDArray[np.bool_]) -> None:
        """Describe bins that take no more samples."""
        for table in (self.delays, self.hosts, self.senders, self.requesters, self.targets):
            table.describe(closes)
        self._closed |= closes
