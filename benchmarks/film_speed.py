"""How fast the training film plays in headless Chromium, and how large it is.

    python benchmarks/film_speed.py [--points 3000] [--epochs 120] [--width 1440] [--height 900]
    python benchmarks/film_speed.py --page demo/separation.html

Chromium draws without a graphics card (SwiftShader), which is the slowest machine that a film can
meet. One line is printed: size, the time until the page stands, and frames a second.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

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
            write_film(FilmRun(made_up_history(options.points, options.epochs)), page, title="Speed")
        driver = start_chromium(options.width, options.height, Path(folder))
        try:
            found = play(driver, page.resolve(), seconds=options.seconds, keys=options.press)
        finally:
            driver.quit()
        print(
            f"{page.stat().st_size / 1e6:.2f} MB, {found['points']:,} points, "
            f"{options.width}x{options.height}: open in {found['open_s']:.1f} s, "
            f"{found['per_s']:.1f} frames/s ({found['draw_ms']:.1f} ms of script each, "
            f"slowest {found['slowest_ms']:.0f} ms)"
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
const [seconds, done] = arguments, start = performance.now(), before = film.state();
const gaps = [];
let last = start;
film.seek(0).then(() => {
  film.play();
  const tick = () => {
    const now = performance.now(), drawn = film.state().framesDrawn;
    if (tick.drawn !== drawn) { gaps.push(now - last); last = now; tick.drawn = drawn; }
    if (now - start < 1000 * seconds && film.state().playing) requestAnimationFrame(tick);
    else {
      const after = film.state(), n = after.framesDrawn - before.framesDrawn;
      film.pause();
      done({ per_s: n / (now - start) * 1000, points: after.nPoints,
             draw_ms: (after.drawMs - before.drawMs) / n, slowest_ms: Math.max(...gaps.slice(5)) });
    }
  };
  requestAnimationFrame(tick);
});
"""


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
    found: dict[str, float] = driver.execute_async_script(COUNT_FRAMES, seconds)
    return found | {"open_s": open_s}


if __name__ == "__main__":
    main()
