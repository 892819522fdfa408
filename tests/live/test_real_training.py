"""What a real training, a tiny one, leaves for watchers while it runs, breaks off and goes on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.conftest import build_windows
from traffic_siamese.encoder import EncoderOptions
from traffic_siamese.history import TrainingHistory
from traffic_siamese.keeper import EpochReport
from traffic_siamese.live.run_files import read_epoch, read_head, read_points, to_steps
from traffic_siamese.training import TrainingOptions, split_by_capture, train_encoder

pytestmark = pytest.mark.slow
OPTIONS = TrainingOptions(
    epochs=4,
    batches_per_epoch=2,
    n_per_label=3,
    max_points=40,
    encoder=EncoderOptions(lstm_units=4, hidden_units=4, frame_units=4, embedding_dim=5),
)


def train(folder: Path, options: TrainingOptions, *, until: int = 99) -> TrainingHistory:
    """Train on four labels; break the run off after an epoch."""
    windows = build_windows(n_bins=30)

    def progress(report: EpochReport) -> None:
        assert read_head(folder).epoch == report.epoch  # left before it is reported
        if report.epoch == until:
            raise KeyboardInterrupt

    return train_encoder(
        windows,
        [split_by_capture(windows, share=0.25, seed=0)],
        options=options,
        checkpoint_dir=folder,
        progress=progress,
    ).history


def assert_shows(folder: Path, history: TrainingHistory) -> None:
    points = read_points(folder)
    for name in ("label", "capture", "network", "start_ns", "held_out"):
        np.testing.assert_array_equal(getattr(points, name), getattr(history, name))
    for number, embeddings in enumerate(history.embeddings):
        epoch = read_epoch(folder, number, n_points=len(history.label))
        np.testing.assert_array_equal(epoch.positions, to_steps(embeddings))
        assert epoch.curves["val_loss"] == pytest.approx(history.val_loss[number])
        assert epoch.curves["separation"] == pytest.approx(history.separation[number])


def test_every_epoch_is_left_for_watchers(tmp_path: Path) -> None:
    history = train(tmp_path, OPTIONS)
    head = read_head(tmp_path)
    assert (head.state, head.epoch, head.n_epochs, head.first_epoch) == ("trained", 4, 4, 0)
    assert (head.eta_s, head.pid) == (0.0, os.getpid())
    assert head.longest_epoch_s > 0
    assert_shows(tmp_path, history)


def test_a_run_that_is_broken_off_says_so_and_goes_on_as_the_same(tmp_path: Path) -> None:
    """Then with more epochs than it was begun with; and once more when none is left."""
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, OPTIONS, until=2)
    broken = read_head(tmp_path)
    assert (broken.state, broken.epoch) == ("broken off", 2)
    history = train(tmp_path, replace(OPTIONS, epochs=5))
    after = read_head(tmp_path)
    assert after.run_id == broken.run_id
    assert (after.state, after.epoch, after.first_epoch) == ("trained", 5, 2)
    assert_shows(tmp_path, history)
    train(tmp_path, replace(OPTIONS, epochs=5))
    assert read_head(tmp_path).state == "trained"
