"""Packets and their messages, gathered into batches that are worth counting at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.features.messages import MessageChunk, MessageReader

BATCH_PACKETS = 1 << 14
_SIP_PORTS = (5060, 5061)


@dataclass(frozen=True, slots=True, eq=False)
class PacketBatch:
    """The IP packets of some chunks, without their bytes, and the messages that end in them.

    Columns have shape (n_packets,) and are described in `PacketChunk`.

    Attributes
    ----------
    retransmitted : ndarray of bool
        TCP segments behind the bytes that were due next.
    messages : MessageChunk
        Its ``packet`` is a row of this batch.
    """

    time_ns: NDArray[np.int64]
    wire_bytes: NDArray[np.uint32]
    ip_protocol: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    src_key: NDArray[np.uint64]
    dst_key: NDArray[np.uint64]
    src_port: NDArray[np.uint16]
    dst_port: NDArray[np.uint16]
    tcp_flags: NDArray[np.uint8]
    icmp_type: NDArray[np.uint8]
    retransmitted: NDArray[np.bool_]
    messages: MessageChunk

    def __len__(self) -> int:
        """Return the number of packets."""
        return len(self.time_ns)

    def on_sip_ports(self) -> NDArray[np.bool_]:
        """Tell which packets go to or come from the ports of SIP, shape (n_packets,)."""
        mask = np.zeros(len(self), bool)
        for port in _SIP_PORTS:
            mask |= (self.src_port == port) | (self.dst_port == port)
        return mask


_COLUMNS = tuple(f.name for f in fields(PacketBatch))[:-1]


class Batcher:
    """Gathers chunks into batches: what is counted does not depend on the size of the chunks."""

    def __init__(self) -> None:
        self.n_packets = 0
        self._reader = MessageReader()
        self._columns: list[list[NDArray[np.generic]]] = []
        self._messages: list[MessageChunk] = []

    def close(self) -> None:
        """Free what the kernel holds."""
        self._reader.close()

    def add(self, chunk: PacketChunk) -> None:
        """Take one chunk, whose bytes are not needed any more after this."""
        messages, retransmitted = self._reader.read(chunk)
        is_ip = chunk.ip_version > 0
        columns = [*(getattr(chunk, name) for name in _COLUMNS[:-1]), retransmitted]
        if not is_ip.all():
            columns = [column[is_ip] for column in columns]
        place = np.cumsum(is_ip)[messages.packet] - 1 + self.n_packets
        self._messages.append(messages.moved(place))
        self._columns.append(columns)
        self.n_packets += len(columns[0])

    def take(self) -> PacketBatch:
        """Return what was gathered, and start the next batch."""
        gathered = zip(_COLUMNS, zip(*self._columns, strict=True), strict=True)
        columns: dict[str, NDArray[Any]] = {name: np.concatenate(parts) for name, parts in gathered}
        batch = PacketBatch(**columns, messages=MessageChunk.joined(self._messages))
        self.n_packets, self._columns, self._messages = 0, [], []
        return batch
