"""The incident page as a file: whole, atomic, and safe whatever things are called."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from tests.views.report_pages import make_about, make_result, packed
from traffic_siamese.classification import LogResult
from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.views import report
from traffic_siamese.views.report import ReportWriter

HOSTILE = "</script><script>alert(1)</script><b>{{plotly}}"


def test_every_log_is_in_the_page_and_opens_by_its_number(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    with ReportWriter(page, make_about()) as writer:
        writer.add(make_result("a.pcap"))
        writer.add(LogResult("b.pcap", error="b.pcap: is empty"))
        writer.add(make_result("c.pcap", label="normal"))
        assert writer.n_logs == 3
    held = packed(page)
    assert [log["name"] for log in held["overview-data"]["logs"]] == ["a.pcap", "b.pcap", "c.pcap"]
    assert set(held) == {"overview-data", "log-0", "log-2"}
    assert [len(held[name]["incidents"]) for name in ("log-0", "log-2")] == [1, 0]
    about = held["overview-data"]["about"]
    assert about["colours"]["blocked"] == "#cf2231"
    assert (about["model"], about["network"], about["stride"]) == ("mine", "A", 8000)
    assert not about["broken_off"]


def test_the_old_page_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    with ReportWriter(page, make_about()) as writer:
        writer.add(make_result())
        assert page.read_text() == "old"
    assert "log-0" in packed(page)
    assert list(tmp_path.iterdir()) == [page]


def break_off(page: Path, *, half: bytes = b"") -> None:
    """Write one log, and half of another; then interrupt."""
    with ReportWriter(page, make_about()) as writer:
        writer.add(make_result())
        writer._file.write(half)
        raise KeyboardInterrupt


def test_what_was_done_before_an_interrupt_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    with pytest.raises(KeyboardInterrupt):
        break_off(page)
    held = packed(page)
    assert set(held) == {"overview-data", "log-0"}
    assert held["overview-data"]["about"]["broken_off"]
    assert list(tmp_path.iterdir()) == [page]


def test_half_a_log_is_cut_off(tmp_path: Path) -> None:
    """An interrupt in the middle of a log leaves the logs before it."""
    page = tmp_path / "report.html"
    with pytest.raises(KeyboardInterrupt):
        break_off(page, half=b'<script id="log-1">half')
    assert set(packed(page)) == {"overview-data", "log-0"}
    assert b'"log-1"' not in page.read_bytes()


def test_nothing_done_leaves_the_old_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    with pytest.raises(KeyboardInterrupt), ReportWriter(page, make_about()):
        raise KeyboardInterrupt
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]


def test_names_and_labels_are_data(tmp_path: Path) -> None:
    """Nothing that a file or a label is called stands in the page but packed."""
    page = tmp_path / "report.html"
    with ReportWriter(page, make_about(HOSTILE), title="<i>Night</i>") as writer:
        writer.add(make_result(HOSTILE, label=HOSTILE, warnings=(HOSTILE,)))
        writer.add(LogResult(HOSTILE, error=HOSTILE))
    text = page.read_text("utf-8")
    assert "alert(1)" not in text
    assert "<i>Night" not in text
    assert "&lt;i&gt;Night" in text
    assert packed(page)["overview-data"]["logs"][0]["name"] == HOSTILE


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    """Linux allows any bytes in a file's name."""
    page = tmp_path / "report.html"
    with ReportWriter(page, make_about()) as writer:
        writer.add(make_result(os.fsdecode(b"caf\xe9.pcap")))
    assert packed(page)["overview-data"]["logs"][0]["name"] == "caf\\udce9.pcap"


@pytest.mark.parametrize("place", ["missing/report.html", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(TrafficSiameseError, match="the report cannot be written"):
        ReportWriter(tmp_path / place, make_about())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_page_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    page = tmp_path / "report.html"
    page.write_text("old")
    monkeypatch.setattr(report.os, "replace", fail)
    with (
        pytest.raises(TrafficSiameseError, match="No space left"),
        ReportWriter(page, make_about()) as writer,
    ):
        writer.add(make_result())
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]


def test_details_are_not_kept_in_memory(tmp_path: Path) -> None:
    """Three hundred logs are megabytes of numbers; what stays is enough to list them."""
    result = make_result()
    with ReportWriter(tmp_path / "report.html", make_about()) as writer:
        writer.add(result)
        tracemalloc.start()
        for _ in range(300):
            writer.add(result)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < 300_000
    assert len(packed(tmp_path / "report.html")) == 302


def test_others_may_read_the_page_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with ReportWriter(tmp_path / "report.html", make_about()) as writer:
            writer.add(make_result())
    finally:
        os.umask(before)
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o640
