"""From packet chunks to per-bin features: counting while a log is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import FRAGMENT, PacketChunk
from traffic_siamese.features.bins import BinTable
from traffic_siamese.features.concentration import KeyTable
from traffic_siamese.features.direction import TO_SERVICE, directions, find_service
from traffic_siamese.features.messages import MessageChunk, MessageReader
from traffic_siamese.features.samples import SampleTable
from traffic_siamese.features.schema import COUNTER_INDEX, N_COUNTERS
from traffic_siamese.features.slots import ANSWER_CLASSES, NONE, REQUEST_KINDS
from traffic_siamese.features.transactions import (
    IS_DUPLICATE,
    IS_FIRST,
    IS_RETRANSMISSION,
    Matched,
    TransactionMatcher,
)

_SYN, _RST, _ACK = 2, 4, 16
_TCP, _ICMP, _ICMPV6 = 6, 1, 58
_ICMP_UNREACHABLE, _ICMPV6_UNREACHABLE = 3, 1
_SIP_PORTS = (5060, 5061)
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
    tenths : ndarray of shape (n_rows, 2), uint16
        Per direction, a bit for each tenth of the bin that held a packet.
    n_packets, n_messages, n_on_sip_ports : int
        IP packets, SIP messages, and packets from or to the ports of SIP.
    """

    def __init__(self, bin_ns: int) -> None:
        self.bin_ns = bin_ns
        self.table = BinTable(2 * N_COUNTERS)
        self.delays = SampleTable(5)
        self.hosts, self.senders, self.requesters, self.targets = (KeyTable() for _ in range(4))
        self.tenths = np.zeros((256, 2), np.uint16)
        self.n_packets = self.n_messages = self.n_on_sip_ports = 0
        self._messages = MessageReader()
        self._transactions = TransactionMatcher()
        self._service: NDArray[np.uint64] | None = None
        self._now_ns = np.iinfo(np.int64).min
        self._closed = np.zeros(0, bool)

    def close(self) -> None:
        """Free what the kernel holds."""
        self._messages.close()
        self._transactions.close()

    def feed(self, chunk: PacketChunk) -> None:
        """Count one chunk."""
        if not len(chunk.time_ns):
            return
        if self._service is None:
            self._service = find_service(chunk)
        direction = directions(chunk, self._service)
        rows = self.table.rows(chunk.time_ns // self.bin_ns)
        self._closed = np.pad(self._closed, (0, len(self.table) - len(self._closed)))
        self._now_ns = max(self._now_ns, int(chunk.time_ns.max()))
        messages, retransmitted = self._messages.read(chunk)
        self._count_packets(chunk, rows, direction, retransmitted)
        self._count_hosts(chunk, rows, direction)
        self._count_messages(chunk, messages, rows, direction)
        self._close_bins()

    def _add(
        self,
        name: str,
        rows: NDArray[np.int64],
        direction: NDArray[np.uint8],
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        counter = COUNTER_INDEX[name] + N_COUNTERS * direction.astype(np.int64)
        self.table.add(rows, counter, weight)

    def _count_packets(
        self,
        chunk: PacketChunk,
        rows: NDArray[np.int64],
        direction: NDArray[np.uint8],
        retransmitted: NDArray[np.bool_],
    ) -> None:
        is_ip = chunk.ip_version > 0
        is_tcp = chunk.ip_protocol == _TCP
        flags = chunk.tcp_flags
        unreachable = ((chunk.ip_protocol == _ICMP) & (chunk.icmp_type == _ICMP_UNREACHABLE)) | (
            (chunk.ip_protocol == _ICMPV6) & (chunk.icmp_type == _ICMPV6_UNREACHABLE)
        )
        for name, mask in (
            ("packets", is_ip),
            ("tcp_syn", is_tcp & ((flags & (_SYN | _ACK)) == _SYN)),
            ("tcp_rst", is_tcp & ((flags & _RST) != 0)),
            ("tcp_retransmissions", retransmitted),
            ("icmp_unreachable", unreachable),
            ("repeats", retransmitted),
            ("refusals", unreachable | (is_tcp & ((flags & _RST) != 0))),
            ("fragments", (chunk.flags & FRAGMENT) != 0),
        ):
            self._add(name, rows[mask], direction[mask])
        wire_bytes = chunk.wire_bytes[is_ip].astype(np.float64)
        self._add("bytes", rows[is_ip], direction[is_ip], wire_bytes)
        self._mark_tenths(chunk.time_ns[is_ip], rows[is_ip], direction[is_ip])
        on_sip = np.isin(chunk.src_port, _SIP_PORTS) | np.isin(chunk.dst_port, _SIP_PORTS)
        self.n_packets += int(is_ip.sum())
        self.n_on_sip_ports += int((on_sip & is_ip).sum())

    def _mark_tenths(
        self,
        time_ns: NDArray[np.int64],
        rows: NDArray[np.int64],
        direction: NDArray[np.uint8],
    ) -> None:
        if len(self.table) > len(self.tenths):
            missing = 2 * len(self.table) - len(self.tenths)
            self.tenths = np.pad(self.tenths, ((0, missing), (0, 0)))
        tenth = (time_ns % self.bin_ns) * 10 // self.bin_ns
        cells = np.unique((rows * 2 + direction) * 10 + tenth)
        places = cells // 10
        np.bitwise_or.at(self.tenths.reshape(-1), places, (1 << (cells % 10)).astype(np.uint16))

    def _count_hosts(
        self, chunk: PacketChunk, rows: NDArray[np.int64], direction: NDArray[np.uint8]
    ) -> None:
        is_ip = chunk.ip_version > 0
        outside = np.where(direction == TO_SERVICE, chunk.src_key, chunk.dst_key)
        self.hosts.add(rows[is_ip], outside[is_ip], self._closed)
        sent = is_ip & (direction == TO_SERVICE)
        self.senders.add(rows[sent], chunk.src_key[sent], self._closed)

    def _count_messages(
        self,
        chunk: PacketChunk,
        messages: MessageChunk,
        packet_rows: NDArray[np.int64],
        packet_direction: NDArray[np.uint8],
    ) -> None:
        self.n_messages += len(messages)
        rows, direction = packet_rows[messages.packet], packet_direction[messages.packet]
        time_ns = chunk.time_ns[messages.packet]
        matched = self._transactions.match(messages, time_ns, direction, self._now_ns)
        asks = messages.request_kind != NONE
        for mask, slot, first in (
            (asks, messages.request_kind, COUNTER_INDEX["request_session_start"]),
            (~asks, messages.answer_class, COUNTER_INDEX["answer_provisional"]),
        ):
            counter = first + slot[mask].astype(np.int64) + N_COUNTERS * direction[mask]
            self.table.add(rows[mask], counter)
        again = (matched.flags & IS_RETRANSMISSION) != 0
        succeeds = messages.answer_class == _SUCCESS
        for name, mask in (
            ("new_transactions", (matched.flags & IS_FIRST) != 0),
            ("started_sessions", succeeds & (messages.answered_kind == _SESSION_START)),
            ("done_registrations", succeeds & (messages.answered_kind == _REGISTRATION)),
            ("repeats", again),
            ("retransmitted_requests", again & asks),
            ("retransmitted_answers", again & ~asks),
            ("duplicates", (matched.flags & IS_DUPLICATE) != 0),
        ):
            self._add(name, rows[mask], direction[mask])
        self._count_unanswered(matched)
        self._sample_delays(messages, matched, rows, direction)
        self.requesters.add(rows[asks], chunk.src_key[messages.packet[asks]], self._closed)
        self.targets.add(rows[asks], messages.target_key[asks], self._closed)

    def _count_unanswered(self, matched: Matched) -> None:
        rows = self.table.rows(matched.unanswered_ns // self.bin_ns)
        self._closed = np.pad(self._closed, (0, len(self.table) - len(self._closed)))
        for patience, name in enumerate(("unanswered_t1", "unanswered_4s")):
            mask = matched.unanswered_patience == patience
            self._add(name, rows[mask], matched.unanswered_direction[mask])

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

    def _close_bins(self) -> None:
        tables = (self.hosts, self.senders, self.requesters, self.targets)
        if max(self.delays.n_waiting, *(t.n_waiting for t in tables)) > _MAX_WAITING:
            latest = self._now_ns // self.bin_ns
            self.describe(self.table.bins < latest - _OPEN_BINS)

    def describe(self, closes: NDArray[np.bool_] | None = None) -> None:
        """Describe bins that take no more samples: these rows, or all."""
        closes = np.ones(len(self.table), bool) if closes is None else closes
        for table in (self.delays, self.hosts, self.senders, self.requesters, self.targets):
            table.describe(closes)
        self._closed |= closes
