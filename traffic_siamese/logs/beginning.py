"""When a traffic log begins."""

from __future__ import annotations

from pathlib import Path

from traffic_siamese.captures.reader import read_packets
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.reading import read_logs, reader_of


def first_moment_ns(source: str | Path) -> int:
    """Return when a log starts, nanoseconds since the epoch; of a capture reads only its head.

    Raises
    ------
    CaptureError
        If it cannot be read, or holds nothing.
    """
    path = str(source)
    if "#" not in path or Path(path).exists():
        with OpenLog(source) as log:
            is_capture = reader_of(log.head) is None
        if is_capture:
            return _first_packet_ns(source)
    return min(log.series[0].start_ns for log in read_logs(source))


def _first_packet_ns(source: str | Path) -> int:
    with read_packets(source) as reader:
        for _ in reader:
            return reader.stats.first_ns
    raise CaptureError(f"{source}: holds no packets, expected at least one. Record it again.")
