"""Rows as CSV, JSON lines and Parquet say the same."""

from __future__ import annotations

import csv
import json
import math
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.tables import (
    INCIDENT_COLUMNS,
    VERDICT_COLUMNS,
    Column,
    incident_rows,
    open_table,
    series_columns,
    series_rows,
    table_format,
    verdict_rows,
)
from traffic_siamese.types import Incident, TrafficLog, TrafficSeries, Verdict

START_NS = 1_795_328_363_426_999_999
START = "2026-11-22T06:19:23.426Z"
VERDICT = Verdict(
    'A/Größe "1".pcap', START_NS, START_NS + 10**9, "blocked", 0.123456789, 0.5,
    "", math.inf, 0.1, 0.2, math.nan, "bytes 1 -> 0, or less", 0.02, True,
)  # fmt: skip
INCIDENT = Incident("a.pcap", START_NS, START_NS + 10**9, "unknown", 0.25, 3, "")


def _write(path: Path, times: int = 1) -> Path:
    with open_table(str(path), VERDICT_COLUMNS) as table:
        for _ in range(times):
            table.write(verdict_rows([VERDICT]))
    return path


def test_the_columns_are_those_promised() -> None:
    verdict = (
        "capture start end label distance confidence second_label second_distance x y z reason "
        "p_value ambiguous normal_distance"
    )
    assert [c.name for c in VERDICT_COLUMNS] == verdict.split()
    incident = "capture start end label confidence windows reason second_label normal_per_day"
    assert [c.name for c in INCIDENT_COLUMNS] == incident.split()


def test_csv_holds_text_times_and_seven_digits(tmp_path: Path) -> None:
    """What is not finite is an empty cell; quotes and commas come back."""
    with _write(tmp_path / "v.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["capture"] == VERDICT.capture
    assert row["reason"] == VERDICT.reason
    assert row["start"] == START
    assert row["distance"] == "0.1234568"
    assert row["second_distance"] == row["z"] == row["normal_distance"] == ""
    assert (row["p_value"], row["ambiguous"]) == ("0.02", "true")


def test_json_lines_hold_nulls(tmp_path: Path) -> None:
    row = json.loads(_write(tmp_path / "v.jsonl").read_text(encoding="utf-8"))
    assert list(row) == [column.name for column in VERDICT_COLUMNS]
    assert row["z"] is None
    assert row["second_distance"] is None
    assert row["confidence"] == 0.5
    assert row["ambiguous"] is True
    assert row["start"] == START


def test_parquet_holds_timestamps_and_nulls(tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(_write(tmp_path / "v.parquet", times=2))
    assert str(table.schema.field("start").type) == "timestamp[ms, tz=UTC]"
    first = table.to_pylist()[0]
    assert table.num_rows == 2
    assert first["start"] == datetime(2026, 11, 22, 6, 19, 23, 426_000, tzinfo=UTC)
    assert first["z"] is None
    assert first["ambiguous"] is True
    assert first["distance"] == pytest.approx(0.1234568)
    assert first["capture"] == VERDICT.capture


def test_a_parquet_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    with open_table(str(tmp_path / "i.parquet"), INCIDENT_COLUMNS):
        pass
    table = pyarrow.parquet.read_table(tmp_path / "i.parquet")
    assert table.column_names == [column.name for column in INCIDENT_COLUMNS]


def test_parquet_is_readable_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "i.parquet"
    table = open_table(str(path), INCIDENT_COLUMNS)
    with suppress(KeyboardInterrupt), table:
        table.write(incident_rows([INCIDENT]))
        raise KeyboardInterrupt
    assert pyarrow.parquet.read_table(path).num_rows == 1


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl"])
def test_rows_are_on_the_disk_before_the_table_is_closed(tmp_path: Path, name: str) -> None:
    table = open_table(str(tmp_path / name), INCIDENT_COLUMNS)
    table.write(incident_rows([INCIDENT]))
    assert "unknown" in (tmp_path / name).read_text()
    table.close()


def test_a_name_of_bytes_that_are_no_text_can_be_written(tmp_path: Path) -> None:
    """A Linux file name may hold any bytes; Python hands them over as lone surrogates."""
    for suffix in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"t.{suffix}"
        with open_table(str(path), (Column("capture", "text"),)) as table:
            table.write([("caf\udce9.pcap",)])
        assert b"caf\\udce9.pcap" in path.read_bytes().replace(b"\\\\", b"\\")


def test_series_become_one_row_per_bin() -> None:
    """Two stretches with a gap: four rows, no row in the gap."""
    values = np.array([[1.5, 2], [3, 4]], np.float32)
    names = ("packets", "bytes")
    later = START_NS + 3600 * 10**9
    log = TrafficLog(
        "a", tuple(TrafficSeries(values, start, 1.0, names) for start in (START_NS, later)), 9
    )
    rows = [row for batch in series_rows(log) for row in batch]
    assert [column.name for column in series_columns(log)] == ["time", "packets", "bytes"]
    assert rows == [
        (start + second * 10**9, *values[second].tolist())
        for start in (START_NS, later)
        for second in (0, 1)
    ]


def test_a_large_series_comes_in_order() -> None:
    values = np.arange(45_000, dtype=np.float32)[:, None]
    log = TrafficLog("a", (TrafficSeries(values, 0, 0.1, ("n",)),), 9)
    rows = [row for batch in series_rows(log) for row in batch]
    assert [row[1] for row in rows] == values[:, 0].tolist()
    assert [row[0] for row in rows] == [i * 10**8 for i in range(45_000)]


@pytest.mark.parametrize("target", ["x.txt", "x", "x.csv.gz", ""])
def test_another_ending_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"expected \.csv, \.jsonl, \.parquet"):
        table_format(target)


def test_endings_may_be_capitals() -> None:
    assert table_format("X.CSV") == ".csv"


@pytest.mark.parametrize("name", ["v.csv", "v.parquet"])
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrafficSiameseError, match=f"{name}: cannot be written"):
        open_table(str(tmp_path / "none" / name), VERDICT_COLUMNS)
