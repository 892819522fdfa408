"""Flows as nfdump writes them: ``-o csv`` of versions 1.6 (48 columns) and 1.7, and csv-fast.

References
----------
nfdump(1), "OUTPUT FORMATS"; the header line names the columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.flows import ACK, FIN, RST, SYN, Flows, protocol_marks, tcp_marks
from traffic_siamese.logs.packet_rows import address_keys
from traffic_siamese.logs.time_column import times_of_texts
from traffic_siamese.logs.told_columns import Texts, header_of, read_texts

_OLD = frozenset({"ts", "te", "td", "sa", "da", "ipkt", "ibyt"})
_NEW = frozenset({"firstSeen", "packets", "bytes"})
_WANTED = (
    "ts", "te", "td", "sa", "da", "pr", "flg", "ipkt", "ibyt", "opkt", "obyt",
    "firstSeen", "lastSeen", "duration", "srcAddr", "dstAddr", "proto", "flags",
    "packets", "bytes", "inPackets", "inBytes", "outPackets", "outBytes", "flows",
)  # fmt: skip
_NUMBERS = {"ICMP": 1, "IGMP": 2, "TCP": 6, "UDP": 17, "GRE": 47, "ICMP6": 58, "SCTP": 132}
_DURATION = re.compile(r"(?:(\d+)\s+days?\s+)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}", re.ASCII)
_TCP_FLAGS = {"F": FIN, "S": SYN, "R": RST, "A": ACK}
_LONGEST_S = 31 * 86_400


def is_nfdump(head: bytes) -> bool:
    """Tell whether the first line is nfdump's header of flow records."""
    names, separator = header_of(head, ",")
    is_new = set(names) >= _NEW and {"lastSeen", "duration"} & set(names)
    return separator == "," and (bool(is_new) or set(names) >= _OLD)


def read_nfdump(name: str, data: bytes, *, timezone: str = "UTC") -> tuple[Flows, list[str]]:
    """Read flow records.

    Parameters
    ----------
    name : str
        The log's name in messages.
    data : bytes
        The whole log.
    timezone : str
        Zone of its times: nfdump writes local time, without an offset.

    Returns
    -------
    flows : Flows
    warnings : list of str

    Raises
    ------
    CaptureError
        If no line is a flow.
    """
    head, _, lines = data.partition(b"\n")
    lines = lines.partition(b"\nSummary")[0]
    columns, warnings = read_texts(name, lines, header_of(head, ","), wanted=_WANTED, quoted=False)
    columns = {key: [text.strip() for text in texts] for key, texts in columns.items()}
    starts = columns.get("ts") or columns.get("firstSeen") or []
    keep = [i for i, text in enumerate(starts) if text[:1].isdigit()]
    if not keep:
        raise CaptureError(
            f"{name}: holds no flow, expected some. Check nfdump's filter and times."
        )
    if len(keep) < len(starts):
        warnings.append(f"{name}: {len(starts) - len(keep)} lines are no flows and were left out.")
        columns = {key: [texts[i] for i in keep] for key, texts in columns.items()}
    return _flows(name, columns, timezone), warnings


def _flows(name: str, columns: Texts, timezone: str) -> Flows:
    start_ns = _times(name, columns, ("ts", "firstSeen"), timezone)
    n = len(start_ns)
    if "te" in columns or "lastSeen" in columns:
        end_ns = _times(name, columns, ("te", "lastSeen"), timezone)
    else:
        end_ns = start_ns
    if "td" in columns or "duration" in columns:  # exact to the millisecond, where times are not
        seconds = [_duration_s(text) for text in _column(columns, ("td", "duration"), n)]
        told_ns = np.rint(np.array(seconds) * 1e9)
        end_ns = np.where(np.isfinite(told_ns), start_ns + np.nan_to_num(told_ns), end_ns)
    protocol = np.array([_protocol(text) for text in _column(columns, ("pr", "proto"), n)])
    flags = np.array([_flag_bits(text) for text in _column(columns, ("flg", "flags"), n)])
    amounts = {
        "bytes": _amount(columns, ("ibyt", "bytes", "inBytes"), n),
        "packets": _amount(columns, ("ipkt", "packets", "inPackets"), n),
    }
    if any(back in columns for back in ("obyt", "outBytes")):
        amounts["bytes_back"] = _amount(columns, ("obyt", "outBytes"), n)
        amounts["packets_back"] = _amount(columns, ("opkt", "outPackets"), n)
    marks = protocol_marks(protocol)
    if "flg" in columns or "flags" in columns:
        marks |= tcp_marks(flags, protocol)
    sources, targets = (
        _column(columns, names, n) for names in (("sa", "srcAddr"), ("da", "dstAddr"))
    )
    ends = {"sources": address_keys(sources), "targets": address_keys(targets)}
    longest_ns = _LONGEST_S * 10**9
    end_ns = np.clip(end_ns, start_ns, start_ns + longest_ns).astype(np.int64)
    return Flows(start_ns, end_ns, amounts, marks, ends)


def _column(columns: Texts, names: Sequence[str], n: int) -> list[str]:
    return next((columns[name] for name in names if name in columns), [""] * n)


def _times(name: str, columns: Texts, names: Sequence[str], timezone: str) -> NDArray[np.int64]:
    key = next(one for one in names if one in columns)
    texts = columns[key]
    if all(_EPOCH.fullmatch(text) for text in texts):
        numbers = [
            (int(t) * 10**6 if len(t) > 11 and "." not in t else _seconds_ns(t)) for t in texts
        ]
        return np.array(numbers, np.int64)
    try:
        return times_of_texts(texts, ZoneInfo(timezone))
    except (ValueError, OverflowError) as err:
        raise CaptureError(
            f"{name}: column {key}: {err.args[0]}; expected nfdump's times, such as "
            "2026-01-31 14:15:00.123. Export it again."
        ) from err


def _seconds_ns(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0")[:9])


def _duration_s(text: str) -> float:
    """Read seconds, or days, hours, minutes and seconds; NaN where it is neither."""
    if found := _DURATION.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _amount(columns: Texts, names: Sequence[str], n: int) -> NDArray[np.float64]:
    """Read counts; nfdump scales large ones where it was not told -N: ``12.3 M``."""
    scale = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

    def number(text: str) -> float:
        factor = scale.get(text[-1:].upper(), 1.0)
        try:
            value = float(text[:-1] if factor > 1 else text) * factor
        except ValueError:
            return float("nan")
        return value if np.isfinite(value) else float("nan")

    return np.array([number(text) for text in _column(columns, names, n)], np.float64)


def _protocol(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else _NUMBERS.get(text.upper(), 0)


def _flag_bits(text: str) -> int:
    return sum(bit for letter, bit in _TCP_FLAGS.items() if letter in text)
