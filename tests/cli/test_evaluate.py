"""``evaluate``: one example of each fault, what cannot be measured, and ``--leave-out``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tiny import at
from tests.conftest import Invoke


def _evaluate(invoke: Invoke, captures: Path, model: Path, *more: object) -> dict[str, Any]:
    words = ("evaluate", captures, "--labels", captures / "labels.csv", "-m", model, "--json")
    return dict(json.loads(invoke(*words, *more).stdout))


def _labels(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_a_fault_is_asked_about_with_one_example(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    found = _evaluate(invoke, captures, model)
    assert found["faults"]["refused"]["known"]["mean"] > 0.9
    nearest = found["methods"]["nearest example"]
    assert nearest["same"]["mean"] > 0.9
    assert nearest["other"]["mean"] > 0.9
    assert nearest["AUROC"]["mean"] > 0.9
    assert set(found["methods"]) == {"as classify decides", "nearest example"}  # 3 axes are all
    assert found["trained_on"] == ["normal", "refused"]


def test_pairs_and_incidents_are_measured(invoke: Invoke, captures: Path, model: Path) -> None:
    found = _evaluate(invoke, captures, model)
    after = found["verification"]["embeddings"]
    assert after["equal_error_rate"] < 0.1
    assert after["cohens_d"] > 1
    incidents = found["incidents"]
    assert incidents["false_incidents"] == 0
    assert incidents["hours_without_fault"] == pytest.approx(2 * 27 * 4 / 3600, abs=1e-3)
    assert [one["label"] for one in incidents["faults"]] == ["refused", "refused"]
    assert all(0 < one["raised_after_s"] < 40 for one in incidents["faults"])


def test_sides_keep_examples_from_travelling(invoke: Invoke, captures: Path, model: Path) -> None:
    found = _evaluate(invoke, captures, model, "--sides", "A:B")
    assert "other" not in found["methods"]["nearest example"]
    assert any("no example from another one" in note for note in found["notes"])


def test_the_same_question_has_the_same_answer(invoke: Invoke, captures: Path, model: Path) -> None:
    first, second = (_evaluate(invoke, captures, model) for _ in range(2))
    assert first == second


def test_it_all_is_one_screen(invoke: Invoke, captures: Path, model: Path) -> None:
    result = invoke("evaluate", captures, "--labels", captures / "labels.csv", "-m", model)
    text = result.stdout
    assert len(text.splitlines()) < 30
    assert "nan" not in text
    for part in ("CONFUSION", "ONE EXAMPLE", "AUROC", "Cohen's d", "False incidents: 0 in"):
        assert part in text
    assert "One capture only of refused (A)" in result.stderr


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("normal", ["name no fault"]),
        ("refused", ["no window is labelled normal", "false incidents: not measured"]),
        ("novel", ["not in the model's library: novel"]),
    ],
)
def test_what_cannot_be_measured_is_said(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, label: str, words: list[str]
) -> None:
    labels = _labels(
        tmp_path, f"capture,start,end,label\nA/refused-1.pcap,{at(60)},{at(120)},{label}\n"
    )
    result = invoke("evaluate", captures, "--labels", labels, "-m", model)
    assert all(word in result.output.lower() for word in words)
    assert "nan" not in result.output
    as_json = invoke("evaluate", captures, "--labels", labels, "-m", model, "--json")
    json.loads(as_json.stdout, parse_constant=lambda name: pytest.fail(name))


def test_one_network_says_what_could_not_be_asked(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    lines = (captures / "labels.csv").read_text().splitlines()
    labels = _labels(tmp_path, "\n".join(line for line in lines if not line.startswith("B")))
    result = invoke("evaluate", captures, "--labels", labels, "-m", model)
    assert "no example could come from another one" in result.stderr
    assert "every one of these captures" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing option '--model'"),
        (("--model", "m", "--folds", "2"), "--folds is an option of --leave-out"),
        (("--model", "m", "--peers"), "--peers is an option of --leave-out"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    invoke: Invoke, captures: Path, words: tuple[str, ...], message: str
) -> None:
    result = invoke("evaluate", captures, "--labels", captures / "labels.csv", *words, code=2)
    assert message in result.stderr


def test_leaving_out_needs_the_extra(captures: Path) -> None:
    """A child interpreter in which TensorFlow and Keras are not installed."""
    words = ["evaluate", str(captures), "--labels", str(captures / "labels.csv"), "--leave-out"]
    script = (
        "import sys; sys.modules.update(keras=None, tensorflow=None)\n"
        f"from traffic_siamese.cli.app import cli; cli({words!r})"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert child.returncode == 1
    assert child.stderr.startswith("Error: training needs")
    assert "pip install 'traffic-siamese[train]'" in child.stderr


@pytest.mark.slow
def test_one_fault_cannot_be_left_out(invoke: Invoke, captures: Path) -> None:
    result = invoke(
        "evaluate", captures, "--labels", captures / "labels.csv", "--leave-out", code=1
    )
    assert "1 fault, expected at least 2" in result.stderr
