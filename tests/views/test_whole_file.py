"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from traffic_siamese.views.whole_file import whole_file


def test_nothing_is_seen_before_it_is_whole(tmp_path: Path) -> None:
    """Who looks while it is written finds the old file; the new one is nobody's secret."""
    target = tmp_path / "film.mp4"
    target.write_text("old")
    with whole_file(target) as draft:
        draft.write_text("half")
        assert target.read_text() == "old"
        draft.write_text("whole")
    assert target.read_text() == "whole"
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["film.mp4", "plain"]


def _break_off(target: Path, why: BaseException) -> None:
    with whole_file(target) as draft:
        draft.write_text("half")
        raise why


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_the_old_file_and_no_draft(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    """A full disk, or Ctrl-C in the middle of a video."""
    target = tmp_path / "film.mp4"
    target.write_text("old")
    with pytest.raises(kind):
        _break_off(target, kind())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
