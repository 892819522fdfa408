"""Pages that carry all they need."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.views import plotly_page

HOSTILE = "</script><img src=x onerror=alert(1)>{{scene}}\u2028 \"'&"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_packed_json_comes_back_and_holds_no_markup(value: object) -> None:
    """Any text survives, and what stands in the page is base64 only."""
    packed = plotly_page.pack_json(value)
    assert packed.isascii()
    assert not set(packed) & set("<>&\"'{}")
    assert json.loads(gzip.decompress(base64.b64decode(packed))) == value


def test_not_a_number_is_refused() -> None:
    """JavaScript's parser would refuse it later, in front of the user."""
    with pytest.raises(ValueError, match="JSON"):
        plotly_page.pack_json([float("nan")])


def test_packing_twice_gives_the_same_text() -> None:
    """No clock in it, so equal histories give equal pages."""
    assert plotly_page.pack_bytes(b"abc") == plotly_page.pack_bytes(b"abc")


def test_filled_in_text_is_not_filled_in_again() -> None:
    """Braces in a user's title are only text."""
    page = plotly_page.assemble("<p>{{a}}</p>{{b}}", {"a": "{{b}}", "b": "x"})
    assert page == "<p>{{b}}</p>x"


def test_a_missing_part_is_an_error() -> None:
    """A page with a hole in it is never written."""
    with pytest.raises(KeyError):
        plotly_page.assemble("{{a}}", {})


def test_escaped_text_can_open_no_tag() -> None:
    """Nor end an attribute."""
    assert not set(plotly_page.escape(HOSTILE)) & set("<>\"'")


def test_a_title_can_end_no_head() -> None:
    """Nor can what it holds be filled in; the sheet of all pages comes before the page's own."""
    head = plotly_page.head(HOSTILE, ("report",))
    assert "<img" not in head
    assert head.count("{{scene}}") == 1
    assert head.index("--paper:") < head.index("--chosen:")


def test_write_page_replaces_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    """The size is that of the file."""
    target = tmp_path / "page.html"
    target.write_text("old")
    n_bytes = plotly_page.write_page(target, "→ new")
    assert target.read_text("utf-8") == "→ new"
    assert n_bytes == target.stat().st_size
    assert list(tmp_path.iterdir()) == [target]


def test_write_page_that_fails_keeps_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say."""

    def fail(*_: object) -> None:
        raise OSError("no space")

    target = tmp_path / "page.html"
    target.write_text("old")
    monkeypatch.setattr(plotly_page.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        plotly_page.write_page(target, "new")
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "old"
