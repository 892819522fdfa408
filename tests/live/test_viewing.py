"""What there is to show of a model's folder, from nothing to the finished model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.live.conftest import ActedTraining
from tests.views.conftest import make_history
from traffic_siamese.bundle import load_bundle
from traffic_siamese.history import TrainingHistory
from traffic_siamese.live import viewing
from traffic_siamese.live.viewing import Viewing


@pytest.fixture(autouse=True)
def _read_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "_KEEP_S", 0.0)


def test_a_training_is_seen_from_before_it_begins_to_after_its_end(
    training: ActedTraining, model: Path
) -> None:
    """Nothing, epochs as they come, the saving, and the model's own film."""
    seen = Viewing(training.model)
    shutil.move(model, training.model.with_name("made"))
    assert seen.look().status.phase == "waiting"
    assert str(training.model) in seen.look().status.command
    for epoch in (0, 1, 4):
        training.run(epoch)
        view = seen.look()
        assert view.status.phase == "training"
        assert view.run is not None
        assert view.run.epoch == epoch
    training.run(6, state="trained")
    assert seen.look().status.phase == "saving"
    shutil.copytree(training.model.with_name("made"), training.model, dirs_exist_ok=True)
    assert seen.look().status.phase == "saving"  # until the model is whole and the rest gone
    shutil.rmtree(training.model / "unfinished")
    done = seen.look()
    assert done.status.phase == "done"
    assert "2026-11-22 06:00 UTC" in done.status.detail
    assert done.status.command == f"traffic-siamese film {training.model} -o separation.html"
    assert done.run is not None
    history = TrainingHistory.load(load_bundle(training.model).history_path)
    assert done.run.epoch == history.n_epochs
    newest = done.run.epochs[-1].positions / 65535
    np.testing.assert_allclose(newest, history.embeddings[-1], atol=1 / 65535)
    np.testing.assert_array_equal(done.run.points.prototype, history.prototype)


def test_a_broken_run_is_told_and_its_points_stay(training: ActedTraining) -> None:
    """Continued, it is the same run; begun anew, it is another."""
    seen = Viewing(training.run(3, state="broken off").model)
    broken = seen.look()
    assert broken.status.phase == "broken off"
    assert broken.run is not None
    assert broken.run.epoch == 3
    ActedTraining(training.model, first_epoch=3).run(4)
    again = seen.look()
    assert again.status.phase == "training"
    assert again.status.first_epoch == 3
    assert again.run is not None
    assert (again.run.run_id, again.run.epoch) == (broken.run.run_id, 4)
    shutil.rmtree(training.model / "unfinished")
    ActedTraining(training.model).run(1)
    new = seen.look()
    assert new.run is not None
    assert new.run.run_id != broken.run.run_id
    assert new.run.epoch == 1


def test_a_training_that_has_run_away_is_told(tmp_path: Path) -> None:
    """Its points stand in the middle, which says nothing; before training there is no loss."""
    history = make_history()
    loss, embeddings = history.loss.copy(), history.embeddings.copy()
    loss[2:], embeddings[2:] = np.nan, np.nan
    training = ActedTraining(tmp_path, replace(history, loss=loss, embeddings=embeddings))
    seen = Viewing(tmp_path)
    for epoch, has_failed in ((0, False), (1, False), (2, True)):
        training.run(epoch)
        assert ("no longer a number" in seen.look().status.detail) == has_failed
        assert seen.look().status.phase == "training"


def test_only_new_epochs_are_read(training: ActedTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches long reads little."""
    from traffic_siamese.live import shown

    read: list[int] = []
    whole = shown.read_epoch

    def counted(folder: Path, number: int, *, n_points: int) -> object:
        read.append(number)
        return whole(folder, number, n_points=n_points)

    monkeypatch.setattr(shown, "read_epoch", counted)
    seen = Viewing(training.run(2).model)
    seen.look()
    seen.look()
    training.run(4)
    seen.look()
    assert read == [0, 1, 2, 3, 4]


def test_many_viewers_cost_no_more_than_one(
    training: ActedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewing, "_KEEP_S", 60.0)
    seen = Viewing(training.run(2).model)
    first = seen.look()
    training.run(3)
    assert all(seen.look() is first for _ in range(20))


@pytest.mark.parametrize("name", ["run.json", "points.npz", "epoch-00001.npz"])
def test_a_damaged_run_beside_a_model_shows_the_model(
    training: ActedTraining, model: Path, name: str
) -> None:
    shutil.copytree(training.run(2).model / "unfinished", model / "unfinished")
    (model / "unfinished" / name).write_bytes(b"\x00" * 10)
    assert Viewing(model).look().status.phase == "done"


def test_a_damaged_model_is_told_in_words(model: Path) -> None:
    """And shown again once it is mended."""
    pointer = model / "bundle.json"
    whole = pointer.read_bytes()
    pointer.write_bytes(b"{}")
    seen = Viewing(model)
    assert seen.look().status.headline == "The model cannot be read"
    assert str(model) in seen.look().status.detail
    pointer.write_bytes(whole)
    assert seen.look().status.phase == "done"
