"""Read a capture to plain rows, as the tests compare them."""

from __future__ import annotations

import io
from dataclasses import fields

from tests.captures.slow_cursor import Row
from tests.captures.slow_decoder import decode
from traffic_siamese.captures.packets import PacketChunk
from traffic_siamese.captures.reader import CaptureStats, PacketReader, read_packets
from traffic_siamese.errors import CaptureError

COLUMNS = [field.name for field in fields(Row)]


def chunk_rows(chunk: PacketChunk) -> list[Row]:
    """Turn a chunk into rows, with payload offsets counted from the frame's start."""
    columns = {name: getattr(chunk, name).tolist() for name in COLUMNS}
    starts = chunk.offset.tolist()
    columns["payload_offset"] = [
        at - start for at, start in zip(columns["payload_offset"], starts, strict=True)
    ]
    return [Row(*values) for values in zip(*columns.values(), strict=True)]


def frames(chunk: PacketChunk) -> list[bytes]:
    """Return the captured bytes of each packet."""
    places = zip(chunk.offset.tolist(), chunk.captured_bytes.tolist(), strict=True)
    return [chunk.data[at : at + n].tobytes() for at, n in places]


def drain(reader: PacketReader) -> tuple[list[Row], list[bytes], str]:
    """Return all rows, all frames, and the text of the error that ended the reading, if any."""
    rows: list[Row] = []
    data: list[bytes] = []
    try:
        for chunk in reader:
            rows += chunk_rows(chunk)
            data += frames(chunk)
    except CaptureError as err:
        return rows, data, str(err)
    return rows, data, ""


def read_rows(capture: bytes, *, chunk_bytes: int = 1 << 16) -> tuple[list[Row], CaptureStats]:
    """Read a sound capture; raises what the reader raises."""
    reader = read_packets(io.BytesIO(capture), chunk_bytes=chunk_bytes)
    rows = [row for chunk in reader for row in chunk_rows(chunk)]
    return rows, reader.stats


def read_until_error(
    capture: bytes, *, chunk_bytes: int = 1 << 16
) -> tuple[list[bytes], CaptureStats | None, str]:
    """Read a possibly damaged capture: frames, stats (None: not opened), error text or empty."""
    try:
        reader = read_packets(io.BytesIO(capture), chunk_bytes=chunk_bytes)
    except CaptureError as err:
        return [], None, str(err)
    _, data, error = drain(reader)
    return data, reader.stats, error


def check_frame(row: Row, frame: bytes) -> None:
    """Compare a row with what the slow decoder makes of its frame."""
    assert row == decode(frame, row.wire_bytes, row.link_type, row.time_ns)
