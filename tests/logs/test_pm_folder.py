"""Folders of 3GPP files, one for each period: joined, with gaps; and what is no such folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Invoke
from tests.logs.test_pm_xml import classic, info, value
from traffic_siamese.cli.sources import find_logs
from traffic_siamese.errors import CaptureError
from traffic_siamese.labelled_reading import read_named_logs
from traffic_siamese.logs.pm_folder import is_pm_folder
from traffic_siamese.logs.reading import read_logs

NAME = "RRC.ConnEstabAtt"


def clock(quarter: int) -> str:
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


def write(folder: Path, quarters: Sequence[int], *, suspect: Sequence[int] = ()) -> Path:
    """Write a file for each quarter of an hour: cell 1 counts 100 + quarter, cell 2 its double."""
    folder.mkdir(exist_ok=True)
    for n in quarters:
        values = (
            value(1, str(100 + n), "2.5", suspect=n in suspect), value(2, str(200 + 2 * n), "1.0"),
        )  # fmt: skip
        text = classic(info(f"2026-01-31T{clock(n + 1)}:00Z", *values))
        start, end = (clock(at).replace(":", "") for at in (n, n + 1))
        (folder / f"A20260131.{start}-{end}_ME1.xml").write_text(text)
    return folder


def test_each_element_is_one_series_over_all_files(tmp_path: Path) -> None:
    one, two = read_logs(write(tmp_path / "pm", range(20)))
    assert (one.name, two.name) == (f"{tmp_path}/pm#Cell=1", f"{tmp_path}/pm#Cell=2")
    for log, expected in ((one, 100 + np.arange(20)), (two, 200 + 2 * np.arange(20))):
        (series,) = log.series
        assert series.bin_s == 900
        assert series.start_ns == 1_769_817_600 * 10**9  # 2026-01-31T00:00Z
        assert series.values[:, series.feature_names.index(NAME)].tolist() == expected.tolist()
        assert not log.warnings


def test_a_file_that_is_not_there_is_a_gap_and_not_half_the_traffic(tmp_path: Path) -> None:
    one, _ = read_logs(write(tmp_path / "pm", [n for n in range(12) if n not in (5, 8, 9)]))
    lengths = [len(series.values) for series in one.series]
    counted = np.concatenate([series.values[:, 0] for series in one.series])
    assert lengths == [5, 2, 2]
    assert counted.tolist() == [100, 101, 102, 103, 104, 106, 107, 110, 111]


def test_a_suspect_period_is_a_gap_of_its_object_alone(tmp_path: Path) -> None:
    one, two = read_logs(write(tmp_path / "pm", range(8), suspect=[3]))
    assert [len(series.values) for series in one.series] == [3, 4]
    assert [len(series.values) for series in two.series] == [8]
    assert "4 of 64 values are suspect" in one.warnings[0]


def test_a_file_sent_again_counts_once_and_the_later_one_counts(tmp_path: Path) -> None:
    """Names end in a running count (TS 32.432 annex A): ``_ME1_-_2`` comes after ``_ME1``."""
    folder = write(tmp_path / "pm", range(6))
    again = classic(info("2026-01-31T00:45:00Z", value(1, "555", "2.5"), value(2, "204", "1.0")))
    (folder / "A20260131.0030-0045_ME1_-_2.xml.gz").write_bytes(gzip.compress(again.encode()))
    one, two = read_logs(folder)
    assert one.series[0].values[:, 0].tolist() == [100, 101, 555, 103, 104, 105]
    assert two.series[0].values[:, 0].tolist() == [200, 202, 204, 206, 208, 210]
    assert "1 values are told differently by a later file" in one.warnings[0]


def test_an_hour_over_quarters_that_are_there_is_left_out(tmp_path: Path) -> None:
    """The quarters from 00:00 to 01:30 and the hour 01:00 to 02:00: of it nothing is added."""
    folder = write(tmp_path / "pm", range(6))
    hour = classic(info("2026-01-31T02:00:00Z", value(1, "9999", "1"))).replace("PT900S", "PT1H")
    (folder / "A20260131.0100-0200_ME1.xml").write_text(hour)
    one, _ = read_logs(folder)
    assert one.series[0].values[:, 0].tolist() == [100, 101, 102, 103, 104, 105]
    assert "1 periods overlap others" in one.warnings[0]


def test_files_of_several_network_elements_are_told_apart(tmp_path: Path) -> None:
    folder = write(tmp_path / "pm", range(4))
    for path in list(folder.iterdir()):
        text = path.read_text().replace("ME=1", "ME=2").replace('<r p="1">1', '<r p="1">7')
        (folder / path.name.replace("ME1", "ME2")).write_text(text)
    logs = {log.name.split("#")[1]: log for log in read_logs(folder)}
    assert set(logs) == {f"ME={me},Cell={cell}" for me in (1, 2) for cell in (1, 2)}
    assert logs["ME=1,Cell=1"].series[0].values[:, 0].tolist() == [100, 101, 102, 103]
    assert logs["ME=2,Cell=1"].series[0].values[:, 0].tolist() == [700, 701, 702, 703]


def test_a_damaged_file_is_told_and_is_a_gap(tmp_path: Path) -> None:
    folder = write(tmp_path / "pm", range(6))
    broken = folder / "A20260131.0030-0045_ME1.xml"
    broken.write_text(broken.read_text()[:-40])
    one, _ = read_logs(folder)
    assert [len(series.values) for series in one.series] == [2, 3]
    assert one.warnings[0].startswith(f"{broken}:1: is no well-formed XML")
    for path in folder.iterdir():
        path.write_text(path.read_text()[:-40])
    with pytest.raises(CaptureError, match=r"A20260131\.0000-0015_ME1\.xml:1: is no well-formed"):
        read_logs(folder)


def test_too_much_in_all_files_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traffic_siamese.logs.pm_folder.MAX_TABLE_BYTES", 3000)
    with pytest.raises(CaptureError, match=r"its files hold more than 0 MiB.*--max-bytes"):
        read_logs(write(tmp_path / "pm", range(12)))


def test_a_folder_of_nothing_but_such_files_is_one_log(tmp_path: Path) -> None:
    """Where other files stand beside, each file is a log; a labels file and notes do not count."""
    day = write(tmp_path / "day-1", range(3))
    mixed = write(tmp_path / "mixed", range(2))
    (day / "labels.csv").write_text("capture,start,end,label\n")
    (mixed / "a.pcap").write_bytes(b"")
    alone = write(tmp_path / "alone", [0])
    other = tmp_path / "other"
    other.mkdir()
    for name in ("1.xml", "2.xml"):
        (other / name).write_text("<html></html>")
    assert [is_pm_folder(one) for one in (day, mixed, alone, other)] == [True, False, False, False]
    logs = {str(Path(one).relative_to(tmp_path)) for one in find_logs([str(tmp_path)]).logs}
    assert {one for one in logs if "/" not in one} == {"day-1"}
    assert len([one for one in logs if one.startswith("mixed/")]) == 3
    with pytest.raises(CaptureError, match=r"other: is a folder, and 1\.xml is no file of 3GPP"):
        read_logs(other)
    with pytest.raises(CaptureError, match=r"mixed: is a folder and holds a\.pcap, expected a log"):
        read_logs(mixed)


def test_labels_name_the_folder_and_its_elements(tmp_path: Path) -> None:
    write(tmp_path / "day-1", range(5))
    logs, problems = read_named_logs(tmp_path, ["day-1#Cell=1", "day-1#Cell=2"], bin_s=900)
    assert not problems
    assert set(logs) == {"day-1#Cell=1", "day-1#Cell=2"}
    assert logs["day-1#Cell=2"].series[0].values[:, 0].tolist() == [200, 202, 204, 206, 208]


def test_inspect_and_features_take_a_folder(invoke: Invoke, tmp_path: Path) -> None:
    folder = write(tmp_path / "pm", range(8))
    told = json.loads(invoke("inspect", folder, "--json", code=None).stdout)
    assert told["format"] == "3GPP PM XML"
    lines = invoke("features", folder).stdout.splitlines()
    assert len(lines) == 1 + 2 * 8
