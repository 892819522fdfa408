"""What enters, is painted, named, switched and compared in the film, in Chromium."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.views.conftest import make_history, wait_for
from tests.views.test_film_data import examples
from tests.views.test_film_in_browser import positions, press, seek, state
from traffic_siamese.history import TrainingHistory
from traffic_siamese.views.colours import label_colour
from traffic_siamese.views.film import write_film
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.video_ink import rgb

pytestmark = pytest.mark.slow
Open = Callable[[Path], Any]


def still_history(n_points: int = 40) -> TrainingHistory:
    """Repeat the last epoch of the usual history at every epoch: nothing moves."""
    history = make_history(n_points)
    return replace(history, embeddings=np.repeat(history.embeddings[-1:], 7, axis=0))


def picture(page: Any) -> np.ndarray:
    """Return the page as pixels."""
    return np.asarray(Image.open(io.BytesIO(page.get_screenshot_as_png())).convert("RGB"))


def middle_of(pixels: np.ndarray, page: Any, label: str) -> tuple[np.ndarray, int]:
    """Return the mean place of a label's colour in the cube's part of a picture, and how often."""
    box = page.find_element("css selector", ".pane").rect
    top, left = int(box["y"]), int(box["x"])
    part = pixels[top : top + int(box["height"]), left : left + int(box["width"])]
    there = np.argwhere(np.abs(part.astype(int) - rgb(label_colour(label))).max(axis=2) < 12)
    return there.mean(axis=0), len(there)


def names_on(page: Any) -> list[tuple[str, dict[str, float]]]:
    """Return the names that are seen, and where."""
    found = page.execute_script("""
        return [...document.querySelectorAll('.names .tag')]
          .filter(tag => getComputedStyle(tag).visibility === 'visible')
          .map(tag => [tag.textContent, tag.getBoundingClientRect().toJSON()])""")
    return [(name, box) for name, box in found]


def overlaps(one: dict[str, float], two: dict[str, float]) -> bool:
    across = min(one["right"], two["right"]) - max(one["left"], two["left"])
    down = min(one["bottom"], two["bottom"]) - max(one["top"], two["top"])
    return across > 0.5 and down > 0.5


def test_added_faults_enter_after_the_last_epoch(tmp_path: Path, open_page: Open) -> None:
    """Nowhere while the training runs; then one after another, each with its caption."""
    run = FilmRun(make_history(), added=examples("alpha", "zeta"), pooled_radius=0.1)
    write_film(run, tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    end = state(page)["end"]
    assert end > 6
    seek(page, 6)
    assert page.execute_script("return Array.from(film.positions()).slice(40, 42).every(isNaN)")
    assert not page.find_element("css selector", ".caption").is_displayed()
    seek(page, 6 + 0.4 * (end - 6))
    assert page.find_element("css selector", ".caption b").text == "alpha"
    assert page.execute_script("return isNaN(film.positions()[41]) && !isNaN(film.positions()[40])")
    seek(page, end)
    assert np.allclose(positions(page)[40:], [[0.2] * 3, [0.8] * 3], atol=1e-4)
    caption = page.find_element("css selector", ".caption").text
    assert caption == "zeta was added with one example; nothing was trained"
    assert page.find_element("id", "epoch").text == "epoch 6 / 6"


def test_painted_points_are_where_plotly_draws_them(tmp_path: Path, open_page: Open) -> None:
    """Of a film in which nothing moves: the same at rest, when plotly draws, and in play."""
    write_film(FilmRun(still_history()), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    press(page, "l")  # names would cover points
    seek(page, 2)
    wait_for(lambda: middle_of(picture(page), page, "normal")[1] > 20)
    still = picture(page)
    page.execute_script("document.getElementById('speed').value = '0.25'; film.play()")
    wait_for(lambda: state(page)["painted"] == [True] and state(page)["framesDrawn"] > 3)
    playing = picture(page)
    assert state(page)["playing"]
    for label in ("normal", "blocked", "capacity"):
        (drawn, n_drawn), (painted, n_painted) = (
            middle_of(pixels, page, label) for pixels in (still, playing)
        )
        assert np.abs(drawn - painted).max() < 2
        assert 0.5 < n_painted / n_drawn < 2
    page.execute_script("film.pause()")
    wait_for(lambda: state(page)["painted"] == [False])


@pytest.mark.parametrize("time", [0, 3, 6])
def test_names_never_cover_one_another(tmp_path: Path, open_page: Open, time: float) -> None:
    """Also before the training, when all labels lie on one heap; and all inside the picture."""
    labels = tuple(f"a_rather_long_name_{k}" for k in range(9))
    write_film(FilmRun(make_history(90, labels=labels)), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    seek(page, time)
    found = names_on(page)
    assert sorted(name for name, _ in found) == sorted(labels)
    stage = page.find_element("css selector", ".pane").rect
    for index, (_, box) in enumerate(found):
        assert box["left"] >= stage["x"] - 0.5
        assert box["right"] <= stage["x"] + stage["width"] + 0.5
        assert not any(overlaps(box, other) for _, other in found[:index])


def test_keys_switch_what_they_say(tmp_path: Path, open_page: Open) -> None:
    """Labels by their number, names, spheres, trails, theme, help."""
    write_film(FilmRun(make_history(), pooled_radius=0.1), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    seek(page, 6)
    press(page, "2")
    assert state(page)["visible"]["capacity"] is False
    wait_for(lambda: "capacity" not in dict(names_on(page)))
    press(page, "0")
    assert all(state(page)["visible"].values())
    spheres = painted_pixels(page)
    assert spheres > 500
    press(page, "s")
    assert state(page)["display"]["spheres"] is False
    bare = painted_pixels(page)
    assert bare < spheres / 2
    press(page, "t")
    assert state(page)["display"]["trails"] == 3
    assert painted_pixels(page) > 2 * bare
    press(page, "l")
    wait_for(lambda: names_on(page) == [])
    theme = state(page)["theme"]
    press(page, "d")
    assert state(page)["theme"] != theme
    press(page, "?")
    assert page.find_element("id", "help").is_displayed()
    press(page, "Home")  # closed off while the help is open
    assert state(page)["time"] == 6
    press(page, "?")
    assert not page.find_element("id", "help").is_displayed()


def painted_pixels(page: Any) -> int:
    """Count the pixels of the canvas over the cube that are not empty."""
    count: int = page.execute_script("""
        const canvas = document.querySelector('.pane canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let n = 0;
        for (let at = 3; at < data.length; at += 4) n += data[at] > 0;
        return n""")
    return count


def test_two_trainings_play_together(tmp_path: Path, open_page: Open) -> None:
    """Epochs aligned, the shorter one waits at its end; one camera, one legend, two names."""
    left = FilmRun(make_history(40, 6, labels=("normal", "blocked")), name="triplet")
    right = FilmRun(make_history(40, 3, labels=("normal", "capacity")), name="lossless")
    write_film([left, right], tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    assert state(page)["end"] == 6
    seek(page, 4)
    found = [
        np.array(page.execute_script("return Array.from(film.positions(arguments[0]))", run))
        for run in (0, 1)
    ]
    goal = right.history.embeddings[-1]
    assert np.allclose(np.sort(found[1][:40]), np.sort(goal[:, 0]), atol=1 / 4095)
    half = left.history.embeddings[4]
    assert np.allclose(np.sort(found[0][:40]), np.sort(half[:, 0]), atol=1 / 4095)
    names = [node.text for node in page.find_elements("css selector", ".pane .name")]
    assert names == ["triplet", "lossless"]
    legend = [node.text for node in page.find_elements("css selector", "#legend button span")]
    assert legend == ["blocked", "capacity", "normal"]
    page.execute_async_script(
        "Plotly.relayout(document.querySelector('.cube'),"
        "{'scene.camera': {eye: {x: 2, y: 0.5, z: 1}}}).then(() => setTimeout(arguments[0], 300))"
    )
    views = page.execute_script(
        "return [...document.querySelectorAll('.cube')].map("
        "n => Array.from(n._fullLayout.scene._scene.glplot.cameraParams.view))"
    )
    assert np.allclose(views[0], views[1], atol=1e-6)


def test_two_trainings_stand_below_one_another_on_a_phone(tmp_path: Path, open_page: Open) -> None:
    """And nothing runs off sideways."""
    runs = [FilmRun(make_history(), name=name) for name in ("triplet", "lossless")]
    write_film(runs, tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        one, two = (node.rect for node in page.find_elements("css selector", ".pane"))
        assert two["y"] >= one["y"] + one["height"] - 1
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
