"""The film as a file: its size, its words, and that it needs nothing from outside."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.views.conftest import make_history
from traffic_siamese.history import TrainingHistory
from traffic_siamese.views.colours import label_colour
from traffic_siamese.views.film import write_film
from traffic_siamese.views.film_data import FilmOptions
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.film_words import headline

HOSTILE = "</script><script>document.title='owned'</script><!--"


def scene_of(page: str) -> dict[str, Any]:
    """Return what the page carries for its script."""
    match = re.search(r'id="scene-data">([^<]+)<', page)
    assert match
    scene: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(match[1])))
    return scene


def test_headline_says_what_happened(history: TrainingHistory) -> None:
    """Counts and the separation before and after."""
    assert headline(history) == "4 labels, 40 windows, 6 epochs: separation 0.9 → 8.4"


def test_headline_of_a_single_label_promises_no_separation() -> None:
    """One label cannot be separated from anything."""
    lone = make_history(2000, 1, labels=("normal",), separation=np.full(2, np.nan, np.float32))
    assert headline(lone) == "1 label, 2,000 windows, 1 epoch"


def test_info_says_what_was_written(history: TrainingHistory, tmp_path: Path) -> None:
    """Size, points and frames, the frame before training included."""
    info = write_film(FilmRun(history), tmp_path / "film.html")
    assert info.path == tmp_path / "film.html"
    assert info.n_bytes == info.path.stat().st_size
    assert (info.n_points, info.n_frames) == (40, 7)


def test_equal_histories_give_equal_pages(history: TrainingHistory, tmp_path: Path) -> None:
    """Neither clock nor chance is in the page."""
    write_film(FilmRun(history), tmp_path / "a.html")
    write_film(FilmRun(history), tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_large_film_stays_below_five_megabytes(tmp_path: Path) -> None:
    """3,000 noisy points over 120 frames; noise is what compresses worst."""
    rng = np.random.default_rng(0)
    steps = 0.01 * rng.standard_normal((120, 3000, 3))
    walk = np.clip(0.5 + np.cumsum(steps, axis=0), 0, 1).astype(np.float32)
    info = write_film(FilmRun(make_history(3000, 119, embeddings=walk)), tmp_path / "film.html")
    assert info.n_frames == 120
    assert info.n_bytes < 5_000_000


def test_limits_thin_the_film_and_the_page_says_so(tmp_path: Path) -> None:
    """80 points and 21 epochs, drawn as 30 and 5."""
    options = FilmOptions(max_points=30, max_frames=5)
    info = write_film(FilmRun(make_history(80, 20)), tmp_path / "f.html", options=options)
    assert (info.n_points, info.n_frames) == (30, 5)
    scene = scene_of((tmp_path / "f.html").read_text("utf-8"))
    assert scene["runs"][0]["epochs"] == [0, 5, 10, 15, 20]
    assert "30 of 80 windows" in scene["runs"][0]["notes"][0]
    assert "5 of 21 epochs" in scene["runs"][0]["notes"][1]


def test_groups_tell_label_and_kind_of_every_point(
    history: TrainingHistory, tmp_path: Path
) -> None:
    """Each run of points holds one label; the runs cover all points once."""
    write_film(FilmRun(history), tmp_path / "film.html")
    scene = scene_of((tmp_path / "film.html").read_text("utf-8"))
    groups = scene["runs"][0]["groups"]
    covered = [at for group in groups for at in range(group["start"], group["stop"])]
    assert covered == list(range(40))
    drawn = {
        (scene["labels"][group["label"]]["name"], group["kind"]): group["stop"] - group["start"]
        for group in groups
    }
    for name in np.unique(history.label):
        mine = history.label == name
        assert drawn[name, 2] == np.count_nonzero(mine & history.prototype)
        assert drawn[name, 1] == np.count_nonzero(mine & history.held_out & ~history.prototype)
        assert drawn[name, 0] == np.count_nonzero(mine & ~history.held_out & ~history.prototype)
    for label in scene["labels"]:
        assert label["colour"] == label_colour(label["name"])


def test_users_text_cannot_leave_its_place(tmp_path: Path) -> None:
    """Neither as a label nor as a capture nor as the title."""
    hostile = make_history(labels=("normal", HOSTILE), capture=np.full(40, HOSTILE))
    write_film(FilmRun(hostile), tmp_path / "film.html", title=HOSTILE + " {{scene}}")
    page = (tmp_path / "film.html").read_text("utf-8")
    assert HOSTILE not in page
    assert page.count("</script>") == 4
    assert {label["name"] for label in scene_of(page)["labels"]} == {"normal", HOSTILE}


def test_the_page_refers_to_nothing_outside(history: TrainingHistory, tmp_path: Path) -> None:
    """No address but the name of the SVG language, and a policy that forbids loading."""
    write_film(FilmRun(history), tmp_path / "film.html")
    page = (tmp_path / "film.html").read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page


@pytest.mark.parametrize("limits", [{"max_points": 0}, {"max_frames": 1}])
def test_senseless_limits_are_refused(limits: dict[str, int]) -> None:
    """The message says what was given and what is needed."""
    with pytest.raises(ValueError, match="expected at least 1 and 2"):
        FilmOptions(**limits)
