"""The live page as people see it: in Chromium, beside a training that is acted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.live.conftest import ActedTraining, Server, wait_for
from tests.views.conftest import make_history

pytestmark = pytest.mark.slow
HARMLESS = ("willReadFrequently", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
"""Chromium's advice to plotly on speed, and what it says while the server is away."""

HOSTILE = "<b>x</b></script><script>document.title='owned'</script>"


@pytest.fixture
def page(server: Server, browser: Any) -> Iterator[Any]:
    """Open the live page before there is a training."""
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(server.url)
    wait_for(lambda: state(browser)["phase"])
    yield browser
    browser.get("about:blank")  # so that no viewer is left for the next test


def state(page: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.execute_script("return window.watching?.state() ?? {phase: null}")
    return answer


def text(page: Any, name: str) -> str:
    return str(page.find_element("id", name).text)


def positions(page: Any) -> np.ndarray:
    """Return where the points are drawn, as rows of x, y, z."""
    numbers = page.execute_script("return Array.from(watching.positions())")
    return np.array(numbers).reshape(3, -1).T


def expected(training: ActedTraining, epoch: int) -> np.ndarray:
    """Return the points of an epoch by label, then trained before held out."""
    history = training.history
    return history.embeddings[epoch][np.lexsort((history.held_out, history.label))]


def arrives_at(page: Any, training: ActedTraining, epoch: int) -> None:
    """Wait until the page has glided to an epoch, and compare every point."""
    wait_for(lambda: state(page)["epoch"] == epoch)
    wait_for(lambda: np.abs(positions(page) - expected(training, epoch)).max() < 2 / 65535)


def distance(page: Any) -> float:
    """Return how far from the cube it is looked at."""
    eye = page.execute_script(
        "return document.getElementById('scene')._fullLayout.scene.camera.eye"
    )
    return float(np.hypot(np.hypot(eye["x"], eye["y"]), eye["z"]))


def press(page: Any, key: str) -> None:
    page.execute_script(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], "
        "bubbles: true, cancelable: true}))",
        key,
    )


def test_a_training_is_followed_from_before_its_start_to_its_end(
    page: Any, training: ActedTraining, made_model: Path
) -> None:
    """What is said and where the points stand: nothing, epochs, the saving, the model."""
    assert text(page, "headline") == "No training to show yet"
    assert "traffic-siamese train" in text(page, "command")
    training.run(0)
    arrives_at(page, training, 0)
    assert text(page, "headline") == "Training: epoch 0 of 6"
    training.run(2)
    arrives_at(page, training, 2)
    assert text(page, "headline") == "Training: epoch 2 of 6"
    minutes, seconds = re.fullmatch(r"(\d):(\d\d) to go at most", text(page, "eta")).groups()
    assert 330 < 60 * int(minutes) + int(seconds) <= 400
    names = [tag.text for tag in page.find_elements("css selector", "#legend button span")]
    assert names == ["blocked", "capacity", "flood", "normal"]
    path = page.find_element("css selector", "#separation path").get_attribute("d")
    assert path.count("L") == 2  # three epochs
    training.run(6, state="trained")
    wait_for(lambda: text(page, "headline") == "Training is nearly done")
    arrives_at(page, training, 6)
    shutil.copytree(made_model, training.model, dirs_exist_ok=True)
    shutil.rmtree(training.model / "unfinished")
    wait_for(lambda: text(page, "headline") == "Training is done")
    wait_for(lambda: page.find_element("id", "epoch").text == "epoch 1 / 1")
    kinds = [tag.text for tag in page.find_elements("css selector", "#kinds button span")]
    assert "example in the model" in kinds
    assert page.title.startswith("done")


def test_a_broken_and_continued_training_is_told(page: Any, training: ActedTraining) -> None:
    """The same points go on from where they stood."""
    training.run(2, state="broken off")
    wait_for(lambda: text(page, "headline") == "Training was broken off after epoch 2")
    assert "--resume" in text(page, "detail")
    arrives_at(page, training, 2)
    run = state(page)["run"]
    ActedTraining(training.model, first_epoch=2).run(4)
    wait_for(lambda: text(page, "detail") == "Continued after epoch 2.")
    arrives_at(page, training, 4)
    assert state(page)["run"] == run


def test_the_page_comes_back_by_itself_and_catches_up(
    page: Any, server: Server, training: ActedTraining
) -> None:
    """The server goes away for two epochs; the page says so, and then has them all."""
    training.run(1)
    arrives_at(page, training, 1)
    server.stop()
    wait_for(lambda: "Connection lost" in text(page, "link"))
    training.run(3)
    server.restart()
    wait_for(lambda: text(page, "link") == "connected")
    arrives_at(page, training, 3)
    assert state(page)["newest"] == 3


def test_another_training_takes_the_place_of_the_first(page: Any, training: ActedTraining) -> None:
    """Other points and labels, and nothing left of the old ones."""
    training.run(4)
    arrives_at(page, training, 4)
    shutil.rmtree(training.model / "unfinished")
    other = ActedTraining(training.model, make_history(21, 3, labels=("normal", "odd", "new")))
    other.run(1)
    arrives_at(page, other, 1)
    names = [tag.text for tag in page.find_elements("css selector", "#legend button span")]
    assert names == ["new", "normal", "odd"]
    shutil.rmtree(training.model / "unfinished")
    wait_for(lambda: text(page, "headline") == "No training to show yet")
    assert not page.find_element("id", "controls").is_displayed()


def test_one_may_look_back_while_training_goes_on(page: Any, training: ActedTraining) -> None:
    """Who looks at an old epoch stays there until asked back to the newest."""
    training.run(3)
    arrives_at(page, training, 3)
    press(page, "Home")
    arrives_at(page, training, 0)
    assert not state(page)["following"]
    training.run(4)
    wait_for(lambda: state(page)["newest"] == 4)
    press(page, "ArrowRight")
    arrives_at(page, training, 1)
    page.find_element("id", "live").click()
    arrives_at(page, training, 4)
    assert state(page)["following"]
    press(page, " ")
    arrives_at(page, training, 4)
    page.execute_script(
        "const s = document.getElementById('slider'); s.value = 2;"
        "s.dispatchEvent(new Event('input'))"
    )
    arrives_at(page, training, 2)


def test_a_label_can_be_hidden_and_the_view_is_kept(page: Any, training: ActedTraining) -> None:
    training.run(1)
    arrives_at(page, training, 1)
    page.find_elements("css selector", "#legend button")[1].click()
    shown = (
        "return document.getElementById('scene')._fullData.slice(0, -1)"
        ".map((trace) => trace.visible === true)"
    )
    wait_for(lambda: page.execute_script(shown).count(False) == 2)
    page.execute_async_script(
        "Plotly.relayout('scene', {'scene.camera.eye': {x: 2, y: 0.5, z: 1}}).then(arguments[0])"
    )
    theme = page.execute_script("return document.documentElement.dataset.theme")
    page.find_element("id", "theme").click()
    assert page.execute_script("return document.documentElement.dataset.theme") != theme
    training.run(2)
    arrives_at(page, training, 2)
    eye = page.execute_script(
        "return document.getElementById('scene')._fullLayout.scene.camera.eye"
    )
    assert eye == pytest.approx({"x": 2, "y": 0.5, "z": 1}, abs=1e-6)


def test_two_viewers_see_the_same(page: Any, server: Server, training: ActedTraining) -> None:
    """In two windows of one browser."""
    first = page.current_window_handle
    page.switch_to.new_window("window")
    try:
        page.get(server.url)
        training.run(2)
        arrives_at(page, training, 2)
    finally:
        page.close()
        page.switch_to.window(first)
    arrives_at(page, training, 2)


def test_nothing_is_asked_elsewhere_and_nothing_complains(
    page: Any, server: Server, training: ActedTraining
) -> None:
    """Only the server is asked, and the console stays clean, hostile names or not."""
    hostile = make_history(labels=("normal", HOSTILE), capture=np.full(40, HOSTILE))
    training = ActedTraining(training.model, hostile).run(2)
    arrives_at(page, training, 2)
    names = [tag.text for tag in page.find_elements("css selector", "#legend button span")]
    assert HOSTILE in names
    assert "owned" not in page.title
    messages = [entry["message"] for entry in page.get_log("browser")]
    assert [m for m in messages if not any(word in m for word in HARMLESS)] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and event["params"]["documentURL"].startswith(server.url)
    }
    assert asked
    assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)


def test_a_narrow_screen_stacks_the_columns(page: Any, training: ActedTraining) -> None:
    """On a phone the curves stand below the cube, and nothing runs off sideways."""
    training.run(1)
    arrives_at(page, training, 1)
    near = distance(page)
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        stage, aside = (
            page.find_element("css selector", name).rect for name in ("#stage", "aside")
        )
        assert aside["y"] >= stage["y"] + stage["height"]
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
        wait_for(lambda: distance(page) > near)  # so that the cube still fits
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
