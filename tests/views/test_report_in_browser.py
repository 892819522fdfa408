"""The incident page as people see it: in Chromium, from a file, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.views.conftest import wait_for
from tests.views.report_pages import SECOND, START_NS, make_about, make_result
from traffic_siamese.classification import LogResult
from traffic_siamese.views.report import ReportWriter

pytestmark = pytest.mark.slow
HARMLESS = "willReadFrequently"  # Chromium's advice to plotly on speed
BROWSERS_OWN = "chrome"  # Chromium's start page may still be loading
HOSTILE = "x<b>y</b></script><script>document.title='owned'</script>#1%20&incident=2"
DEMO = Path(__file__).resolve().parents[2] / "dashboards" / "incidents.html"
Show = Callable[..., Any]


@pytest.fixture
def show(browser: Any) -> Show:
    """Open a page, at a fragment, and wait until it is drawn."""

    def opened(page: Path, fragment: str = "") -> Any:
        browser.get_log("browser"), browser.get_log("performance")
        browser.get("about:blank")  # or another fragment of the same page would not load it anew
        browser.get(page.as_uri() + fragment)
        wait_for(lambda: browser.execute_script("return Boolean(window.report)"))
        drawn(browser)
        return browser

    return opened


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a page of a night: a hundred and twenty captures, of all sorts."""
    page = tmp_path_factory.mktemp("night") / "report.html"
    with ReportWriter(page, make_about(HOSTILE)) as writer:
        for number in range(115):
            label = ("blocked", "capacity")[number % 2] if number % 5 == 0 else "normal"
            writer.add(make_result(f"core/{number:03d}.pcap", label=label))
        writer.add(LogResult("core/broken.pcap", error="core/broken.pcap: is empty"))
        writer.add(make_result("core/cut.pcap", label="normal", warnings=("cut short",)))
        writer.add(make_result(HOSTILE, label=HOSTILE, warnings=(HOSTILE,)))
        writer.add(two_incidents())
        writer.add(two_incidents())
    return page


def two_incidents() -> LogResult:
    """Return a capture with two incidents, of 40 s and of 10 s."""
    result = make_result("core/two.pcap")
    later = replace(
        result.incidents[0],
        label="capacity",
        start_ns=START_NS + 90 * SECOND,
        end_ns=START_NS + 100 * SECOND,
    )
    return replace(result, incidents=(*result.incidents, later))


def drawn(page: Any) -> None:
    wait_for(lambda: not page.execute_script("return report.state().drawing"))


def state(page: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.execute_script("return report.state()")
    return answer


def texts(page: Any, selector: str) -> list[str]:
    """Return all texts as they are at one moment: the list draws its rows anew while it scrolls."""
    found: list[str] = page.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent.trim())",
        selector,
    )
    return found


def write(page: Any, text: str) -> None:
    page.execute_script(
        "const s = document.getElementById('search'); s.value = arguments[0];"
        "s.dispatchEvent(new Event('input'))",
        text,
    )


def order(page: Any, key: str) -> None:
    page.execute_script(
        "const s = document.getElementById('order'); s.value = arguments[0];"
        "s.dispatchEvent(new Event('change'))",
        key,
    )


@contextmanager
def screen(page: Any, width: int, height: int) -> Iterator[None]:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_search_filters_and_order_choose_what_is_listed(night: Path, show: Show) -> None:
    page = show(night)
    assert state(page)["shown"] == 120
    assert "120 captures" in page.find_element("id", "headline").text
    for words, n_shown in (("core/01", 10), ("BLOCKED 0", 12), ("tenth", 26), ("nothing", 0)):
        write(page, words)
        assert state(page)["shown"] == n_shown, words
    assert page.find_element("id", "nothing").is_displayed()
    write(page, "")
    for text, n_shown in (("Incidents", 26), ("Warnings", 2), ("Not read", 1), ("All", 120)):
        next(
            button
            for button in page.find_elements("css selector", "#states button")
            if button.text.startswith(text)
        ).click()
        assert state(page)["shown"] == n_shown, text
    assert texts(page, ".log .name span")[:2] == ["two.pcap", "two.pcap"]
    order(page, "name")
    assert texts(page, ".log .name span")[:2] == ["000.pcap", "001.pcap"]


def test_a_label_can_be_chosen(night: Path, show: Show) -> None:
    """Twelve captures of a hundred and fifteen are blocked, and two have two incidents."""
    page = show(night)
    button = next(
        one
        for one in page.find_elements("css selector", "#labels button")
        if one.text.startswith("blocked")
    )
    button.click()
    assert state(page)["shown"] == 14
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert state(page)["shown"] == 120


def test_only_rows_on_screen_are_drawn(night: Path, show: Show) -> None:
    page = show(night)
    assert 5 < len(page.find_elements("css selector", ".log")) < 40
    page.execute_script("document.getElementById('logs').scrollTop = 1e6")
    wait_for(lambda: "cut.pcap" in texts(page, ".log .name span"))
    assert len(page.find_elements("css selector", ".log")) < 40


def test_a_fragment_opens_a_capture_and_an_incident(night: Path, show: Show) -> None:
    page = show(night, "#log=core/two.pcap&incident=2")
    assert (state(page)["open"], state(page)["incident"]) == ("core/two.pcap", 2)
    cards = page.find_elements("css selector", "#incidents a")
    assert [card.get_attribute("aria-current") for card in cards] == [None, "true"]
    low, high = zoomed(page)
    start_ms = START_NS // 10**6
    assert low < start_ms + 90_000
    assert high > start_ms + 100_000
    assert high - low < 100_000
    page.find_element("id", "whole").click()
    drawn(page)
    assert state(page)["incident"] == 0
    low, high = zoomed(page)
    assert (low, high) == (start_ms, start_ms + 120_000)


def zoomed(page: Any) -> tuple[float, float]:
    """Return from when to when the timeline shows."""
    low, high = page.execute_script(
        "const {range, r2l} = document.getElementById('timeline')._fullLayout.xaxis;"
        "return range.map((end) => r2l(end))"
    )
    return low, high


def test_pressing_an_incident_zooms_to_it(night: Path, show: Show) -> None:
    page = show(night, "#log=core/000.pcap")
    whole = zoomed(page)
    page.find_element("css selector", "#incidents a").click()
    drawn(page)
    part = zoomed(page)
    assert whole[0] <= part[0]
    assert part[1] < whole[1]
    assert "incident=1" in page.current_url
    page.back()
    wait_for(lambda: state(page)["incident"] == 0)


def test_times_are_right_however_one_zooms(night: Path, show: Show) -> None:
    """Above and below the picture: half a minute before the incident, then ten seconds of it."""
    page = show(night, "#log=core/000.pcap&incident=1")
    assert texts(page, ".x2tick text")[0] == "22:13:30"
    assert texts(page, ".xtick text")[0] == "22:13:30"
    page.execute_async_script(
        "Plotly.relayout('timeline', {'xaxis.range': [arguments[0], arguments[0] + 10000]})"
        ".then(arguments[1])",
        START_NS // 10**6 + 40_000,
    )
    wait_for(lambda: texts(page, ".x2tick text")[:2] == ["22:14:00", "22:14:02"])
    assert texts(page, ".xtick text")[:2] == ["22:14:00", "22:14:02"]


def test_two_captures_of_one_name_are_two(night: Path, show: Show) -> None:
    page = show(night, "#log=" + quote("core/two.pcap (2)"))
    chosen = page.find_element("css selector", ".log[aria-selected=true]")
    assert chosen.get_attribute("id") == "row-119"


def test_the_timeline_shows_the_verdicts_and_the_features(night: Path, show: Show) -> None:
    """Heights are confidences; the incident's own feature comes first; a gap breaks the line."""
    page = show(night, "#log=core/000.pcap&incident=1")
    heights = page.execute_script(
        "return document.getElementById('timeline').data"
        ".filter(trace => trace.fill === 'tozeroy').map(trace => [trace.fillcolor, trace.y])"
    )
    most = {colour: max(values) for colour, values in heights}
    assert most == {"#12a87c": 0.9, "#cf2231": 0.8}
    titles = page.execute_script(
        "return document.getElementById('timeline').layout.annotations.map(one => one.text)"
    )
    assert ["packets/s" in titles[0], "answers/s" in titles[1]] == [True, True]
    gaps = page.execute_script(
        "return document.getElementById('timeline').data.at(-1).y.map(value => value === null)"
    )
    assert [place for place, gap in enumerate(gaps) if gap] == [100]
    bands = page.execute_script(
        "return document.getElementById('timeline').layout.shapes"
        ".filter(one => one.type === 'rect' && one.yref === 'y2').map(one => [one.y0, one.y1])"
    )
    assert bands == [[10, 30]]


def test_the_cube_shows_the_windows_beside_the_examples(night: Path, show: Show) -> None:
    """Five windows have their middle in the incident, seven lie outside; ten examples."""
    page = show(night, "#log=core/000.pcap&incident=1")
    sizes = page.execute_script(
        "return document.getElementById('cube').data.slice(1).map(trace => trace.x.length)"
    )
    assert sizes == [8, 6, 6]


def test_a_capture_that_failed_says_why(night: Path, show: Show) -> None:
    page = show(night, "#log=core/broken.pcap")
    assert texts(page, "#troubles li") == ["core/broken.pcap: is empty"]
    assert not page.find_element("id", "pictures").is_displayed()


def test_a_capture_that_is_not_there_is_said(night: Path, show: Show) -> None:
    page = show(night, "#log=core/none.pcap")
    assert "no capture core/none.pcap" in page.find_element("id", "missing").text


def test_names_and_labels_are_only_text(night: Path, show: Show) -> None:
    """Markup in a name stays text everywhere, and its address leads back to it."""
    page = show(night, f"#log={quote(HOSTILE, safe='')}&incident=1")
    assert state(page)["open"] == HOSTILE
    assert page.title.startswith(HOSTILE)
    assert texts(page, "#log-name") == [HOSTILE]
    assert texts(page, "#incidents strong") == [HOSTILE]
    assert texts(page, "#troubles li") == [HOSTILE]
    assert "y" not in texts(page, "b")
    write(page, "owned")
    assert state(page)["shown"] == 1


def test_nothing_is_requested_and_nothing_complains(night: Path, show: Show) -> None:
    page = show(night, f"#log={quote(HOSTILE, safe='')}")
    messages = [entry["message"] for entry in page.get_log("browser")]
    assert [message for message in messages if HARMLESS not in message] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["documentURL"].startswith(BROWSERS_OWN)
    }
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {night.as_uri()}


def test_the_keyboard_leads_through_the_page(night: Path, show: Show) -> None:
    page = show(night)
    body = page.find_element("css selector", "body")
    body.send_keys("/")
    search = page.switch_to.active_element
    assert search.get_attribute("id") == "search"
    search.send_keys("core/01")
    assert state(page)["shown"] == 10
    search.send_keys("\ue00c")  # Escape clears it
    assert state(page)["shown"] == 120
    order(page, "given")
    logs = page.find_element("id", "logs")
    for key, name in (("\ue015", "000"), ("\ue015", "001"), ("\ue013", "000")):
        logs.send_keys(key)
        wait_for(lambda name=name: state(page)["open"] == f"core/{name}.pcap")
    logs.send_keys("\ue00c")
    wait_for(lambda: state(page)["open"] is None)


def test_a_narrow_screen_shows_the_list_or_one_capture(night: Path, show: Show) -> None:
    with screen(show(night), 390, 844):
        page = show(night)
        assert page.find_element("id", "overview").is_displayed()
        page.find_element("css selector", ".log").click()
        wait_for(lambda: state(page)["open"] == "core/two.pcap")
        drawn(page)
        assert not page.find_element("id", "overview").is_displayed()
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
        assert page.find_element("id", "timeline").rect["width"] > 300
        page.find_element("id", "back").click()
        wait_for(lambda: page.find_element("id", "overview").is_displayed())


def test_light_and_dark_keep_the_capture_open(night: Path, show: Show) -> None:
    page = show(night, "#log=core/000.pcap")
    before = state(page)
    page.find_element("id", "theme").click()
    drawn(page)
    after = state(page)
    assert (after["open"], after["theme"] != before["theme"]) == (before["open"], True)


def test_the_demos_page_is_there_and_opens(show: Show) -> None:
    """Of the captures of network C: a fault in three of them."""
    assert DEMO.stat().st_size < 6_000_000
    page = show(DEMO, "#log=data/C/blocked-1.pcap.zst&incident=1")
    assert state(page)["shown"] == 4
    assert texts(page, "#incidents strong") == ["blocked"]
    assert page.find_element("css selector", "#timeline .main-svg").is_displayed()


def test_an_old_browser_is_told_why(night: Path, browser: Any) -> None:
    script = browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.DecompressionStream"}
    )
    try:
        browser.get("about:blank")
        browser.get(night.as_uri())
        wait_for(lambda: "too old" in browser.find_element("id", "message").text)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
