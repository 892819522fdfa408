"""What tshark tells of each packet: ``-T fields -E header=y`` and ``-T ek``.

Where addresses are told, packets become the same features as those of the capture itself, as far
as the fields go; else the log is a table of events.

References
----------
tshark(1), options -T and -E; Wireshark display filter reference: frame, ip, tcp, sip, diameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.told_columns import Texts, header_of, read_texts

FIELDS = (
    "frame.time_epoch", "frame.time", "frame.len",
    "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto", "ipv6.nxt",
    "ip.flags.mf", "ip.frag_offset",
    "udp.srcport", "udp.dstport", "udp.payload", "udp.length",
    "tcp.srcport", "tcp.dstport", "tcp.payload", "tcp.flags", "tcp.seq", "tcp.seq_raw", "tcp.len",
    "tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "sctp.srcport", "sctp.dstport", "icmp.type", "icmpv6.type",
    "sip.Method", "sip.Status-Code", "sip.Call-ID", "sip.CSeq", "sip.CSeq.seq", "sip.CSeq.method",
    "sip.Via.branch", "sip.r-uri.user", "sip.to.user",
    "diameter.cmd.code", "diameter.flags.request", "diameter.applicationId", "diameter.hopbyhopid",
    "diameter.endtoendid", "diameter.Session-Id", "diameter.Result-Code",
    "diameter.Experimental-Result-Code", "diameter.CC-Request-Type",
)  # fmt: skip
"""Fields that are used where they are there."""
_NAME = re.compile(r"_ws\.col\.[\w\s.]+|[a-z0-9_\-]+(\.[A-Za-z0-9_\-]+)+", re.ASCII)
_TIMES = ("frame.time_epoch", "frame.time")
_EK = re.compile(rb'\s*\{\s*"(index"\s*:\s*\{|timestamp"\s*:\s*"\d+"\s*,\s*"layers"\s*:)')
_UNDERSCORED = {field.replace(".", "_"): field for field in FIELDS}


def is_tshark_fields(head: bytes) -> bool:
    """Tell whether the first line names tshark's fields, the time of the frame among them."""
    names, _ = header_of(head)
    return any(time in names for time in _TIMES) and all(_NAME.fullmatch(one) for one in names)


def is_tshark_ek(head: bytes) -> bool:
    """Tell whether a file starts as ``tshark -T ek`` writes it."""
    return bool(_EK.match(head)) and (b'"layers"' in head or b'"packets-' in head)


def read_tshark_fields(name: str, data: bytes) -> tuple[Texts, list[str]]:
    """Read ``-T fields``: every column, as text.

    Raises
    ------
    CaptureError
        As for `read_texts`.
    """
    header = header_of(data[: 1 << 20])
    lines = data.partition(b"\n")[2]
    quoted = lines[:1] == b'"' or b'"' + header[1].encode() in lines[: 1 << 16]
    return read_texts(name, lines, header, quoted=quoted)


def read_tshark_ek(name: str, data: bytes) -> tuple[Texts, list[str]]:
    """Read ``-T ek``, with or without ``-e``: the fields in `FIELDS`.

    Raises
    ------
    CaptureError
        If no line tells of a packet.
    """
    rows: list[dict[str, str]] = []
    n_bad = first_bad = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            layers = value.get("layers")
            if layers is not None:
                rows.append(_epoch(value) | _fields_of(layers))
        except (ValueError, TypeError, AttributeError, RecursionError):
            n_bad += 1
            first_bad = first_bad or number
    if not rows:
        where = f"line {first_bad} is no JSON" if n_bad else "no line has layers"
        raise CaptureError(
            f"{name}: {where}, expected packets as tshark -T ek writes them. Export it again."
        )
    names = [f for f in FIELDS if f == _TIMES[0] or any(f in row for row in rows)]
    columns = {field: [row.get(field, "") for row in rows] for field in names}
    if not n_bad:
        return columns, []
    return columns, [
        f"{name}: {n_bad} lines are no JSON and were left out, first line {first_bad}."
    ]


def _epoch(packet: dict[str, Any]) -> dict[str, str]:
    """Return the packet's time to the millisecond, for want of a better field."""
    told = str(packet.get("timestamp", ""))
    return {"frame.time_epoch": f"{told[:-3]}.{told[-3:]}"} if told[:-3].isdigit() else {}


def _fields_of(layers: dict[str, Any]) -> dict[str, str]:
    """Return the fields in `FIELDS`: each of a list of values separated by commas."""
    found: dict[str, list[str]] = {}
    for key, value in layers.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                for inner, text in part.items():
                    _take(found, inner.removeprefix(f"{key}_"), text)
            else:
                _take(found, key, part)
    return {field: ",".join(texts) for field, texts in found.items()}


def _take(found: dict[str, list[str]], key: str, value: Any) -> None:
    field = _UNDERSCORED.get(key)
    if field is None:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str | int | float):
            found.setdefault(field, []).append(str(int(one)) if isinstance(one, bool) else str(one))


def split_values(text: str) -> list[str]:
    """Return the values of a field that occurs several times in a packet."""
    return text.split(",") if text else []


def merged(columns: Texts, names: Iterable[str], n: int) -> list[str]:
    """Return, for each packet, the first of some fields that has a value."""
    there = [columns[one] for one in names if one in columns]
    if not there:
        return [""] * n
    return [next(filter(None, texts), "") for texts in zip(*there, strict=True)]
