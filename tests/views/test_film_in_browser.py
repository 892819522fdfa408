"""The film as people see it: in Chromium, from a file, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.views.conftest import make_history, wait_for
from traffic_siamese.views.film import write_film
from traffic_siamese.views.film_data import FilmOptions
from traffic_siamese.views.film_run import FilmRun

pytestmark = pytest.mark.slow
HARMLESS = "willReadFrequently"  # Chromium's advice to plotly on speed
BROWSERS_OWN = "chrome"  # Chromium's start page may still be loading when the film is opened
HOSTILE = "<b>x</b></script><script>document.title='owned'</script>"
Open = Callable[[Path], Any]


def state(page: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.execute_script("return film.state()")
    return answer


def positions(page: Any) -> np.ndarray:
    """Return where the points are drawn, as rows of x, y, z."""
    return np.array(page.execute_script("return Array.from(film.positions())")).reshape(3, -1).T


def seek(page: Any, time: float) -> None:
    page.execute_async_script("film.seek(arguments[0]).then(arguments[1])", time)


def press(page: Any, key: str) -> None:
    page.execute_script(
        "document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: arguments[0], bubbles: true, cancelable: true}))",
        key,
    )


def drawn_order(label: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Return the rows as the film sorts them: by label, then trained, held out, prototype."""
    return np.lexsort((np.arange(len(label)), kind, label))


def test_points_stand_where_the_history_says(tmp_path: Path, open_page: Open) -> None:
    """First, last, and half way between two epochs; a step of the coding is 1/4095."""
    history = make_history()
    write_film(FilmRun(history), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    kind = np.where(history.prototype, 2, history.held_out.astype(int))
    order = drawn_order(history.label, kind)
    first = history.embeddings[:, order]
    for frame, expected in ((0, first[0]), (6, first[6]), (2.5, (first[2] + first[3]) / 2)):
        seek(page, frame)
        assert np.abs(positions(page) - expected).max() < 1 / 4095
    shown = page.execute_script("return Array.from(document.querySelector('.cube')._fullData[0].x)")
    assert np.allclose(shown, positions(page)[: len(shown), 0])


def test_plays_pauses_and_obeys_the_keys(tmp_path: Path, open_page: Open) -> None:
    """The play button moves the points, pause stops them, and the keys do what they say."""
    write_film(FilmRun(make_history(n_epochs=60)), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    page.execute_script("document.getElementById('speed').value = '0.25'")
    before = positions(page)
    page.find_element("id", "play").click()
    wait_for(lambda: np.abs(positions(page) - before).max() > 0.005)
    assert state(page)["playing"]
    page.find_element("id", "play").click()
    stopped = state(page)["time"]
    assert not state(page)["playing"]
    page.execute_async_script("setTimeout(arguments[0], 300)")
    assert state(page)["time"] == stopped
    for key, frame in (("End", 60), ("ArrowLeft", 59), ("Home", 0), ("ArrowRight", 1)):
        press(page, key)
        wait_for(lambda frame=frame: state(page)["time"] == frame)
    press(page, " ")
    assert state(page)["playing"]
    press(page, "End")
    assert not state(page)["playing"]


def test_plays_to_the_end_and_stops_there(tmp_path: Path, open_page: Open) -> None:
    """At four times the speed; then the labels' names appear."""
    write_film(FilmRun(make_history()), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    page.execute_script("document.getElementById('speed').value = '4'; film.play()")
    wait_for(lambda: not state(page)["playing"])
    assert state(page)["epoch"] == 6
    wait_for(lambda: page.find_elements("css selector", ".names .tag"))
    names = {tag.text for tag in page.find_elements("css selector", ".names .tag")}
    assert names == {"normal", "blocked", "capacity", "flood"}


def test_slider_and_curve_set_the_epoch(tmp_path: Path, open_page: Open) -> None:
    """The epoch number follows, also where epochs were left out."""
    write_film(
        FilmRun(make_history(20, 20)), tmp_path / "film.html", options=FilmOptions(max_frames=5)
    )
    page = open_page(tmp_path / "film.html")
    page.execute_script(
        "const s = document.getElementById('slider'); s.value = 10;"
        "s.dispatchEvent(new Event('input'))"
    )
    wait_for(lambda: page.find_element("id", "epoch").text == "epoch 10 / 20")
    assert state(page)["time"] == 10
    page.execute_script("""
        const plot = document.querySelector('#curves figure:last-child .plot');
        const box = plot.getBoundingClientRect();
        plot.setPointerCapture = () => {};
        plot.dispatchEvent(new PointerEvent('pointerdown', {clientX: box.right, clientY: box.top}))
    """)
    wait_for(lambda: state(page)["epoch"] == 20)
    last = page.find_element("css selector", "#curves figure:last-child").text
    assert last.startswith("Triplets out of order")
    assert "0 %" in last


def test_legend_hides_and_shows_a_label(tmp_path: Path, open_page: Open) -> None:
    """All of the label's traces, and no other's."""
    write_film(FilmRun(make_history()), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    visible = (
        "return document.querySelector('.cube')._fullData.slice(0, -1)"
        ".map(trace => trace.visible === true)"
    )
    button = page.find_element("css selector", "#legend button")
    button.click()
    wait_for(lambda: page.execute_script(visible) == [False] * 3 + [True] * 9)
    assert state(page)["visible"] == {
        "blocked": False,
        "capacity": True,
        "flood": True,
        "normal": True,
    }
    assert button.get_attribute("aria-pressed") == "false"
    seek(page, 3)
    button.click()
    wait_for(lambda: all(page.execute_script(visible)))


def test_camera_of_the_user_is_kept(tmp_path: Path, open_page: Open) -> None:
    """Turning the cube survives the next frames, a hidden label and another theme."""
    write_film(FilmRun(make_history()), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    page.execute_async_script(
        "Plotly.relayout(document.querySelector('.cube'),"
        "{'scene.camera.eye': {x: 2, y: 0.5, z: 1}}).then(arguments[0])"
    )
    seek(page, 6)
    page.find_element("css selector", "#legend button").click()
    theme = state(page)["theme"]
    page.find_element("id", "theme").click()
    assert state(page)["theme"] != theme
    page.execute_async_script("setTimeout(arguments[0], 300)")
    eye = page.execute_script("return document.querySelector('.cube')._fullLayout.scene.camera.eye")
    assert eye == pytest.approx({"x": 2, "y": 0.5, "z": 1}, abs=1e-6)


def test_nothing_is_requested_and_nothing_complains(tmp_path: Path, open_page: Open) -> None:
    """Nothing but the file is loaded, and the console stays clean, hostile text or not."""
    hostile = make_history(labels=("normal", HOSTILE), capture=np.full(40, HOSTILE))
    write_film(FilmRun(hostile), tmp_path / "film.html", title=HOSTILE)
    page = open_page(tmp_path / "film.html")
    seek(page, 6)
    assert page.title == HOSTILE
    assert page.find_elements("css selector", "#legend button span")[0].text == HOSTILE
    messages = [entry["message"] for entry in page.get_log("browser")]
    assert [message for message in messages if HARMLESS not in message] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["documentURL"].startswith(BROWSERS_OWN)
    }
    outside = {url for url in asked if not url.startswith(("data:", "blob:"))}
    assert outside == {(tmp_path / "film.html").as_uri()}


@pytest.mark.parametrize(("dim", "n_epochs"), [(8, 4), (2, 4), (3, 0)])
def test_other_widths_and_lengths_are_shown(
    tmp_path: Path, open_page: Open, dim: int, n_epochs: int
) -> None:
    """Eight dimensions, two, and a training of no epochs at all."""
    write_film(FilmRun(make_history(dim=dim, n_epochs=n_epochs)), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    seek(page, n_epochs)
    assert state(page)["end"] == n_epochs
    assert (f"{dim} dimensions" in page.find_element("id", "notes").text) == (dim != 3)


def test_an_old_browser_is_told_why(tmp_path: Path, browser: Any) -> None:
    """A browser without DecompressionStream shows a sentence instead of an empty page."""
    write_film(FilmRun(make_history()), tmp_path / "film.html")
    script = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.DecompressionStream"}
    )
    try:
        browser.get((tmp_path / "film.html").as_uri())
        wait_for(lambda: "too old" in browser.find_element("id", "message").text)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_narrow_screen_stacks_the_columns(tmp_path: Path, open_page: Open) -> None:
    """On a phone the curves stand below the cube, and nothing runs off sideways."""
    write_film(FilmRun(make_history()), tmp_path / "film.html")
    page = open_page(tmp_path / "film.html")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        stage, aside = (
            page.find_element("css selector", name).rect for name in ("#stage", "aside")
        )
        assert aside["y"] >= stage["y"] + stage["height"]
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
