"""A traffic log that is open: its first bytes known, the rest still to come."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from traffic_siamese.captures.compression import MAX_BYTES_VARIABLE, LogStream, open_log
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.folders import folder_parts
from traffic_siamese.logs.pm_xml import is_pm_xml

SNIFFED_BYTES = 64 << 10
MAX_TABLE_BYTES = 256 << 20
"""A log that is no capture is read into memory: by default not more than this."""
_PIECE_BYTES = 1 << 20


class OpenLog(io.RawIOBase):
    """A log's plain bytes, decompressed, of which the first can be looked at beforehand.

    Parameters
    ----------
    source : str, Path or binary file
        As for `open_log`, or a folder of 3GPP measurement files.

    Attributes
    ----------
    name : str
        What the log is called in messages.
    head : bytes
        Its first 64 KiB; they are read again with the rest.
    compression : str
        ``"none"``, ``"gzip"`` or ``"zstd"``.
    parts : tuple of Path
        Of a folder: its files, of which the first is open; else empty.

    Raises
    ------
    CaptureError
        If the log cannot be opened, or is damaged at its start; if it is any other folder.
    """

    def __init__(self, source: str | Path | BinaryIO) -> None:
        is_folder = isinstance(source, str | Path) and os.path.isdir(source)
        self.parts = tuple(folder_parts(cast(str, source))) if is_folder else ()
        self._stream: LogStream = open_log(self.parts[0] if is_folder else source)
        self.name = str(source) if is_folder else self._stream.name
        self.compression = self._stream.compression
        try:
            self.head = self._read_head()
            if is_folder and not is_pm_xml(self.head):
                raise CaptureError(
                    f"{self.name}: is a folder, and {self.parts[0].name} is no file of 3GPP "
                    "measurements; expected a log, or a folder of nothing but these. Name a file."
                )
        except BaseException:
            self._stream.close()
            raise
        self._pending = self.head

    def __str__(self) -> str:
        return self.name

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the compressed data and did not stop the reading."""
        return self._stream.warnings

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, view: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; see `LogStream.readinto`."""
        target = memoryview(view).cast("B")
        if not self._pending:
            return self._stream.readinto(target)
        n = min(len(self._pending), len(target))
        target[:n] = self._pending[:n]
        self._pending = self._pending[n:]
        return n

    def read_all(self, max_bytes: int | None = None) -> bytes:
        """Read the whole log into memory.

        Raises
        ------
        CaptureError
            If it holds more than ``max_bytes`` (256 MiB by default), or is damaged.
        """
        limit = max_bytes or _limit_of_environment() or MAX_TABLE_BYTES
        pieces, n = [], 0
        while piece := self.read(_PIECE_BYTES):
            n += len(piece)
            if n > limit:
                raise CaptureError(
                    f"{self.name}: holds more than {limit >> 20} MiB, expected no more in a log "
                    "that is read into memory. Split it, or raise the limit with --max-bytes."
                )
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the log's file."""
        self._stream.close()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read_head(self) -> bytes:
        head = bytearray(SNIFFED_BYTES)
        n = 0
        while n < len(head):
            got = self._stream.readinto(memoryview(head)[n:])
            if not got:
                break
            n += got
        return bytes(head[:n])


def _limit_of_environment() -> int:
    """Return the limit that was asked for; opening the log has checked it. 0 for none."""
    text = os.environ.get(MAX_BYTES_VARIABLE, "")
    return int(text) if text.isdigit() else 0
