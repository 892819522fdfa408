"""What a training leaves for watchers, against the arrays that it was given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.live.conftest import ActedTraining
from tests.views.conftest import make_history
from traffic_siamese.live import run_log
from traffic_siamese.live.run_files import (
    UnreadableRunError,
    read_epoch,
    read_head,
    read_points,
    to_steps,
)


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_positions_are_the_first_three_axes_in_steps(dim: int) -> None:
    """0 to 1 as 0 to 65535, what is outside at the edge; a missing axis and NaN in the middle."""
    embeddings = np.random.default_rng(0).uniform(-0.2, 1.2, (2, 6, dim)).astype(np.float32)
    embeddings[1, 2, 0] = np.nan
    steps = to_steps(embeddings)
    assert steps.shape == (2, 6, 3)
    for place in np.ndindex(2, 6, 3):
        value = float(embeddings[place]) if place[2] < dim else 0.5
        value = 0.5 if value != value else min(max(value, 0.0), 1.0)
        assert abs(int(steps[place]) - 65535 * value) <= 0.51


def test_files_hold_what_the_training_had(training: ActedTraining) -> None:
    """Read with numpy and json alone; nothing in them is a pickle."""
    training.run(2)
    folder, history = training.model / "unfinished", training.history
    with np.load(folder / "epoch-00002.npz", allow_pickle=False) as archive:
        drawn = archive["positions"] / 65535
        curves = archive["curves"]
    np.testing.assert_allclose(drawn, history.embeddings[2], atol=1 / 65535)
    expected = [history.loss[2], history.val_loss[2], history.separation[2]]
    np.testing.assert_allclose(curves, expected)
    with np.load(folder / "points.npz", allow_pickle=False) as archive:
        for name in ("label", "capture", "network", "start_ns", "held_out"):
            np.testing.assert_array_equal(archive[name], getattr(history, name))
    head = json.loads((folder / "run.json").read_text())
    assert (head["epoch"], head["n_epochs"], head["state"]) == (2, 6, "training")
    assert head["eta_s"] == 400.0
    assert not list(folder.glob("*.partial"))


def test_an_epoch_is_cheap(tmp_path: Path) -> None:
    """Of 1,500 windows, the most that a training follows: less than 10 kB."""
    history = make_history(1500, 1)
    ActedTraining(tmp_path, history).run(1)
    assert (tmp_path / "unfinished/epoch-00001.npz").stat().st_size < 10_000


@pytest.mark.parametrize("name", ["run.json", "points.npz", "epoch-00001.npz"])
def test_a_file_that_is_cut_anywhere_is_unreadable_and_no_other_error(
    training: ActedTraining, name: str
) -> None:
    training.run(1)
    folder = training.model / "unfinished"
    whole = (folder / name).read_bytes()
    read = {
        "run.json": lambda: read_head(folder),
        "points.npz": lambda: read_points(folder),
        "epoch-00001.npz": lambda: read_epoch(folder, 1, n_points=40),
    }[name]
    read()
    for length in (*range(0, len(whole), max(1, len(whole) // 50)), len(whole) - 1):
        (folder / name).write_bytes(whole[:length])
        with pytest.raises(UnreadableRunError):
            read()
    (folder / name).unlink()
    with pytest.raises(UnreadableRunError):
        read()


def test_files_of_another_shape_are_unreadable(training: ActedTraining) -> None:
    training.run(1)
    folder = training.model / "unfinished"
    with pytest.raises(UnreadableRunError, match=r"\(40, 3\)"):
        read_epoch(folder, 1, n_points=41)
    whole = json.loads((folder / "run.json").read_text())
    for wrong in ({"epoch": 3}, {**whole, "epoch": "3"}, {**whole, "pid": -1}, [whole]):
        (folder / "run.json").write_text(json.dumps(wrong))
        with pytest.raises(UnreadableRunError):
            read_head(folder)


def test_a_continued_run_keeps_its_name_and_its_epochs(training: ActedTraining) -> None:
    """A run that is begun anew has another name."""
    folder = training.run(3).model / "unfinished"
    before = read_head(folder)
    stamp = (folder / "epoch-00002.npz").stat().st_mtime_ns
    (folder / "epoch-00001.npz").unlink()  # lost, say; it is written again
    ActedTraining(training.model, first_epoch=3).run(4)
    after = read_head(folder)
    assert after.run_id == before.run_id
    assert (after.epoch, after.first_epoch) == (4, 3)
    assert (folder / "epoch-00002.npz").stat().st_mtime_ns == stamp
    for number in range(5):
        found = read_epoch(folder, number, n_points=40).positions
        np.testing.assert_array_equal(found, to_steps(training.history.embeddings[number]))
    ActedTraining(training.model).run(0)
    assert read_head(folder).run_id != before.run_id


def test_a_training_goes_on_where_nothing_can_be_written(
    training: ActedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was not written is written after the next epoch."""
    training.run(1)
    folder = training.model / "unfinished"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run_log, "write_epoch", full)
        training.run(2)
    assert read_head(folder).epoch == 1
    training.run(3)
    assert read_head(folder).epoch == 3
    assert (folder / "epoch-00002.npz").exists()
