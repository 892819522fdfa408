"""Histories to draw, and a browser to look with."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from traffic_siamese.history import TrainingHistory

CORNERS = np.array([[0.1, 0.1, 0.1], [0.9, 0.9, 0.1], [0.9, 0.1, 0.9], [0.1, 0.9, 0.9]])
BROWSER_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1000,700",
)


def make_history(
    n_points: int = 40,
    n_epochs: int = 6,
    *,
    dim: int = 3,
    labels: tuple[str, ...] = ("normal", "blocked", "capacity", "flood"),
    **replaced: Any,
) -> TrainingHistory:
    """Labels that walk in straight lines from the middle of the cube to a corner each."""
    rng = np.random.default_rng(5)
    label = np.array(labels)[np.arange(n_points) % len(labels)]
    goal = np.resize(CORNERS, (len(labels), dim))[np.arange(n_points) % len(labels)]
    start = 0.5 + 0.05 * rng.standard_normal((n_points, dim))
    goal = goal + 0.02 * rng.standard_normal((n_points, dim))
    share = np.linspace(0, 1, n_epochs + 1)[:, None, None]
    curve = np.linspace(3, 0.5, n_epochs + 1).astype(np.float32)
    fields = {
        "embeddings": np.clip(start + share * (goal - start), 0, 1).astype(np.float32),
        "label": label,
        "capture": np.array([f"A/{name}-1.pcap" for name in label]),
        "network": np.full(n_points, "A"),
        "start_ns": 1_700_000_000_000_000_000 + np.arange(n_points) * 8_000_000_000,
        "held_out": np.arange(n_points) % 3 == 0,
        "prototype": np.arange(n_points) < len(labels),
        "loss": np.where(np.arange(n_epochs + 1) == 0, np.nan, curve).astype(np.float32),
        "val_loss": np.full(n_epochs + 1, np.nan, np.float32),
        "separation": np.linspace(0.9, 8.4, n_epochs + 1).astype(np.float32),
        "active_triplets": curve / 4,
    }
    return TrainingHistory(**(fields | replaced))


@pytest.fixture
def history() -> TrainingHistory:
    """Forty windows of four labels over six epochs."""
    return make_history()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium, or a skip where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def open_page(browser: Any) -> Callable[[Path], Any]:
    """Open a film from its file and wait until it is drawn."""

    def opened(path: Path) -> Any:
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(path.as_uri())
        wait_for(lambda: browser.execute_script("return Boolean(window.film)"))
        return browser

    return opened


def wait_for(condition: Callable[[], Any], *, limit_s: float = 40.0) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain"
        time.sleep(0.05)
