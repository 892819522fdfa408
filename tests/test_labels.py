"""``labels.csv``: what is read, and what is told about a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_siamese.errors import LabelError
from traffic_siamese.labels import network_of, read_labels
from traffic_siamese.times import parse_time
from traffic_siamese.types import LabelledInterval

HEAD = "capture,start,end,label\n"
T = "2026-11-22T06:{:02d}:00Z"
ROW = f"A/x.pcap,{T.format(1)},{T.format(2)},blocked\n"


def _labels(tmp_path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_row_becomes_an_interval(tmp_path: Path) -> None:
    start, end = (parse_time(T.format(minute)) for minute in (1, 2))
    expected = LabelledInterval("A/x.pcap", start, end, "blocked", "A")
    assert read_labels(_labels(tmp_path, HEAD + ROW)) == (expected,)


def test_columns_may_come_in_any_order_with_more_beside(tmp_path: Path) -> None:
    text = f"label,note,end,start,capture\nblocked,hm,{T.format(2)},{T.format(1)},A/x.pcap\n"
    assert read_labels(_labels(tmp_path, text)) == read_labels(_labels(tmp_path, HEAD + ROW))


def test_a_spreadsheets_byte_order_mark_and_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = (HEAD + ROW).replace("\n", "\r\n")
    expected = read_labels(_labels(tmp_path, HEAD + ROW))
    assert read_labels(_labels(tmp_path, text, encoding="utf-8-sig")) == expected


def test_a_column_names_the_network(tmp_path: Path) -> None:
    """An empty cell falls back to the folder."""
    row = f"{T.format(1)},{T.format(2)},blocked"
    text = f"capture,start,end,label,network\nA/x,{row},north\nA/y,{row},\n"
    networks = [interval.network for interval in read_labels(_labels(tmp_path, text))]
    assert networks == ["north", "A"]


@pytest.mark.parametrize(
    ("capture", "network"),
    [("A/x.pcap", "A"), ("A/b/x.pcap", "A"), ("x.pcap", "default"), ("A\\x.pcap", "A")],
)
def test_the_network_is_the_first_folder(capture: str, network: str) -> None:
    assert network_of(capture) == network


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"labels\.csv:1: found the columns none"),
        ("capture,start\n", r"missing: end, label"),
        (HEAD, r"holds no rows"),
        (HEAD + f",{T.format(1)},{T.format(2)},x\n", r"labels\.csv:2: the capture is empty"),
        (HEAD + ROW + "A/x.pcap,now,then,x\n", r"labels\.csv:3: start is 'now'"),
        (HEAD + f"a,{T.format(1)},,x\n", r"labels\.csv:2: end is ''"),
        (HEAD + f"a,{T.format(2)},{T.format(1)},x\n", r"not after its start"),
        (HEAD + f"a,{T.format(1)},{T.format(1)},x\n", r"not after its start"),
        (HEAD + f"a,{T.format(1)},{T.format(2)},\n", r"labels\.csv:2: label ''"),
        (HEAD + f"a,{T.format(1)},{T.format(2)},unknown\n", r"reserved"),
        (HEAD + f"a,{T.format(1)}\n", r"labels\.csv:2: end is ''"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_labels(_labels(tmp_path, text))


def test_labels_that_overlap_are_refused(tmp_path: Path) -> None:
    """Of one capture; two that meet, and two captures at one time, are fine."""
    first = f"a,{T.format(1)},{T.format(5)},x\n"
    text = HEAD + first + f"a,{T.format(5)},{T.format(9)},y\nb,{T.format(4)},{T.format(6)},y\n"
    assert len(read_labels(_labels(tmp_path, text))) == 3
    with pytest.raises(LabelError, match=r"a is labelled twice from 2026-11-22T06:04"):
        read_labels(_labels(tmp_path, HEAD + f"a,{T.format(4)},{T.format(9)},y\n" + first))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"capture,start,end,label\n\xff,,,\n"])
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=r"cannot be read as labels"):
        read_labels(path)


def test_a_file_that_is_not_there_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(LabelError, match=r"cannot be read as labels"):
            read_labels(path)
