"""Open a traffic log as a stream of plain bytes, whatever compresses it.

The first bytes decide between plain, gzip and zstd, never the file's suffix. Everything streams:
memory does not grow with the log, and standard input need not be seekable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from isal import isal_zlib

from traffic_siamese.captures.listening import listener
from traffic_siamese.errors import CaptureError
from traffic_siamese.spelling import did_you_mean

MAX_BYTES_VARIABLE = "TRAFFIC_SIAMESE_MAX_BYTES"
"""Environment variable: bytes a compressed log may hold, where the caller sets no limit."""

MAX_RATIO = 200
"""How many bytes a compressed byte may hold by default: captures hold some tens at most."""

FREE_BYTES = 128 << 20
"""So much any compressed log may hold by default."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_INPUT_BYTES = {"gzip": 256 << 10, "zstd": 1 << 10}  # 3 bytes of zstd may hold 128 KiB at once
_PIECE_BYTES = 1 << 20
_DAMAGE: Any = (isal_zlib.error, zstandard.ZstdError)


class LogStream:
    """The bytes of one traffic log, decompressed.

    What was decompressed before a fault in the compressed data is always delivered first: a cut
    adds to ``warnings`` and ends the stream, damage raises at the next read.

    Attributes
    ----------
    name : str
        What the log is called in messages: its path, or ``-``.
    compression : str
        ``"none"``, ``"gzip"`` or ``"zstd"``.
    warnings : list of str
        What was wrong and did not stop the reading.
    """

    def __init__(self, source: BinaryIO, name: str, *, max_bytes: int | None, close: bool) -> None:
        self.name = name
        self.warnings: list[str] = []
        self._source = source
        self._close = close
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._n_compressed = 0
        self._listener = listener()
        self._head = self._read_head()
        self.compression = _detect(self._head)
        self._pieces = self._decompress() if self.compression != "none" else None
        self._piece = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        """Fill a writable byte buffer from the log.

        Parameters
        ----------
        view : memoryview
            Where the bytes go; at least one byte long.

        Returns
        -------
        int
            Bytes written, which may be fewer than asked for; 0 at the end of the log.

        Raises
        ------
        CaptureError
            If reading fails, the compressed data is damaged, or it holds more than ``max_bytes``.
        """
        if self._pieces is not None:
            return self._read_piece(self._pieces, view)
        n = min(len(self._head), len(view))
        view[:n] = self._head[:n]
        self._head = self._head[n:]
        return n + self._read_plain(view[n:]) if n < len(view) else n

    def close(self) -> None:
        """Close the file, if this stream opened it."""
        if self._close:
            self._source.close()

    def _read_plain(self, view: memoryview) -> int:
        n = self._read_into(view)
        if self._listener is not None:
            self._listener(self.name, n)
        return n

    def _read_into(self, view: memoryview) -> int:
        read = getattr(self._source, "readinto1", None) or getattr(self._source, "readinto", None)
        try:
            if read is not None:
                return int(read(view) or 0)
            data = self._source.read(len(view))
        except OSError as err:
            raise CaptureError(_reading_failed(self.name, err)) from err
        view[: len(data)] = data
        return len(data)

    def _read_source(self, n: int) -> bytes:
        buffer = bytearray(n)
        got = self._read_plain(memoryview(buffer))
        return bytes(buffer[:got])

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < len(_ZSTD):
            more = self._read_source(len(_ZSTD) - len(head))
            if not more:
                break
            head += more
        return head

    def _read_piece(self, pieces: Iterator[bytes], view: memoryview) -> int:
        if not self._piece:
            self._piece = memoryview(next(pieces, b""))
        n = min(len(self._piece), len(view))
        view[:n] = self._piece[:n]
        self._piece = self._piece[n:]
        return n

    def _decompress(self) -> Iterator[bytes]:
        """Decompress member after member, in pieces of bounded size."""
        pending = self._head
        self._n_compressed = len(pending)
        while pending:
            pending = yield from self._decompress_member(pending)
            pending = self._next_member(pending)

    def _decompress_member(self, pending: bytes) -> Generator[bytes, None, bytes]:
        """Decompress one gzip member or zstd frame; the generator returns what follows it."""
        member = _new_member(self.compression)
        while not member.eof:
            piece = self._decompress_piece(member, pending)
            if piece:
                self._check_size(len(piece))
                yield piece
            pending = member.unconsumed_tail
            if not pending and not piece and not member.eof:
                pending = self._more()
                if not pending:
                    self._warn_cut()
                    return b""
        return bytes(member.unused_data)

    def _decompress_piece(self, member: Any, pending: bytes) -> bytes:
        try:
            if self.compression == "gzip":
                return bytes(member.decompress(pending, _PIECE_BYTES))
            return bytes(member.decompress(pending)) if pending else b""
        except _DAMAGE as err:
            raise CaptureError(
                f"{self.name}: the {self.compression} data is damaged before compressed byte "
                f"{self._n_compressed} ({err}); {self._n_bytes} bytes before it were decompressed. "
                "Copy the log again from its origin."
            ) from err

    def _more(self) -> bytes:
        data = self._read_source(_INPUT_BYTES[self.compression])
        self._n_compressed += len(data)
        return data

    def _next_member(self, pending: bytes) -> bytes:
        """Find the next member: zero padding is skipped, anything else ends the log."""
        pending = pending.lstrip(b"\0")
        while len(pending) < len(_ZSTD):
            more = self._more()
            if not more:
                break
            pending = (pending + more).lstrip(b"\0")
        if pending and _detect(pending) != self.compression:
            at = self._n_compressed - len(pending)
            self.warnings.append(
                f"{self.name}: what follows the {self.compression} data at compressed byte {at} "
                "was ignored: it is not compressed in the same way."
            )
            return b""
        return pending

    def _warn_cut(self) -> None:
        self.warnings.append(
            f"{self.name}: cut short: the {self.compression} data ends in the middle at compressed "
            f"byte {self._n_compressed}; the {self._n_bytes} bytes before were decompressed."
        )

    def _check_size(self, n: int) -> None:
        self._n_bytes += n
        limit = self._max_bytes
        if limit is None:
            limit = max(FREE_BYTES, MAX_RATIO * self._n_compressed)
        if self._n_bytes > limit:
            raise CaptureError(
                f"{self.name}: {self._n_compressed} compressed bytes hold more than the limit of "
                f"{limit} bytes, which guards against decompression bombs. If the log is sound, "
                f"raise the limit (--max-bytes, or {MAX_BYTES_VARIABLE}) or decompress it first."
            )


def open_log(source: str | Path | BinaryIO, *, max_bytes: int | None = None) -> LogStream:
    """Open a traffic log for reading its plain bytes.

    Parameters
    ----------
    source : str, Path or binary file
        A path, ``"-"`` for standard input, or an open binary file, which stays open.
    max_bytes : int, optional
        How many bytes compressed data may decompress to; by default what the environment variable
        ``TRAFFIC_SIAMESE_MAX_BYTES`` says, or else the greater of `FREE_BYTES` and `MAX_RATIO`
        times the compressed bytes read.

    Returns
    -------
    LogStream
        Positioned at the first plain byte.

    Raises
    ------
    CaptureError
        If the log cannot be opened, or the environment variable holds no number.
    """
    if max_bytes is None:
        max_bytes = _limit_of_environment()
    if source == "-":
        return LogStream(sys.stdin.buffer, "-", max_bytes=max_bytes, close=False)
    if not isinstance(source, str | Path):
        name = str(getattr(source, "name", "<stream>"))
        return LogStream(source, name, max_bytes=max_bytes, close=False)
    try:
        file = open(source, "rb", buffering=0)  # noqa: SIM115 (the stream closes it)
    except (OSError, ValueError) as err:
        raise CaptureError(_reading_failed(str(source), err)) from err
    try:
        return LogStream(file, str(source), max_bytes=max_bytes, close=True)
    except BaseException:
        file.close()
        raise


def _limit_of_environment() -> int | None:
    text = os.environ.get(MAX_BYTES_VARIABLE, "")
    if not text:
        return None
    if not text.isdecimal():
        raise CaptureError(
            f"{MAX_BYTES_VARIABLE} is {text!r}, expected a number of bytes. "
            "Set it right, or unset it."
        )
    return int(text)


def _detect(head: bytes) -> str:
    if head.startswith(_GZIP):
        return "gzip"
    skippable = len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18"
    return "zstd" if head.startswith(_ZSTD) or skippable else "none"


def _new_member(compression: str) -> Any:
    if compression == "gzip":
        return isal_zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor().decompressobj()


def _reading_failed(name: str, err: Exception) -> str:
    kinds = {
        FileNotFoundError: f"no such file. Check the path.{_sibling(name)}",
        IsADirectoryError: "is a directory, expected a capture file. Name the files in it.",
        PermissionError: "may not be read by this user. Check its permissions.",
    }
    for kind, words in kinds.items():
        if isinstance(err, kind):
            return f"{name}: {words}"
    return f"{name}: cannot be read: {getattr(err, 'strerror', None) or err}. Check the device."


def _sibling(name: str) -> str:
    """Ask whether a file beside the missing one is meant."""
    path = Path(name)
    with suppress(OSError):
        return did_you_mean(path.name, (one.name for one in path.parent.iterdir()))
    return ""
