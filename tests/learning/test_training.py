import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.bags import Split
from traffic_siamese.encoder import EncoderOptions, embed
from traffic_siamese.errors import TrainingError
from traffic_siamese.generators import BalancedBatches
from traffic_siamese.training import (
    EpochReport,
    TrainedEncoder,
    TrainingOptions,
    split_by_capture,
    train_encoder,
)
from traffic_siamese.windows import WindowSet, join_windows, stack_windows

TINY = TrainingOptions(
    epochs=2,
    batches_per_epoch=3,
    n_per_label=3,
    batch_size=6,
    max_points=60,
    encoder=EncoderOptions(
        embedding_dim=32, lstm_units=4, hidden_units=4, frame_units=4, dropout=0.1
    ),
)


class BrokenOffError(Exception):
    """Stands for whatever ends a run before its time."""


def fit(
    windows: WindowSet,
    folder: Path | None = None,
    *,
    stop_after: int = 0,
    synthetic: WindowSet | None = None,
    splits: Sequence[Split] = (),
    **changes: object,
) -> TrainedEncoder:
    """Train; break off after an epoch if one is given."""

    def progress(report: EpochReport) -> None:
        if report.epoch == stop_after:
            raise BrokenOffError

    return train_encoder(
        windows,
        splits or [split_by_capture(windows)],
        options=dataclasses.replace(TINY, **changes),
        synthetic=[synthetic] if synthetic else (),
        checkpoint_dir=folder,
        progress=progress,
    )


def all_trained(windows: WindowSet) -> Split:
    return np.arange(len(windows)), np.empty(0, np.int64)


def train_all(windows: WindowSet) -> TrainedEncoder:
    return train_encoder(windows, [all_trained(windows)], options=TINY)


def same_rows(first: TrainedEncoder, second: TrainedEncoder) -> None:
    for name in ("embeddings", "loss", "val_loss", "separation", "active_triplets"):
        one, other = getattr(first.history, name), getattr(second.history, name)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["semi_hard", "lossless"])
def test_training_separates_labels_on_captures_never_seen(windows: WindowSet, loss: str) -> None:
    """The nearest label mean is right for more than 95 % of the held-out windows."""
    split = split_by_capture(windows)
    train, held_out = (windows.select(rows) for rows in split)
    encoder = EncoderOptions(embedding_dim=48, lstm_units=16)
    options = TrainingOptions(loss=loss, epochs=6, encoder=encoder)
    trained = train_encoder(windows, [split], options=options)
    points = embed(trained.model, train.gather())
    names = np.unique(train.label)
    means = np.array([points[train.label == name].mean(axis=0) for name in names])
    asked = embed(trained.model, held_out.gather())
    nearest = np.square(asked[:, None] - means).sum(-1).argmin(axis=1)
    assert (names[nearest] == held_out.label).mean() > 0.95
    assert trained.history.separation[-1] > 4 * trained.history.separation[0]
    assert trained.summary.endswith("separated")


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["supervised_contrastive", "pairwise"])
def test_a_continued_run_is_the_uninterrupted_run(
    windows: WindowSet, tmp_path: Path, loss: str
) -> None:
    """Broken off after 2 of 3 epochs: the same history and weights as 3 at a stretch."""
    whole = fit(windows, epochs=3, loss=loss)
    with pytest.raises(BrokenOffError):
        fit(windows, tmp_path, stop_after=2, epochs=3, loss=loss)
    continued = fit(windows, tmp_path, epochs=3, loss=loss)
    same_rows(whole, continued)
    assert whole.best_epoch == continued.best_epoch
    for one, other in zip(whole.model.get_weights(), continued.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", ["hard", "supervised_contrastive"])
def test_the_history_belongs_to_the_kept_model(windows: WindowSet, loss: str) -> None:
    """Row ``best_epoch`` holds where the returned model puts the points."""
    trained = fit(windows, loss=loss)
    history = trained.history
    assert history.embeddings.shape == (3, 60, 32)
    assert np.isnan(history.loss[0])
    assert np.isfinite(history.loss[1:]).all()
    assert np.isfinite(history.val_loss).all()
    assert history.held_out.sum() == 30
    assert (np.unique(history.label, return_counts=True)[1] >= 14).all()
    rows = [
        np.flatnonzero((windows.capture == capture) & (windows.start_ns == start))[0]
        for capture, start in zip(history.capture, history.start_ns, strict=True)
    ]
    now = embed(trained.model, windows.gather(np.array(rows)))
    np.testing.assert_allclose(now, history.embeddings[trained.best_epoch], atol=1e-5)
    held_out = windows.capture[split_by_capture(windows)[1]]
    np.testing.assert_array_equal(np.isin(history.capture, held_out), history.held_out)


def test_each_network_learns_from_other_captures(windows: WindowSet) -> None:
    """What a network's captures are never shows in its weights; others' do."""
    splits = [split_by_capture(windows, seed=seed) for seed in (1, 2)]
    first, second = (set(windows.capture[held_out]) for _, held_out in splits)
    assert first - second
    plain = fit(windows, splits=splits)
    hidden = np.isin(windows.capture, list(first - second))
    moved = dataclasses.replace(windows, inputs=tuple(-values for values in windows.inputs))
    other = join_windows(windows.select(~hidden), moved.select(hidden))
    order = np.argsort(np.r_[np.flatnonzero(~hidden), np.flatnonzero(hidden)])
    changed = fit(other.select(order), splits=splits)
    X = windows.gather()
    apart = np.abs(embed(plain.model, X) - embed(changed.model, X)).max(axis=0)
    assert apart[:16].max() < 1e-5 < apart[16:].max()
    columns = [np.isin(plain.history.capture, list(one)) for one in (first, second)]
    np.testing.assert_array_equal(plain.unseen, np.stack(columns, axis=1))
    np.testing.assert_array_equal(plain.history.held_out, columns[0])


def test_as_many_splits_as_networks_or_one(windows: WindowSet) -> None:
    with pytest.raises(ValueError, match="3 splits for 2 networks"):
        fit(windows, splits=[split_by_capture(windows)] * 3)


def test_progress_counts_epochs_and_a_finished_run_is_not_trained_again(
    windows: WindowSet, tmp_path: Path
) -> None:
    reports: list[EpochReport] = []
    for _ in range(2):
        trained = train_encoder(
            windows,
            [all_trained(windows)],
            options=TINY,
            checkpoint_dir=tmp_path,
            progress=reports.append,
        )
    assert [(report.epoch, report.n_epochs) for report in reports] == [(1, 2), (2, 2)]
    assert reports[-1].eta_s == 0 < reports[0].eta_s
    assert np.isnan(reports[0].val_loss)
    assert "no windows were held out" in trained.warnings[0]
    assert "checkpoint.npz" in {path.name for path in tmp_path.iterdir()}


def virtual_windows(windows: WindowSet, n_faults: int = 3, n_cases: int = 4) -> WindowSet:
    """Make windows of virtual faults: one value in all bins and channels for each."""
    n_windows = n_faults * n_cases
    fault = np.repeat(np.arange(n_faults), n_cases)
    shape = (n_windows, windows.n_timesteps, windows.inputs[0].shape[1])
    X = np.broadcast_to(fault[:, None, None] - 1.0, shape).astype(np.float32)
    where = np.full(n_windows, "synthetic")
    return stack_windows(X, label=np.char.add("~", fault.astype(str)), capture=where, network=where)


@pytest.mark.slow
def test_synthetic_windows_are_trained_on_and_not_watched(
    windows: WindowSet, tmp_path: Path
) -> None:
    """They change the weights; the history does not know their labels."""
    plain = fit(windows, epochs=1)
    mixed = fit(windows, tmp_path, epochs=1, synthetic=virtual_windows(windows))
    assert set(mixed.history.label) == set(windows.label)
    np.testing.assert_array_equal(mixed.history.embeddings[0], plain.history.embeddings[0])
    assert mixed.history.val_loss[0] == plain.history.val_loss[0]
    assert np.abs(mixed.history.embeddings[1] - plain.history.embeddings[1]).max() > 1e-4
    with pytest.raises(TrainingError, match=r"synthetic data was 12 windows, .*, now none"):
        fit(windows, tmp_path, epochs=1)


@pytest.mark.slow
def test_the_learning_rate_falls_along_a_cosine(windows: WindowSet) -> None:
    """Adam's first steps are as long as the rate, and the last ones almost nothing."""
    trained = fit(windows, epochs=4, learning_rate=0.01, n_per_label=2, loss="hard", patience=8)
    steps = np.abs(np.diff(trained.history.embeddings, axis=0)).mean(axis=(1, 2))
    assert steps[-1] < 0.4 * steps[:3].max()


@pytest.mark.slow
def test_a_checkpoint_of_another_run_is_refused(windows: WindowSet, tmp_path: Path) -> None:
    """Other options, then other data; the message says which."""
    fit(windows, tmp_path, epochs=1)
    with pytest.raises(TrainingError, match=r"margin was 0.4, now 0.2\. Train with"):
        fit(windows, tmp_path, margin=0.2)
    with pytest.raises(TrainingError, match="training data was 144 windows"):
        fit(windows.select(np.arange(len(windows) - 1)), tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(TrainingError, match="Remove it to start from the beginning"):
        fit(windows, tmp_path)


@pytest.mark.slow
def test_a_run_stops_when_held_out_windows_fare_worse(windows: WindowSet) -> None:
    """Held-out labels that contradict the others: what is learned of these hurts those."""
    split = split_by_capture(windows)
    label = windows.label.copy()
    label[split[1]] = np.random.default_rng(0).permutation(label[split[1]])
    options = dataclasses.replace(TINY, epochs=40, patience=2, learning_rate=0.02)
    trained = train_encoder(dataclasses.replace(windows, label=label), [split], options=options)
    n_epochs = trained.history.n_epochs
    assert n_epochs < 40
    assert trained.best_epoch == n_epochs - 2
    losses = trained.history.val_loss
    assert (losses[-2:] > losses[1:].min() + 0.01).all()


@pytest.mark.slow
def test_collapse_is_a_warning(windows: WindowSet) -> None:
    """Windows that are all alike cannot be told apart."""
    flat = dataclasses.replace(windows, inputs=tuple(x * 0 for x in windows.inputs))
    trained = fit(flat, epochs=1)
    assert any("collapsed" in warning for warning in trained.warnings)


def test_a_share_of_the_batches_trained_on_is_of_one_network(
    windows: WindowSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the batches trained on, not of those that the held-out loss is measured on."""
    shares = []

    class Batches(BalancedBatches):
        def __init__(self, *args: object, **how: object) -> None:
            shares.append(how["same_network_share"])
            if len(shares) == 2:
                raise BrokenOffError
            super().__init__(*args, **how)

    monkeypatch.setattr("traffic_siamese.training.BalancedBatches", Batches)
    with pytest.raises(BrokenOffError):
        fit(windows, same_network_share=0.7)
    assert shares == [0.7, 0.0]


def test_too_little_to_train_on_is_said(windows: WindowSet) -> None:
    with pytest.raises(TrainingError, match="only 'flood'; expected at least 2"):
        train_all(windows.select(windows.label == "flood"))
    with pytest.raises(TrainingError, match="labels to train on: none"):
        train_all(windows.select(windows.label == "?"))
    lonely = np.append(np.flatnonzero(windows.label == "flood"), 0)
    with pytest.raises(TrainingError, match="label 'blocked' has 1 window"):
        train_all(windows.select(lonely))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "best"}, "loss is 'best'"),
        ({"epochs": 0}, "epochs is 0"),
        ({"n_per_label": 1}, "n_per_label is 1"),
        ({"margin": float("nan")}, "margin is nan"),
        ({"same_network_share": 1.1}, "same_network_share is 1.1"),
        ({"same_network_share": float("nan")}, "same_network_share is nan"),
    ],
)
def test_impossible_options_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingOptions(**changes)


def test_the_import_says_nothing() -> None:
    """TensorFlow's start-up messages would tear a progress bar."""
    code = [sys.executable, "-c", "import traffic_siamese.encoder"]
    run = subprocess.run(code, capture_output=True, check=True)
    assert (run.stdout, run.stderr) == (b"", b"")
