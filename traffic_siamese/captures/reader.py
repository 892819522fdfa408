"""Read a capture as chunks of decoded packets, in constant memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from traffic_siamese.captures import records
from traffic_siamese.captures.compression import LogStream, open_log
from traffic_siamese.captures.faults import describe_cut, describe_empty, describe_fault
from traffic_siamese.captures.link_types import describe_unread
from traffic_siamese.captures.packets import (
    ENCAPSULATIONS,
    FRAGMENT,
    MALFORMED,
    REASSEMBLED,
    TRUNCATED,
    Fragments,
    PacketChunk,
    UInt8Array,
    decode_packets,
)
from traffic_siamese.errors import CaptureError

DEFAULT_CHUNK_BYTES = 1 << 20
_MIN_CHUNK_BYTES = 64
_MAX_PACKETS = 1 << 16
_GROWTH_BYTES = 1 << 16


@dataclass(slots=True)
class CaptureStats:
    """What was read so far, and what was wrong with it.

    Attributes
    ----------
    name : str
        The log's name in messages.
    format : str
        ``"pcap"``, ``"pcapng"``, or ``"unknown"`` before the first bytes are read.
    compression : str
        ``"none"``, ``"gzip"`` or ``"zstd"``.
    n_packets, n_bytes : int
        Whole packets, and their captured bytes.
    link_types : dict of int to int
        LINKTYPE number to packets.
    encapsulations : dict of str to int
        Packets wrapped in each of ``packets.ENCAPSULATIONS`` that occurs.
    n_fragments, n_reassembled : int
        IP fragments, and datagrams put together from them.
    n_truncated : int
        Packets of which the capture holds less than was on the wire.
    n_malformed : int
        Packets whose headers did not fit or contradict each other.
    n_undecoded : int
        Packets in which no IP header was found: other protocols, or an unknown link type.
    n_out_of_order : int
        Packets with an earlier time than some packet before them.
    first_ns, last_ns : int
        Earliest and latest time, nanoseconds since the Unix epoch; 0 without packets.
    warnings : list of str
        What was wrong and did not stop the reading.
    """

    name: str
    format: str = "unknown"
    compression: str = "none"
    n_packets: int = 0
    n_bytes: int = 0
    link_types: dict[int, int] = field(default_factory=dict)
    encapsulations: dict[str, int] = field(default_factory=dict)
    n_fragments: int = 0
    n_reassembled: int = 0
    n_truncated: int = 0
    n_malformed: int = 0
    n_undecoded: int = 0
    n_out_of_order: int = 0
    first_ns: int = 0
    last_ns: int = 0
    warnings: list[str] = field(default_factory=list)

    def add(self, chunk: PacketChunk) -> None:
        """Count the packets of one chunk."""
        self.n_bytes += int(chunk.captured_bytes.sum(dtype=np.int64))
        self.n_truncated += int(np.count_nonzero(chunk.flags & TRUNCATED))
        self.n_malformed += int(np.count_nonzero(chunk.flags & MALFORMED))
        self.n_undecoded += len(chunk) - int(np.count_nonzero(chunk.ip_version))
        kinds: list[int] = [int(chunk.link_type[0])]
        if (chunk.link_type != kinds[0]).any():
            kinds = np.unique(chunk.link_type).tolist()
        for kind in kinds:
            n = int(np.count_nonzero(chunk.link_type == kind))
            self.link_types[kind] = self.link_types.get(kind, 0) + n
        self._add_layers(chunk)

    def _add_layers(self, chunk: PacketChunk) -> None:
        if chunk.flags.any():
            self.n_fragments += int(np.count_nonzero(chunk.flags & FRAGMENT))
            self.n_reassembled += int(np.count_nonzero(chunk.flags & REASSEMBLED))
        if chunk.encapsulation.any():
            for bit, name in enumerate(ENCAPSULATIONS):
                n = int(np.count_nonzero(chunk.encapsulation & (1 << bit)))
                if n:
                    self.encapsulations[name] = self.encapsulations.get(name, 0) + n


class PacketReader:
    """Iterate over a capture once, as `PacketChunk`; also a context manager.

    All whole packets are yielded before anything is said against the file: a cut adds to
    ``stats.warnings``, damage raises `CaptureError`.

    Parameters
    ----------
    stream : LogStream
        The log's plain bytes.
    chunk_bytes : int
        Size of the buffer; it grows when one packet needs more.

    Attributes
    ----------
    stats : CaptureStats
        What was read so far.
    """

    def __init__(self, stream: LogStream, *, chunk_bytes: int = DEFAULT_CHUNK_BYTES) -> None:
        size = max(chunk_bytes, _MIN_CHUNK_BYTES)
        self.stats = CaptureStats(stream.name, compression=stream.compression)
        self._stream = stream
        self._walk = records.RecordWalk(min(_MAX_PACKETS, size // 16 + 1))
        self._size = size
        self._buffer = _new_buffer(size)
        self._fragments = Fragments()
        self._begin = 0
        self._end = 0
        self._fault: CaptureError | None = None
        self._chunks = self._read()

    def __iter__(self) -> Iterator[PacketChunk]:
        return self

    def __next__(self) -> PacketChunk:
        return next(self._chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the log; what was read so far stays in ``stats``."""
        self._chunks.close()
        self._stream.close()

    def _read(self) -> Generator[PacketChunk, None, None]:
        try:
            while self._fill():
                yield from self._walk_buffer()
            self._finish()
        finally:
            self._walk.close()
            self._fragments.close()
            self._stream.close()

    def _fill(self) -> bool:
        """Read more bytes behind those not yet walked; False when there are none."""
        self._make_room()
        try:
            n = self._stream.readinto(self._buffer[self._end : self._size].data)
        except CaptureError as err:
            self._fault = err
            return False
        self._end += n
        return n > 0

    def _make_room(self) -> None:
        """Move what is left to the buffer's start, in a larger buffer if one record needs it."""
        grow = self._walk.state.needed > self._size
        if not grow and not self._begin:
            return
        left = self._buffer[self._begin : self._end]
        if grow:
            self._size = int(self._walk.state.needed) + _GROWTH_BYTES
            self._buffer = _new_buffer(self._size)
        self._buffer[: len(left)] = left
        self._begin, self._end = 0, len(left)

    def _walk_buffer(self) -> Iterator[PacketChunk]:
        state = self._walk.state
        state.status = records.FULL
        while state.status == records.FULL:
            rows = self._walk.step(self._buffer, self._begin, self._end)
            self._begin = state.consumed
            self._note_state()
            if len(rows.time_ns):
                chunk = decode_packets(
                    self._buffer, rows, fragments=self._fragments, free_from=self._size
                )
                self.stats.add(chunk)
                yield chunk
        if state.status != records.MORE:
            head = self._buffer[self._begin : self._end][:64].tobytes()
            raise CaptureError(describe_fault(self.stats.name, state, head))

    def _note_state(self) -> None:
        state, stats = self._walk.state, self.stats
        stats.format = records.FORMAT_NAMES[state.format]
        stats.n_packets = state.n_packets
        stats.n_out_of_order = state.n_late
        stats.first_ns, stats.last_ns = state.first_ns, state.last_ns

    def _finish(self) -> None:
        """Say at the end of the log what is wrong with it."""
        state, stats = self._walk.state, self.stats
        stats.warnings += self._stream.warnings
        if self._fault is not None:
            raise self._fault
        left = self._buffer[self._begin : self._end].tobytes()
        if not left and state.position == 0:
            raise CaptureError(describe_empty(stats.name, stats.compression))
        if state.format == 0 or state.position == 0:
            raise CaptureError(describe_fault(stats.name, state, left))
        if left:
            stats.warnings.append(describe_cut(stats.name, state, len(left)))
        unread = describe_unread(stats.name, stats.link_types)
        if unread:
            stats.warnings.append(unread)
        if state.n_untimed:
            stats.warnings.append(
                f"{stats.name}: {state.n_untimed} packets carry no time (pcapng simple packets); "
                "each was given the time of the packet before it."
            )


def _new_buffer(size: int) -> UInt8Array:
    """Allocate room for bytes of the log and, behind them, for datagrams put together."""
    return np.empty(2 * size + Fragments.max_bytes, np.uint8)


def read_packets(
    source: str | Path | BinaryIO,
    *,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
    max_bytes: int | None = None,
) -> PacketReader:
    """Read a pcap or pcapng capture, plain or compressed, as chunks of decoded packets.

    Parameters
    ----------
    source : str, Path or binary file
        A path, ``"-"`` for standard input, or an open binary file, which stays open.
    chunk_bytes : int
        How much is read at once; one packet may be larger.
    max_bytes : int, optional
        How many bytes compressed data may decompress to; see `open_log`.

    Returns
    -------
    PacketReader
        An iterator of `PacketChunk`, whose ``stats`` tell afterwards what was read.

    Raises
    ------
    CaptureError
        If the log cannot be opened; while iterating, if it is no capture or is damaged. Whole
        packets before the damage are yielded first.
    """
    return PacketReader(open_log(source, max_bytes=max_bytes), chunk_bytes=chunk_bytes)
