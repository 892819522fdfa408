"""How fast the training film plays in headless Chromium, and how large it is.

    python benchmarks/film_speed.py [--points 3000] [--epochs 120] [--width 1440] [--height 900]
    python benchmarks/film_speed.py --page demo/separation.html [--press t]

Chromium draws without a graphics card (SwiftShader), which is the slowest machine that a film can
meet. Printed are the size, the time until the page stands, frames a second, and the processor time
that a frame takes in the page's process and in the one that draws. The latter two do not depend on
what else runs; they work side by side, so the slower of them limits the frames on an idle machine.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from traffic_siamese.history import TrainingHistory
from traffic_siamese.views.film import write_film
from traffic_siamese.views.film_run import FilmRun

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
LABELS = ("normal", "blocked", "capacity", "latency", "packet_loss", "auth_failure", "flood")


def main() -> None:
    """Write a film of a made-up training, or take the page given, and play it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long to watch it play")
    parser.add_argument("--press", default="", help="keys to press before, such as t for trails")
    parser.add_argument("--page", type=Path, help="a film that exists already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = options.page or Path(folder) / "film.html"
        if options.page is None:
            write_film(
                FilmRun(made_up_history(options.points, options.epochs)), page, title="Speed"
            )
        driver = start_chromium(options.width, options.height, Path(folder))
        try:
            found = play(driver, page.resolve(), seconds=options.seconds, keys=options.press)
        finally:
            driver.quit()
        page_ms, draw_ms = found["page_ms"], found["gpu_ms"]
        print(
            f"{page.stat().st_size / 1e6:.2f} MB, {found['points']:,} points, "
            f"{options.width}x{options.height}: open in {found['open_s']:.1f} s, "
            f"{found['per_s']:.1f} frames/s; processor time a frame: page {page_ms:.0f} ms, "
            f"drawing {draw_ms:.0f} ms, so {1000 / max(page_ms, draw_ms, 1000 / 60):.0f} frames/s "
            "on an idle machine"
        )


def made_up_history(n_points: int, n_epochs: int) -> TrainingHistory:
    """Labels that walk to corners of the cube, each point with noise of its own every epoch."""
    rng = np.random.default_rng(0)
    number = rng.integers(0, len(LABELS), n_points)
    corner = (np.array([[k & 1, k >> 1 & 1, k >> 2 & 1] for k in range(7)]) * 0.8 + 0.1)[number]
    share = (1 - np.exp(-3 * np.linspace(0, 1, n_epochs + 1)))[:, None, None]
    start = 0.5 + 0.1 * rng.standard_normal((n_points, 3))
    jitter = 0.008 * rng.standard_normal((n_epochs + 1, n_points, 3))
    spread = 0.03 * rng.standard_normal((n_points, 3))
    curve = np.linspace(3, 0.5, n_epochs + 1).astype(np.float32)
    return TrainingHistory(
        embeddings=np.clip(start + share * (corner + spread - start) + jitter, 0, 1).astype("f4"),
        label=np.array(LABELS)[number],
        capture=np.array([f"A/{LABELS[k]}-{k}.pcap.zst" for k in number]),
        network=np.full(n_points, "A"),
        start_ns=1_700_000_000_000_000_000 + np.arange(n_points) * 8_000_000_000,
        held_out=rng.random(n_points) < 0.3,
        prototype=np.arange(n_points) < 35,
        loss=curve,
        val_loss=curve * 1.1,
        separation=4 - curve,
        active_triplets=curve / 4,
    )


def start_chromium(width: int, height: int, profile: Path) -> Any:
    """Start headless Chromium with a screen of this size."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}/profile"):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    driver.set_script_timeout(120)
    return driver


COUNT_FRAMES = """
const [seconds, done] = arguments;
film.play();
const start = performance.now(), before = film.state();
setTimeout(() => {
  const after = film.state(), n = after.framesDrawn - before.framesDrawn;
  film.pause();
  done({ frames: n, per_s: 1000 * n / (performance.now() - start), points: after.nPoints });
}, 1000 * seconds);
"""


def processor_s(driver: Any) -> dict[str, float]:
    """Return the processor time so far of Chromium's page and drawing processes."""
    spent = {"page": 0.0, "gpu": 0.0}
    for process in psutil.Process(driver.service.process.pid).children(recursive=True):
        command = " ".join(process.cmdline())
        kind = (
            "page" if "--type=renderer" in command else "gpu" if "=gpu-process" in command else ""
        )
        if kind:
            times = process.cpu_times()
            spent[kind] += times.user + times.system
    return spent


def play(driver: Any, page: Path, *, seconds: float, keys: str) -> dict[str, float]:
    """Open a film, play it, and count the frames that were really drawn."""
    began = time.monotonic()
    driver.get(page.as_uri())
    while not driver.execute_script("return Boolean(window.film)"):
        time.sleep(0.02)
    open_s = time.monotonic() - began
    for key in keys:
        driver.execute_script(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', "
            "{key: arguments[0], bubbles: true, cancelable: true}))",
            key,
        )
    driver.execute_async_script("film.seek(0).then(arguments[0])")
    before = processor_s(driver)
    found: dict[str, float] = driver.execute_async_script(COUNT_FRAMES, seconds)
    after = processor_s(driver)
    each = {f"{k}_ms": 1000 * (after[k] - before[k]) / max(found["frames"], 1) for k in after}
    return found | each | {"open_s": open_s}


if __name__ == "__main__":
    main()
