"""Videos as other programs read them."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.views.conftest import make_history
from tests.views.test_film_data import examples
from traffic_siamese.errors import MissingExtraError
from traffic_siamese.views.colours import label_colour
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.video import write_video
from traffic_siamese.views.video_ink import rgb

SHORT = FilmRun(make_history(60, 1), added=examples("new"), pooled_radius=0.1)
SECONDS = 0.8 + 0.5 + 2.6 + 1.6  # rest, one epoch, one fault that enters, rest


def near(picture: np.ndarray, label: str, *, within: int) -> int:
    """Count the pixels that have nearly the colour of a label."""
    return int((np.abs(picture.astype(int) - rgb(label_colour(label))).max(axis=-1) < within).sum())


@pytest.mark.slow
def test_an_mp4_is_as_long_and_wide_as_promised(tmp_path: Path) -> None:
    """H.264 in 4:2:0, what every player shows; its pictures move, and normal is green in them."""
    info = write_video(SHORT, tmp_path / "film.mp4", title="Short")
    assert info.n_bytes == (tmp_path / "film.mp4").stat().st_size
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (1280, 720, 25)
        assert stream.pix_fmt == "yuv420p"
        assert container.duration / 1e6 == pytest.approx(SECONDS, abs=0.05)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(pictures) == round(SECONDS * 25)
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 60
    assert near(pictures[-1][70:700, 20:860], "normal", within=40) > 100
    assert near(pictures[0][70:700, 20:860], "new", within=40) < 10
    assert near(pictures[-1][70:700, 20:860], "new", within=40) > 30


@pytest.mark.slow
def test_a_gif_repeats_and_keeps_the_colours(tmp_path: Path) -> None:
    """Ten pictures a second, 800 x 450; a colour is no farther off than the eye forgives."""
    write_video(SHORT, tmp_path / "film.GIF", title="Short")
    with Image.open(tmp_path / "film.GIF") as film:
        assert (film.format, film.size, film.info["loop"]) == ("GIF", (800, 450), 0)
        length_ms = 0
        for number in range(film.n_frames):
            film.seek(number)
            length_ms += film.info["duration"]
        last = np.asarray(film.convert("RGB"))
    assert length_ms / 1000 == pytest.approx(SECONDS, abs=0.11)
    assert near(last[44:440, 12:540], "normal", within=30) > 40
    assert near(last[44:440, 12:540], "new", within=30) > 10


@pytest.mark.parametrize(("name", "package"), [("film.mp4", "av"), ("film.gif", "PIL.Image")])
def test_without_the_extra_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    wanted = rf'needs {package.split(".")[0]}.*"traffic-siamese\[video\]"'
    with pytest.raises(MissingExtraError, match=wanted):
        write_video(SHORT, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_video(SHORT, tmp_path / "none" / "film.gif")


def test_a_video_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one stays, and no draft lies about."""

    def fail(*_: object) -> None:
        raise OSError("no space")

    (tmp_path / "film.gif").write_bytes(b"old")
    monkeypatch.setattr("traffic_siamese.views.video._write_gif", fail)
    with pytest.raises(OSError, match="no space"):
        write_video(SHORT, tmp_path / "film.gif")
    assert list(tmp_path.iterdir()) == [tmp_path / "film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"old"
