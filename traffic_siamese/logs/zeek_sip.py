"""SIP as Zeek sees it: ``sip.log`` as requests and answers.

A row tells of a request, and of one answer to it; a request with several answers has several rows
of one time. When the answer came is not told: it stands at its request's time, so that delays say
nothing in such a log.

References
----------
Zeek documentation, base/protocols/sip/main.zeek.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from traffic_siamese.captures.reader import CaptureStats
from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.packet_rows import PacketRows, RowPackets
from traffic_siamese.logs.told_columns import Texts
from traffic_siamese.logs.told_messages import ToldSip
from traffic_siamese.logs.told_times import times_of
from traffic_siamese.logs.zeek_conn import numbers
from traffic_siamese.logs.zeek_log import read_zeek, zeek_path

_WANTED = (
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "method", "uri", "call_id",
    "seq", "status_code", "request_body_len", "response_body_len",
)  # fmt: skip
_UDP = 17


def is_zeek_sip(head: bytes) -> bool:
    """Tell whether a file is Zeek's ``sip.log``."""
    return zeek_path(head) == "sip"


def read_zeek_sip(stats: CaptureStats, data: bytes) -> RowPackets:
    """Read requests and answers, each as a packet that holds nothing else.

    Raises
    ------
    CaptureError
        If it holds no row with a time.
    """
    columns, warnings = read_zeek(stats.name, data, _WANTED)
    stats.warnings += warnings
    if not columns.get("ts"):
        raise CaptureError(f"{stats.name}: holds no message, expected some. Check the log's time.")
    time_ns, known = times_of(stats.name, columns["ts"], column="ts")
    if not known.all():
        stats.warnings.append(
            f"{stats.name}: {int((~known).sum())} rows have no time and were left out."
        )
    n = len(time_ns)
    rows = {key: columns.get(key) or [""] * n for key in _WANTED}
    told = [_Row(rows, i, int(time_ns[i])) for i in np.flatnonzero(known).tolist()]
    return RowPackets(stats, _packets(told))


class _Row:
    """One row of the log."""

    def __init__(self, rows: Texts, i: int, time_ns: int) -> None:
        row = {key: texts[i] for key, texts in rows.items()}
        self.time_ns = time_ns
        self.ends = (row["id.orig_h"], row["id.resp_h"])
        self.ports = (_port(row["id.orig_p"]), _port(row["id.resp_p"]))
        self.lengths = numbers([row["request_body_len"], row["response_body_len"]])
        status = int(row["status_code"]) if row["status_code"].isdigit() else 0
        self.status = status if 100 <= status <= 699 else 0
        self.method, self.call_id = row["method"], row["call_id"]
        self.sequence = row["seq"] or row["method"]
        self.user = row["uri"].partition(":")[2].partition("@")[0]
        self.uid = row["uid"]
        self.identity = (row["uid"], row["call_id"], row["seq"], row["method"], time_ns)


def _packets(rows: list[_Row]) -> PacketRows:
    """Write the request of each row that is not another answer to it, and its answer."""
    seen: set[tuple[object, ...]] = set()
    messages: list[tuple[_Row, int, bytes]] = []
    for row in sorted(rows, key=lambda row: row.time_ns):
        told = ToldSip(
            call_id=row.call_id, sequence=row.sequence, branch=row.uid, size=str(row.time_ns)
        )
        if row.method and row.identity not in seen:
            seen.add(row.identity)
            ask = replace(told, method=row.method, user=row.user)
            messages.append((row, 0, ask.wire()))
        if row.status:
            messages.append((row, 1, replace(told, status=row.status).wire()))
    n = len(messages)
    none = np.zeros(n, np.int64)
    lengths = [np.nan_to_num(row.lengths[way]) for row, way, _ in messages]
    return PacketRows(
        time_ns=np.array([row.time_ns for row, _, _ in messages], np.int64),
        wire_bytes=np.array(lengths, np.float64).astype(np.int64),
        source=[row.ends[way] for row, way, _ in messages],
        target=[row.ends[1 - way] for row, way, _ in messages],
        ports=np.array([row.ports[:: 1 - 2 * way] for row, way, _ in messages]).reshape(n, 2),
        protocol=np.full(n, _UDP),
        tcp_flags=none,
        tcp_seq=none,
        icmp_type=none,
        fragment=none,
        payload=[wire for _, _, wire in messages],
        payload_wire_bytes=none,
    )


def _port(text: str) -> int:
    return int(text) & 0xFFFF if text.isascii() and text.isdigit() else 0
