"""``traffic-siamese train``: from labelled captures to a model that classifies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke
from traffic_siamese.cli.train import LOSSES

pytestmark = pytest.mark.slow


def _train(captures: Path, model: Path, *more: object) -> tuple[object, ...]:
    size = ("--window", 16, "--stride", 4, "--held-out", 0)
    return ("train", captures, "--labels", captures / "labels.csv", "-m", model, *size, *more)


def test_a_trained_model_recognises_what_it_was_shown(
    invoke: Invoke, captures: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    result = invoke(*_train(captures, model, "--epochs", 3))
    assert "epoch 1/3  loss " in result.stderr
    assert "epoch 3/3  loss " in result.stderr
    assert "the windows it was trained on" in result.stderr
    found = invoke("classify", captures / "A/refused-1.pcap", "-m", model, "-n", "A")
    assert "refused" in found.stdout
    about = json.loads(invoke("inspect", model, "--json").stdout)
    assert about["window_s"] == 16
    assert sorted(about["networks"]) == ["A", "B"]


def test_options_reach_the_training(invoke: Invoke, captures: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    runs, points = tmp_path / "runs", tmp_path / "points"
    more = ("--epochs", 1, "--loss", "triplet", "--margin", 0.3, "--embedding-dim", 4, "--seed", 3)
    more = (*more, "--tensorboard", runs)
    report = json.loads(invoke(*_train(captures, model, *more, "--json", "-q")).stdout)
    assert report["labels"] == ["normal", "refused"]
    settings = json.loads((model / "bundle.json").read_text())
    assert settings["embedding_dim"] == 4
    assert settings["training"]["loss"] == "triplet"
    assert settings["training"]["margin"] == 0.3
    assert settings["training"]["seed"] == 3
    assert len((runs / "embedding.tsv").read_text().splitlines()[0].split("\t")) == 4
    assert len(list(runs.glob("events.out.tfevents.*"))) == 1
    assert json.loads(invoke("export", model, "--projector", points, "--json").stdout)["axes"] == 4


def test_the_losses_offered_are_those_there_are() -> None:
    from traffic_siamese.losses import LOSSES as THERE

    assert set(LOSSES) == set(THERE)


def test_too_long_a_window_is_told(invoke: Invoke, captures: Path, tmp_path: Path) -> None:
    words = ("train", captures, "--labels", captures / "labels.csv", "-m", tmp_path / "m")
    result = invoke(*words, "--window", 900, code=1)
    assert "no labelled interval holds a window of 900 bins" in result.stderr
