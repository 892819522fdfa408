"""The page of a fault as people see it: in Chromium, from a file, without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.views.conftest import wait_for
from traffic_siamese.log_detail import FeatureTrack
from traffic_siamese.types import Prototype
from traffic_siamese.views.prototype_page import DrawnExample, DrawnFault, write_prototype_page

pytestmark = pytest.mark.slow
HOSTILE = "x<b>y</b></script><script>document.title='owned'</script>"
HARMLESS = "willReadFrequently"  # Chromium's advice to plotly on speed


def _track(name: str, level: float) -> FeatureTrack:
    values = np.full(32, level, np.float32)
    return FeatureTrack(name, f"{name} {HOSTILE}", "answers/s", "", (0.0, 0.5, 1.0), values)


def _example(number: int) -> DrawnExample:
    source = {
        "capture": f"A/{HOSTILE}-{number}.pcap",
        "network": "A",
        "start": f"2026-11-22T06:2{number}:00.000Z",
        "end": f"2026-11-22T06:2{number}:32.000Z",
    }
    clauses = (f"503 share 0 % → {number + 1} %", f"answers {number + 2}× slower")
    return DrawnExample(
        source,
        "; ".join([*clauses, "INVITE rate unchanged"]),
        clauses,
        ("overload", "delay"),
        (_track("overload", 5.0 + number), _track("delay", 2.0), _track("requests", 10.0)),
        np.linspace(-0.1, 0.6, 16, dtype=np.float32).reshape(2, 8),
        1.0,
    )


def _prototype(label: str, place: float) -> Prototype:
    empty = np.zeros((1, 1), np.float32)
    return Prototype(label, empty, empty, np.full(48, place, np.float32), {"capture": "A/x.pcap"})


def _fault(label: str = HOSTILE) -> DrawnFault:
    prototypes = [_prototype(label, 0.8), _prototype(label, 0.9), _prototype("normal", 0.2)]
    return DrawnFault(
        label,
        "model",
        1.24,
        [_example(0), _example(1)],
        {"normal": 1.0, "blocked": 2.5},
        [*prototypes, _prototype("blocked", 0.5)],
    )


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Callable[[DrawnFault], Any]:
    def opened(fault: DrawnFault) -> Any:
        page = tmp_path / "fault.html"
        write_prototype_page(fault, page)
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(page.as_uri())
        wait_for(lambda: browser.execute_script("return Boolean(window.prototype?.state)"))
        _drawn(browser)
        return browser

    return opened


def _drawn(page: Any) -> None:
    wait_for(lambda: not page.execute_script("return window.prototype.state().drawing"))


def _texts(page: Any, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)"
    return list(page.execute_script(script, selector))


def test_a_fault_is_shown_example_by_example(show: Callable[[DrawnFault], Any]) -> None:
    """The keys go from one example to the next, and around; names are text, whatever they hold."""
    page = show(_fault())
    assert _texts(page, "h1") == [HOSTILE]
    assert page.title != "owned"
    assert _texts(page, "#clauses li") == ["503 share 0 % → 1 %", "answers 2× slower"]
    assert _texts(page, "#calm") == ["INVITE rate unchanged"]
    drawn = page.execute_script(
        "return document.getElementById('features').data.map((t) => t.y[0])"
    )
    assert drawn == [5, 2, 10]
    page.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))")
    _drawn(page)
    assert _texts(page, "#clauses li")[0] == "503 share 0 % → 2 %"
    page.execute_script("document.querySelector('#tabs button').click()")
    _drawn(page)
    assert page.execute_script("return window.prototype.state().chosen") == 0
    troubles = [one["message"] for one in page.get_log("browser") if HARMLESS not in one["message"]]
    assert troubles == []


def test_distances_tell_what_may_be_confused_and_the_cube_holds_all_examples(
    show: Callable[[DrawnFault], Any],
) -> None:
    """A bar ends before the line where the distance is below the reach."""
    page = show(_fault())
    assert _texts(page, ".distance span") == ["normal", "blocked"]
    ends = page.execute_script(
        "return [...document.querySelectorAll('.distance')].map((row) => "
        "row.querySelector('b').getBoundingClientRect().right < "
        "row.querySelector('u').getBoundingClientRect().left)"
    )
    assert ends == [True, False]
    n_points = page.execute_script("return document.getElementById('cube').data[1].x.length")
    assert n_points == 4
    page.execute_script("document.getElementById('theme').click()")
    _drawn(page)


def test_it_fits_a_phone(show: Callable[[DrawnFault], Any], browser: Any) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page = show(replace(_fault("server_overload"), examples=[_example(0)]))
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
        assert page.execute_script("return document.getElementById('tabs').hidden")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
