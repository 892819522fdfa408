"""Logs of other tools: from an open log to tables, or to series where it tells of signalling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from traffic_siamese.captures.reader import CaptureStats
from traffic_siamese.features.series import series_of_packets
from traffic_siamese.logs.flows import Flows, flow_table
from traffic_siamese.logs.netflow_capture import read_netflow_capture
from traffic_siamese.logs.nfdump import read_nfdump
from traffic_siamese.logs.opening import OpenLog
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.pm_folder import read_pm_folder
from traffic_siamese.logs.pm_xml import read_pm_xml
from traffic_siamese.logs.prometheus import read_prometheus
from traffic_siamese.logs.table import CounterTable
from traffic_siamese.logs.told_columns import Texts
from traffic_siamese.logs.tshark import read_tshark_ek, read_tshark_fields
from traffic_siamese.logs.tshark_events import event_table
from traffic_siamese.logs.tshark_packets import has_packets, has_signalling, packets_of
from traffic_siamese.logs.zeek_conn import read_zeek_conn
from traffic_siamese.logs.zeek_sip import read_zeek_sip
from traffic_siamese.types import TrafficLog

Found = Sequence[CounterTable] | TrafficLog
_BIN_S = 1.0


def read_tshark_fields_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read ``tshark -T fields``.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    columns, warnings = read_tshark_fields(log.name, log.read_all(options.max_bytes))
    return _tshark(log, columns, warnings, options)


def read_tshark_ek_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read ``tshark -T ek``.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    columns, warnings = read_tshark_ek(log.name, log.read_all(options.max_bytes))
    return _tshark(log, columns, warnings, options)


def _tshark(log: OpenLog, columns: Texts, warnings: list[str], options: ReadOptions) -> Found:
    if not (has_packets(columns) and has_signalling(columns)):
        return [event_table(log.name, columns, warnings)]
    stats = CaptureStats(log.name, format="tshark", compression=log.compression, warnings=warnings)
    return series_of_packets(packets_of(stats, columns), bin_s=options.bin_s or _BIN_S)


def read_zeek_sip_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read Zeek's ``sip.log``.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    stats = CaptureStats(log.name, format="Zeek sip.log", compression=log.compression)
    packets = read_zeek_sip(stats, log.read_all(options.max_bytes))
    return series_of_packets(packets, bin_s=options.bin_s or _BIN_S)


def read_zeek_conn_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read Zeek's ``conn.log``.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    return _flows(log, read_zeek_conn(log.name, log.read_all(options.max_bytes)), options)


def read_nfdump_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read ``nfdump -o csv``.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    data = log.read_all(options.max_bytes)
    return _flows(log, read_nfdump(log.name, data, timezone=options.timezone), options)


def _flows(log: OpenLog, found: tuple[Flows, list[str]], options: ReadOptions) -> Found:
    flows, warnings = found
    bin_s = options.bin_s or _BIN_S
    return [flow_table(log.name, flows, bin_s=bin_s, warnings=tuple(warnings))]


def read_netflow_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read a capture of NetFlow or IPFIX.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    tables, _ = read_netflow_capture(log, bin_s=options.bin_s or _BIN_S)  # type: ignore[arg-type]
    return tables


def read_prometheus_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read an answer of Prometheus to a range query.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    text = log.read_all(options.max_bytes).decode("utf-8", "replace")
    return read_prometheus(log.name, text.removeprefix("\ufeff"))


def read_pm_log(log: OpenLog, options: ReadOptions) -> Found:
    """Read a file of 3GPP performance measurements, or a folder of them.

    Raises
    ------
    CaptureError
        If it cannot be read.
    """
    if log.parts:
        tables, warnings = read_pm_folder(log.name, log.parts, options.max_bytes)
    else:
        tables, warnings = read_pm_xml(log.name, [log.read_all(options.max_bytes)])
    return [replace(tables[0], warnings=tuple(warnings)), *tables[1:]]
