"""Which epoch is kept, and when a run stops, against the rule read slowly."""

from types import SimpleNamespace

import numpy as np
import pytest

from traffic_siamese.keeper import EpochReport, Keeper

NAN = float("nan")


def follow(
    losses: list[float], *, patience: int = 99, held_out: bool = True
) -> tuple[Keeper, list[EpochReport]]:
    """Let a keeper judge epochs of these losses until it stops the run."""
    optimizer = SimpleNamespace(learning_rate=0.002)
    model = SimpleNamespace(stop_training=False, weights=0, optimizer=optimizer)
    model.get_weights = lambda: [np.array(model.weights)]
    model.set_weights = lambda weights: setattr(model, "weights", int(weights[0]))
    recorder = SimpleNamespace(rows=[])
    keeper = Keeper(model, recorder, made_with={}, epochs=len(losses), patience=patience)
    reports: list[EpochReport] = []
    keeper.progress = reports.append
    for epoch, loss in enumerate(losses):
        row = SimpleNamespace(
            loss=5.0 if held_out else loss,
            val_loss=loss if held_out else NAN,
            separation=1.0,
            active_triplets=0.5,
        )
        recorder.rows.append(row)
        model.weights = epoch + 1
        keeper.on_epoch_end(epoch)
        if model.stop_training:
            break
    return keeper, reports


def slow_best(losses: list[float]) -> int:
    """Keep the latest epoch within 25 %, or 0.01, of the lowest loss up to it."""
    kept = 0
    for epoch in range(1, len(losses) + 1):
        lowest = min(losses[:epoch])
        if losses[epoch - 1] <= lowest + max(0.25 * abs(lowest), 0.01):
            kept = epoch
    return kept


@pytest.mark.parametrize("held_out", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_the_latest_epoch_that_is_not_clearly_worse_is_kept(seed: int, held_out: bool) -> None:
    """By held-out loss, or by training loss where nothing is held out."""
    rng = np.random.default_rng(seed)
    losses = (2 * 0.8 ** np.arange(25) * np.exp(rng.normal(0, 0.05 * seed, 25))).tolist()
    keeper, reports = follow(losses, held_out=held_out)
    assert keeper.best_epoch == slow_best(losses)
    keeper.restore_best()
    assert keeper.model.weights == keeper.best_epoch
    assert [report.epoch for report in reports] == list(range(1, 26))
    assert keeper.finished


def test_a_run_stops_after_so_many_clearly_worse_epochs() -> None:
    """1.02 is within 3 % of 1 and starts the wait anew; 1.5 is not."""
    keeper, reports = follow([1.0, 1.5, 1.5, 1.02, 1.5, 1.5, 1.5, 0.1, 0.1], patience=3)
    assert len(reports) == 7
    assert keeper.best_epoch == 4
    assert keeper.finished


def test_the_remaining_time_falls_to_nothing() -> None:
    _, reports = follow([1.0, 0.9, 0.8])
    assert reports[0].eta_s >= 0
    assert reports[-1].eta_s == 0
    assert np.isfinite([report.val_loss for report in reports]).all()
