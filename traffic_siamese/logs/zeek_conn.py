"""Connections as Zeek sees them: ``conn.log`` as flows.

References
----------
Zeek documentation, base/protocols/conn/main.zeek: the fields, and the meaning of ``conn_state``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.flows import Flows, protocol_marks
from traffic_siamese.logs.packet_rows import address_keys
from traffic_siamese.logs.told_columns import Texts
from traffic_siamese.logs.told_times import times_of
from traffic_siamese.logs.zeek_log import read_zeek, zeek_path

STATES = (
    "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH",
)  # fmt: skip
_AMOUNTS = {
    "bytes": "orig_ip_bytes",
    "bytes_back": "resp_ip_bytes",
    "packets": "orig_pkts",
    "packets_back": "resp_pkts",
    "payload_bytes": "orig_bytes",
    "payload_bytes_back": "resp_bytes",
    "missed_bytes": "missed_bytes",
}
_WANTED = ("ts", "duration", "proto", "conn_state", "id.orig_h", "id.resp_h", *_AMOUNTS.values())
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
_LONGEST_S = 31 * 86_400.0


def is_zeek_conn(head: bytes) -> bool:
    """Tell whether a file is Zeek's ``conn.log``."""
    return zeek_path(head) == "conn"


def read_zeek_conn(name: str, data: bytes) -> tuple[Flows, list[str]]:
    """Read connections; how each ended is counted where it started.

    Raises
    ------
    CaptureError
        If it holds no connection with a time.
    """
    columns, warnings = read_zeek(name, data, _WANTED)
    if not columns.get("ts"):
        raise CaptureError(f"{name}: holds no connection, expected some. Check the log's time.")
    start_ns, known = times_of(name, columns["ts"], column="ts")
    if not known.all():
        warnings.append(f"{name}: {int((~known).sum())} rows have no time and were left out.")
    columns = {
        key: [text for text, keep in zip(texts, known.tolist(), strict=True) if keep]
        for key, texts in columns.items()
    }
    return _flows(columns, start_ns[known]), warnings


def _flows(columns: Texts, start_ns: NDArray[np.int64]) -> Flows:
    seconds = np.nan_to_num(numbers(columns.get("duration", [])), nan=0.0)
    seconds = np.clip(seconds if len(seconds) else np.zeros(len(start_ns)), 0, _LONGEST_S)
    protocol = np.array([_PROTOCOLS.get(text, 0) for text in columns.get("proto", [])], np.int64)
    states = np.array(columns.get("conn_state", []), np.str_)
    marks = protocol_marks(protocol) if len(protocol) else {}
    marks |= {f"state_{state}": states == state for state in STATES if len(states)}
    return Flows(
        start_ns,
        start_ns + np.rint(seconds * 1e9).astype(np.int64),
        {key: numbers(columns[field]) for key, field in _AMOUNTS.items() if columns.get(field)},
        marks,
        {
            key: address_keys(columns[field])
            for key, field in (("sources", "id.orig_h"), ("targets", "id.resp_h"))
            if columns.get(field)
        },
    )


def numbers(texts: list[str]) -> NDArray[np.float64]:
    """Read numbers, shape (n,); NaN where there is none."""
    out = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        try:
            out[i] = float(text or "nan")
        except ValueError:
            continue
    return np.where(np.isfinite(out), out, np.nan)
