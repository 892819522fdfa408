"""How usable the incident page stays with many captures: size, time to open, search and zoom.

    python benchmarks/report_speed.py [--captures 1000] [--keep report.html]

Captures are invented, five minutes each, one in five with a fault. Times are those of headless
Chromium that draws in software: what one waits, and what the page's own thread works, which is less
where other programs keep the machine busy. With a graphics card pictures come sooner.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.classification import LogResult
from traffic_siamese.log_detail import FeatureTrack, LogDetail
from traffic_siamese.types import Incident, Prototype, Verdict, WindowSpec
from traffic_siamese.views.report import ReportAbout, ReportWriter

SECOND = 10**9
START_NS = 1_790_000_000 * SECOND
LABELS = ("blocked", "capacity", "latency", "route_misconfig", "server_overload")
N_TRACKS, N_BINS = 6, 300
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1440,900",
)


def main() -> None:
    """Write a page, open it, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--captures", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="where to leave the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        page = options.keep or Path(name) / "report.html"
        write_s = write(page, options.captures)
        each_ms, size_mb = 1000 * write_s / options.captures, page.stat().st_size / 1e6
        print(
            f"{options.captures:,} captures: {size_mb:.1f} MB, written in {write_s:.1f} s", end=""
        )
        print(f" ({each_ms:.1f} ms each)")
        print(f"  {'':42} {'waited':>10} {'worked':>10}")
        for what, (waited_ms, worked_ms) in measure(page, Path(name)).items():
            print(f"  {what:42} {waited_ms:7.0f} ms {worked_ms:7.0f} ms")


def write(page: Path, n_captures: int) -> float:
    """Write the page of invented captures; return the seconds that it took."""
    rng = np.random.default_rng(0)
    results = [invented(number, rng) for number in range(n_captures)]
    began = time.perf_counter()
    with ReportWriter(page, about(n_captures)) as report:
        for result in results:
            report.add(result)
    return time.perf_counter() - began


def about(n_captures: int) -> ReportAbout:
    """Return a model of forty examples."""
    rng = np.random.default_rng(1)
    prototypes = [
        Prototype(
            label,
            np.zeros((1, 1), np.float32),
            np.zeros((2, 1), np.float32),
            rng.random(48, np.float32),
            {"capture": f"A/{label}.pcap", "network": "A"},
        )
        for label in ("normal", *LABELS)
        for _ in range(7)
    ]
    return ReportAbout("model", WindowSpec(), 48, prototypes, "A", n_captures)


def invented(number: int, rng: np.random.Generator) -> LogResult:
    """Return a capture of five minutes; every fifth has an incident, every hundredth failed."""
    name = f"core-{number % 7}/2026-09-{1 + number % 28:02d}/capture-{number:05d}.pcap.gz"
    if number % 100 == 99:
        return LogResult(name, error=f"{name}: not a capture (it begins with 00 00 00 00).")
    start_ns = START_NS + 300 * number * SECOND
    label = LABELS[number // 5 % len(LABELS)] if number % 5 == 0 else "normal"
    verdicts = tuple(
        window(name, start_ns + 8 * i * SECOND, label if 10 <= i < 25 else "normal", rng)
        for i in range(34)
    )
    incidents: tuple[Incident, ...] = ()
    if label != "normal":
        times = start_ns + 80 * SECOND, start_ns + 220 * SECOND
        why = f"503 share 0 % → {number % 90} % from 12:03:14; answers {number % 9 + 2}× slower"
        features = tuple(f"feature_{i}" for i in range(3))
        incidents = (Incident(name, *times, label, 0.9, 15, why, features=features),)
    return LogResult(name, verdicts, incidents, detail=tracks(start_ns, rng))


def window(name: str, start_ns: int, label: str, rng: np.random.Generator) -> Verdict:
    """Return a verdict with a place of its own."""
    place = rng.random(3).tolist()
    near, far = rng.random(2).tolist()
    end_ns, why = start_ns + 32 * SECOND, "" if label == "normal" else "answers 5× slower"
    return Verdict(
        name, start_ns, end_ns, label, near, 0.5 + near / 2, "capacity", near + far, *place, why
    )


def tracks(start_ns: int, rng: np.random.Generator) -> LogDetail:
    """Return features as they are: small counts and delays of any number of digits."""
    counts = rng.poisson(20, (N_BINS, N_TRACKS)).astype(np.float32)
    counts[:, -2:] = 0.02 * rng.lognormal(size=(N_BINS, 2))
    drawn = [
        FeatureTrack(f"feature_{i}", f"feature {i}", "requests/s", "", (10, 20, 30), counts[:, i])
        for i in range(N_TRACKS)
    ]
    starts = start_ns + np.arange(N_BINS) * SECOND
    return LogDetail(tuple(drawn), starts, np.zeros(N_BINS, np.int64), 1.0, "A")


def measure(page: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Open the page and do what people do; milliseconds waited and worked for each."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "google-chrome"
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(300)
    driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    actions: dict[str, Callable[[], float]] = {
        "open, until the list can be used": lambda: opened(driver, page),
        "search for a fault and draw the list": lambda: typed(driver, "overload"),
        "only with incidents": lambda: clicked(driver, "#states button:nth-child(2)"),
        "sort by name": lambda: ordered(driver, "name"),
        "open a capture, plotly.js unpacked": lambda: shown(driver, 0),
        "open another capture": lambda: shown(driver, 5),
        "zoom to its incident": lambda: shown(driver, 5, incident=1),
    }
    try:
        found = {}
        for what, action in actions.items():
            before_ms = worked(driver)
            waited_ms = action()
            found[what] = waited_ms, worked(driver) - before_ms
        return found
    finally:
        driver.quit()


def worked(driver: Any) -> float:
    """Milliseconds that the page's main thread has worked until now."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(1000 * one["value"] for one in metrics if one["name"] == "TaskDuration")


def opened(driver: Any, page: Path) -> float:
    """Load the page; until it says that it is ready."""
    began = time.perf_counter()
    driver.get(page.as_uri())
    while not driver.execute_script("return Boolean(window.report)"):
        time.sleep(0.005)
    return 1000 * (time.perf_counter() - began)


NEXT_FRAME = "requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));"


def timed(driver: Any, action: str) -> float:
    """Run a script in the page; until the picture after it has been drawn."""
    script = f"const done = arguments[0], began = performance.now(); {action}; {NEXT_FRAME}"
    return float(driver.execute_async_script(script))


def typed(driver: Any, text: str) -> float:
    """Type into the search field."""
    box = "document.getElementById('search')"
    action = f"{box}.value = '{text}'; {box}.dispatchEvent(new Event('input'))"
    milliseconds = timed(driver, action)
    driver.execute_script(f"{box}.value = ''; {box}.dispatchEvent(new Event('input'))")
    return milliseconds


def clicked(driver: Any, selector: str) -> float:
    """Press a button."""
    return timed(driver, f"document.querySelector('{selector}').click()")


def ordered(driver: Any, order: str) -> float:
    """Choose an order."""
    box = "document.getElementById('order')"
    return timed(driver, f"{box}.value = '{order}'; {box}.dispatchEvent(new Event('change'))")


def shown(driver: Any, number: int, *, incident: int = 0) -> float:
    """Open a capture of a number that has an incident; until its pictures stand."""
    name = invented(number, np.random.default_rng(0)).log
    address = f"log={name}" + (f"&incident={incident}" if incident else "")
    return float(
        driver.execute_async_script(
            """
            const [address, done] = arguments, began = performance.now();
            location.hash = address;
            const look = () => (report.state().open && !report.state().drawing
              ? done(performance.now() - began) : setTimeout(look, 2));
            setTimeout(look, 2);
            """,
            address,
        )
    )


if __name__ == "__main__":
    main()
