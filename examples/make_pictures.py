"""Make the pictures of README and tutorial from the real pages, in headless Chromium.

``make pictures`` runs it, after anything that changes how the pages look. The pages are made as the
tutorial makes them, with the model that ships.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
MAX_BYTES = 200_000
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
NETWORK = "practice/network-1"
INCIDENT = f"#log={NETWORK}/mass_call-1.pcap.zst&incident=1"
SETTLES_S = 6.0
AT_THE_END = """
    const slider = document.querySelector("input[type=range]");
    return slider && slider.max > 0 && slider.value === slider.max;
"""


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as name, browser() as driver:
        film, report = (path.as_uri() for path in make_pages(Path(name)))
        picture(driver, film, "film", height=800, last_frame=True)
        picture(driver, report, "incidents", height=590)
        picture(driver, report + INCIDENT, "incident", height=1050)


def make_pages(folder: Path) -> tuple[Path, Path]:
    """Make the film and the page of incidents."""
    model = "--model mine"
    for line in (
        "init mine",
        "film mine -o separation.html",
        "simulate practice --faults auth_failure,mass_call --networks 1 --seed 7",
        f"baseline {NETWORK}/normal-1.pcap.zst {model} --network network-1",
        f"classify {NETWORK} {model} --network network-1 --report report.html",
    ):
        words = [sys.executable, "-m", "traffic_siamese", *line.split(), "--quiet"]
        done = subprocess.run(words, cwd=folder, check=False, stdout=subprocess.DEVNULL)
        if done.returncode not in (0, 3):
            sys.exit(f"{line}: exit status {done.returncode}.")
    return folder / "separation.html", folder / "report.html"


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Open Chromium without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def picture(
    driver: webdriver.Chrome, url: str, name: str, *, height: int, last_frame: bool = False
) -> None:
    """Photograph a page when it has settled."""
    driver.set_window_size(1280, height)
    driver.get("about:blank")  # of one page, another fragment alone would load nothing
    driver.get(url)
    time.sleep(SETTLES_S)
    while last_frame and not driver.execute_script(AT_THE_END):
        ActionChains(driver).send_keys(Keys.END).perform()
        time.sleep(SETTLES_S)
    save(driver.get_screenshot_as_png(), DOCS / f"{name}.png")


def save(png: bytes, path: Path) -> None:
    """Write a picture in all its colours; in fewer only if it were too large."""
    shot = Image.open(BytesIO(png)).convert("RGB")
    shot.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        shot.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{os.path.relpath(path)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
