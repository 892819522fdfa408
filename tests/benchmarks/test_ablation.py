"""The ablation: every row can be trained, runs go on where they stopped, differences are paired."""

from __future__ import annotations

import json
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ablation
import ablation_training
import numpy as np
import pytest
from ablation_recipes import DEFAULT, FULL, RECIPES, recipe
from ablation_tasks import Task
from ablation_training import carry_out, row_options, train_row
from oneshot_data import Corpus, Fold

from tests.simulate.normal import normal_bins, normal_windows
from traffic_siamese.bags import Split
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.encoder import EncoderOptions, build_encoder, embed, load_keras
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.generators import BalancedBatches
from traffic_siamese.losses import LOSSES
from traffic_siamese.scaling import Scaler
from traffic_siamese.simulate.pool import RawWindows, synthetic_windows
from traffic_siamese.training import TrainedEncoder, train_encoder
from traffic_siamese.windows import WindowSet, stack_windows

TINY = EncoderOptions(embedding_dim=4, frame_units=3, lstm_units=5, hidden_units=6)


def _task(row: str = FULL, **changes: object) -> Task:
    return Task(**{"row": row, "fold": "F", "seed": 0, "draws": 2, "steps": 15, **changes})


def _result(row: str, known: list[float], **changes: object) -> dict[str, object]:
    base = {"fold": "F", "seed": 0, "draws": 2, "steps": None, "seconds": 1.0, "cube": {}}
    return {"row": row, "values": {"known": known}, **base, **changes}


def test_rows_have_names_of_their_own_and_one_is_the_package_as_it_is() -> None:
    assert len({row.name for row in RECIPES}) == len(RECIPES)
    full = recipe(FULL)
    assert row_options(recipe(DEFAULT), _task(steps=None)) == FitOptions()
    assert (full.patches, full.synthetic, full.encoder, full.apart) == ((), "all", "", True)


def test_every_loss_has_a_row() -> None:
    losses = {row_options(row, _task()).training.loss for row in RECIPES}
    assert losses == set(LOSSES)


def test_every_row_but_the_first_is_another_recipe() -> None:
    task, full = _task(steps=None), recipe(FULL)
    for row in RECIPES[1:]:
        parts = [(one.patches, one.synthetic, one.encoder, one.apart) for one in (row, full)]
        same_options = row_options(row, task) == row_options(full, task)
        assert not same_options or parts[0] != parts[1], row.name


@pytest.mark.parametrize("target", sorted({target for row in RECIPES for target, _ in row.patches}))
def test_what_a_row_replaces_is_there(target: str) -> None:
    module, _, name = target.rpartition(".")
    assert hasattr(import_module(module), name)


@pytest.mark.parametrize(("row", "signs"), [("never", {-1}), ("always", {1}), ("", {-1, 1})])
def test_virtual_faults_are_compared_as_the_row_says(row: str, signs: set[int]) -> None:
    """Negative numbers are not set against labels; see ``BalancedBatches``."""
    found = [one for one in RECIPES if row and row in one.name]
    patches = found[0].patches if found else ()
    names = np.array(["normal", "blocked", "~0", "~1"] * 4)
    same = np.full(16, "x")
    windows = stack_windows(
        np.zeros((16, 2, 1), np.float32), label=names, capture=same, network=same
    )
    batches = BalancedBatches(
        windows, n_labels=2, n_per_label=2, n_virtual=2, n_batches=1, seed=0, augment=None
    )
    rng = np.random.default_rng(0)
    if patches:
        ((target, value),) = patches
        with patch(target, value):
            drawn = [batches.draw(rng)[1][4:] for _ in range(30)]
    else:
        drawn = [batches.draw(rng)[1][4:] for _ in range(30)]
    assert set(np.sign(np.concatenate(drawn)).tolist()) == signs


def test_an_encoder_of_many_scales_sees_the_last_bins_as_a_short_one_would() -> None:
    """Its pooled states are those of three encoders of the package, for 32, 16 and 8 bins."""
    from ablation_encoders import starting_encoder

    from traffic_siamese.backend import keras

    model = load_keras(starting_encoder("multi_scale", (32, 7), options=TINY, seed=3))
    assert model.output_shape == (None, 4)
    X = np.random.default_rng(0).normal(size=(6, 32, 7)).astype(np.float32)
    joined = next(one for one in model.layers if isinstance(one, keras.layers.Concatenate))
    found = embed(keras.Model(model.inputs, joined.output), X)
    expected = []
    for n_bins in (32, 16, 8):
        short = build_encoder(n_bins, 7, options=TINY, seed=3)
        pooled = keras.Model(short.inputs, short.get_layer("pooled").output)
        expected.append(embed(pooled, X[:, -n_bins:]))
    np.testing.assert_allclose(found, np.hstack(expected), atol=1e-6)


@pytest.mark.parametrize(("shape", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_pooled_states_alone_decide(shape: str, reduce) -> None:
    from ablation_encoders import starting_encoder

    from traffic_siamese.backend import keras

    model = load_keras(starting_encoder(shape, (9, 4), options=TINY, seed=1))
    X = np.random.default_rng(0).normal(size=(3, 9, 4)).astype(np.float32)
    lstm = next(one for one in model.layers if isinstance(one, keras.layers.LSTM))
    states = embed_states(keras.Model(model.inputs, lstm.output[0]), X)
    kernel, bias = model.get_layer("hidden").get_weights()
    hidden = np.maximum(reduce(states, axis=1) @ kernel + bias, 0)
    kernel, bias = model.get_layer("embeddings").get_weights()
    expected = 1 / (1 + np.exp(-(hidden @ kernel + bias)))
    np.testing.assert_allclose(embed(model, X), expected, atol=1e-6)


def embed_states(model, X: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict_on_batch(X))


def test_differences_are_of_the_same_draw_fold_and_seed() -> None:
    """The row has no run for seed 1, one network none for fold G: one pair is left."""
    results = [
        _result(FULL, [0.5, 0.7]),
        _result(FULL, [0.0, 0.0], seed=1),
        _result("3 axes", [0.4, 0.6]),
        _result("3 axes", [0.9, 0.9], fold="G"),
        _result("3 axes", [0.1, 0.1], steps=15),  # of another run: left out
    ]
    text = ablation.tables(results, draws=2, steps=None)
    by_section = dict(part.split("\n\n", 1) for part in text.removeprefix("### ").split("\n\n### "))
    means = by_section["Mean (95 % interval)"].splitlines()
    assert means[3].startswith("| 3 axes | 0.700 (")
    title = next(name for name in by_section if name.startswith("Difference"))
    assert by_section[title].splitlines()[2:] == [
        "| 3 axes | -0.100 (-0.100–-0.100) | – | – | – | – | – |"
    ]
    assert by_section["Runs"] == f"{FULL} 2, 3 axes 2"


def test_a_broken_off_line_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    assert ablation.read_results(path) == []
    one = _result("3 axes", [0.5])
    ablation.append_result(path, one)
    with path.open("a") as stream:
        stream.write('{"row": "full rec')
    assert ablation.read_results(path) == [one]
    ablation.append_result(path, one)
    assert ablation.read_results(path) == [one, one]


def test_only_what_is_not_done_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run fails for one row: the second, and no other, is asked for it again."""
    words = ["logs", "--labels", "l.csv", "--results", str(tmp_path / "r.jsonl"), "--draws", "2"]
    args = [*words, "--rows", FULL, "3 axes", "--seeds", "0", "1"]
    asked = []
    broken = {"3 axes"}

    def carry_out_all(tasks, source, *, jobs):
        for task in tasks:
            asked.append((task.row, task.seed))
            failed = task.row in broken and task.seed == 1
            found = _result(task.row, [0.5, 0.5], seed=task.seed, fold=task.fold)
            yield task, ValueError("no luck") if failed else found

    def plan(args):
        rows = [(row, seed) for seed in args.seeds for row in args.rows]
        return [_task(row, seed=seed, steps=None) for row, seed in rows], None

    monkeypatch.setattr(ablation, "carry_out_all", carry_out_all)
    monkeypatch.setattr(ablation, "plan", plan)
    with pytest.raises(SystemExit, match="1 runs failed"):
        ablation.main(args)
    assert len(asked) == 4
    assert "no luck" in capsys.readouterr().err
    broken.clear()
    asked.clear()
    ablation.main(args)
    assert asked == [("3 axes", 1)]
    asked.clear()
    ablation.main(args)
    assert asked == []
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert len({(json.loads(line)["row"], json.loads(line)["seed"]) for line in lines}) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["logs", "--labels", "l.csv"], "--results names the file"),
        (["--results", "r.jsonl"], "LOGS_DIR and --labels"),
        (["--results", "r", "--tables", "--rows", "no pool"], "no row is called 'no pool'"),
    ],
)
def test_wrong_usage_is_told(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        ablation.main(words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_nothing_measured_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ablation.main(["--results", str(tmp_path / "none.jsonl"), "--tables"])
    assert capsys.readouterr().out == "Nothing was measured yet.\n"
    ablation.main(["--list"])
    assert capsys.readouterr().out.splitlines() == [row.name for row in RECIPES]


@pytest.fixture
def few_virtual_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package's defaults ask for three virtual faults."""
    few = FitOptions(n_virtual_faults=3, n_virtual_cases=6)
    monkeypatch.setattr(ablation_training, "FitOptions", lambda: few)


@pytest.mark.slow
@pytest.mark.usefixtures("few_virtual_faults")
@pytest.mark.parametrize("name", [FULL, "absolute view only", "loss triplet", "mean only"])
def test_a_row_is_trained_and_measured(name: str, corpus: Corpus, folds: list[Fold]) -> None:
    task = _task(name, fold=folds[0].name, steps=1)
    found = carry_out(task, corpus, folds[0])
    assert json.loads(json.dumps(found)) == found
    assert set(found["values"]) == set(found["cube"])
    for values in (found["values"], found["cube"]):
        assert len(values["known"]) == task.draws
        assert all(0 <= value <= 1 for one in values.values() for value in one)


@pytest.mark.slow
@pytest.mark.usefixtures("few_virtual_faults")
def test_networks_shown_the_same_hold_out_the_same(
    corpus: Corpus, folds: list[Fold], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are given batches in common; others have a split each."""
    shown = []

    def spy(windows: WindowSet, splits: list[Split], **how: Any) -> TrainedEncoder:
        shown.append(len(splits))
        return train_encoder(windows, splits, **how)

    monkeypatch.setattr(ablation_training, "train_encoder", spy)
    for name in ("six networks shown the same", "three networks"):
        row = recipe(name)
        train_row(row, corpus, folds[0], options=row_options(row, _task(steps=1)))
    assert shown == [1, 3]


def _moved(real: RawWindows, scaler: Scaler, name: str) -> np.ndarray:
    """Make labelled windows on other networks, as a row with this name does."""
    with ExitStack() as patches:
        for target, stand_in in recipe(name).patches:
            patches.enter_context(patch(target, stand_in))
        return synthetic_windows(real, scaler, n_faults=0, n_cases=1, seed=0).gather()


def test_what_moves_windows_to_other_networks_is_taken_out() -> None:
    """Normal UDP traffic: moved to TCP it has SYNs; moved nowhere it is what it was."""
    values = normal_windows(8, n_timesteps=32, seed=1)
    baseline = learn_baseline(normal_bins(400, seed=2))
    index, label = np.zeros(8, np.int64), np.full(8, "normal")
    real = RawWindows(values, index, [baseline], label)
    shape = (1, values.shape[-1])
    scaler = Scaler(np.zeros(shape, np.float32), np.ones(shape, np.float32))
    syn = FEATURE_NAMES.index("to_service_tcp_syn")
    assert not values[..., syn].any()
    assert _moved(real, scaler, FULL)[..., syn].any()
    over_udp = _moved(real, scaler, "nothing moved to TCP")
    assert not over_udp[..., syn].any()
    here = {window.tobytes() for window in scaler.inputs(values, baseline)}
    assert not {window.tobytes() for window in over_udp} <= here
    nowhere = _moved(real, scaler, "nothing moved to other networks")
    assert {window.tobytes() for window in nowhere} <= here
