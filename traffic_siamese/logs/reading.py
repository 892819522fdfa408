"""One call for every kind of traffic log: the content decides what reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from traffic_siamese.errors import CaptureError
from traffic_siamese.features.series import read_series
from traffic_siamese.logs.delimited import is_delimited, read_delimited
from traffic_siamese.logs.json_lines import is_json_lines, read_json_lines
from traffic_siamese.logs.netflow_capture import is_netflow_capture
from traffic_siamese.logs.nfdump import is_nfdump
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.parquet import is_parquet, read_parquet
from traffic_siamese.logs.pm_xml import is_pm_xml
from traffic_siamese.logs.prometheus import is_prometheus
from traffic_siamese.logs.series import table_logs
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.logs.tools import (
    read_netflow_log,
    read_nfdump_log,
    read_pm_log,
    read_prometheus_log,
    read_tshark_ek_log,
    read_tshark_fields_log,
    read_zeek_conn_log,
    read_zeek_sip_log,
)
from traffic_siamese.logs.tshark import is_tshark_ek, is_tshark_fields
from traffic_siamese.logs.zeek_conn import is_zeek_conn
from traffic_siamese.logs.zeek_sip import is_zeek_sip
from traffic_siamese.types import TrafficLog

ReadTables = Callable[[OpenLog, ReadOptions], "Sequence[CounterTable] | TrafficLog"]
_CAPTURE_MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_DEFAULT_BIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Reader:
    """One format of logs.

    Attributes
    ----------
    name : str
        The format, as `inspect` calls it.
    sniff : callable
        From the first 64 KiB of the decompressed log to whether it is of this format.
    read : callable
        From the open log and the options to its tables, or, where the log holds signalling, to
        its series. Raises CaptureError in one line where it cannot.
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: ReadTables


READERS: list[Reader] = [
    Reader("Parquet", is_parquet, read_parquet),
    Reader("3GPP PM XML", is_pm_xml, read_pm_log),
    Reader("Prometheus query_range JSON", is_prometheus, read_prometheus_log),
    Reader("Zeek conn.log", is_zeek_conn, read_zeek_conn_log),
    Reader("Zeek sip.log", is_zeek_sip, read_zeek_sip_log),
    Reader("tshark -T ek", is_tshark_ek, read_tshark_ek_log),
    Reader("tshark -T fields", is_tshark_fields, read_tshark_fields_log),
    Reader("nfdump CSV", is_nfdump, read_nfdump_log),
    # Readers of other tools' logs stand above; those of plain tables take any table.
    Reader("JSON Lines", is_json_lines, read_json_lines),
    Reader("CSV", is_delimited, read_delimited),
]
"""Asked in this order."""
_FLOW_EXPORTS = Reader("capture of NetFlow or IPFIX", is_netflow_capture, read_netflow_log)


def read_logs(
    source: str | Path | BinaryIO,
    *,
    bin_s: float | None = None,
    options: ReadOptions | None = None,
) -> tuple[TrafficLog, ...]:
    """Read a traffic log of any kind into series.

    Parameters
    ----------
    source : str, Path or binary file
        A capture, a table or another tool's log, plain, gzip or zstd; ``-`` reads standard input.
        ``FILE#ELEMENT`` asks for one network element of a table.
    bin_s : float, > 0, optional
        Length of a bin in seconds: 1 s for captures by default, and a table's own granularity.
    options : ReadOptions, optional
        What is known about a table.

    Returns
    -------
    tuple of TrafficLog
        One for each network element, named ``FILE#ELEMENT`` where there are several.

    Raises
    ------
    CaptureError
        If it cannot be read, or holds nothing to measure.
    """
    options = replace(options or ReadOptions(), bin_s=bin_s)
    source, element = _split_element(source)
    with OpenLog(source) as log:
        reader = reader_of(log.head)
        if reader is None:
            return (_read_capture(source, log, bin_s),)
        found = reader.read(log, options)
        warnings = tuple(log.warnings)
    if isinstance(found, TrafficLog):
        return (replace(found, warnings=(*warnings, *found.warnings)),)
    tables = [table for table in found if not element or table.element == element]
    if not tables:
        raise _no_element(str(source), element, [table.element for table in found])
    logs = table_logs(tables, bin_s=bin_s)
    return tuple(_as_asked(one, options, warnings) for one in logs)


def read_log(
    source: str | Path | BinaryIO,
    *,
    bin_s: float | None = None,
    options: ReadOptions | None = None,
) -> TrafficLog:
    """Read a traffic log that holds one network element; see `read_logs`.

    Raises
    ------
    CaptureError
        If it cannot be read, or holds several elements.
    """
    logs = read_logs(source, bin_s=bin_s, options=options)
    if len(logs) > 1:
        names = ", ".join(log.name for log in logs[:5])
        raise CaptureError(
            f"{source}: holds {len(logs)} network elements, expected one here. Name it: {names}"
            f"{', …' if len(logs) > 5 else ''}."
        )
    return logs[0]


def reader_of(head: bytes) -> Reader | None:
    """Return what reads a log that starts like this; None for captures and what nothing reads."""
    if head.startswith(_CAPTURE_MAGICS):
        return _FLOW_EXPORTS if is_netflow_capture(head) else None
    return next((reader for reader in READERS if reader.sniff(head)), None)


def _read_capture(source: str | Path | BinaryIO, log: OpenLog, bin_s: float | None) -> TrafficLog:
    bin_s = _DEFAULT_BIN_S if bin_s is None else bin_s
    if isinstance(source, str | Path) and Path(source).is_file():
        return read_series(source, bin_s=bin_s)
    read = read_series(cast(Any, log), bin_s=bin_s)  # a pipe cannot be opened twice
    return replace(read, warnings=(*log.warnings, *read.warnings))


def _as_asked(log: TrafficLog, options: ReadOptions, warnings: tuple[str, ...]) -> TrafficLog:
    """Let the log's schema remember how it was read."""
    schema = log.schema and replace(
        log.schema,
        by=options.by,
        time=options.time,
        timezone=options.timezone,
        alike=options.alike,
        relations=options.relations,
    )
    return replace(log, schema=schema, warnings=(*warnings, *log.warnings))


def _split_element(source: str | Path | BinaryIO) -> tuple[str | Path | BinaryIO, str]:
    if not isinstance(source, str | Path) or "#" not in str(source) or Path(source).exists():
        return source, ""
    file, _, element = str(source).rpartition("#")
    return (file, element) if Path(file).exists() else (source, "")


def _no_element(name: str, element: str, there: list[str]) -> CaptureError:
    names = ", ".join(repr(one) for one in dict.fromkeys(there)) or "nothing"
    if not element:
        return CaptureError(f"{name}: holds no rows with numbers, expected some. Check the export.")
    return CaptureError(
        f"{name}: has no network element {element!r}; it holds {names[:300]}. "
        "Name one of these, and the column that tells them apart with --by."
    )
