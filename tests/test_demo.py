"""The demo runs from end to end, and what it says is what it wrote."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class DemoRun:
    """Where the demo wrote, and what it said."""

    out: Path
    text: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Run the demo with a short training, twice in the same folder as people do."""
    out = tmp_path_factory.mktemp("demo")
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / "demo.py", "--out", out, "--epochs", "1"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return DemoRun(out, done.stdout)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_demo_writes_a_model_verdicts_and_two_pages(demo: DemoRun) -> None:
    assert (demo.out / "model" / "bundle.json").is_file()
    for page in ("separation.html", "incidents.html"):
        assert (demo.out / page).stat().st_size > 1_000_000
    for name in ("known", "before", "after", "again"):
        assert _rows(demo.out / f"{name}-verdicts.csv")


@pytest.mark.slow
def test_the_demo_shows_every_incident_that_it_wrote(demo: DemoRun) -> None:
    """Each incident's label and confidence stand in the text, in the order of the table."""
    position = 0
    for name in ("known", "before", "after"):
        for row in _rows(demo.out / f"{name}-incidents.csv"):
            shown = f"{row['label']} {float(row['confidence']):.2f}"
            position = demo.text.find(shown, position)
            assert position >= 0, f"{shown} of {name} is not shown"


@pytest.mark.slow
def test_the_new_fault_appears_only_after_it_was_taught(demo: DemoRun) -> None:
    before = {row["label"] for row in _rows(demo.out / "before-verdicts.csv")}
    assert "route_misconfig" not in before
    listed = subprocess.run(
        [sys.executable, "-m", "traffic_siamese", "faults", "list", "--model", demo.out / "model"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "route_misconfig" in listed.stdout
