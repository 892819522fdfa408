"""From labelled captures to a bundle: small, and broken off on the way."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import SPEC, at, write_capture
from traffic_siamese import publishing
from traffic_siamese.bundle import load_bundle
from traffic_siamese.classification import classify_log
from traffic_siamese.encoder import EncoderOptions, embed, load_keras
from traffic_siamese.features.series import read_series
from traffic_siamese.fitting import FitOptions, FitReport, train
from traffic_siamese.history import TrainingHistory
from traffic_siamese.labels import read_labels
from traffic_siamese.model import load_model
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.teaching import add_fault
from traffic_siamese.times import parse_time
from traffic_siamese.training import EpochReport, TrainingOptions

pytestmark = pytest.mark.slow

OPTIONS = FitOptions(
    window=SPEC,
    training=TrainingOptions(
        epochs=3,
        batches_per_epoch=4,
        n_per_label=4,
        n_virtual=3,
        max_points=60,
        encoder=EncoderOptions(embedding_dim=5, lstm_units=8, hidden_units=8, frame_units=8),
    ),
    n_prototypes=3,
    n_virtual_faults=10,
    n_virtual_cases=5,
)


@dataclass
class Trained:
    """A model that was trained at a stretch, and what was said of it."""

    path: Path
    report: FitReport
    epochs: list[EpochReport]


@pytest.fixture(scope="module")
def trained(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train where a run that cannot be continued was left: it is forgotten."""
    path = tmp_path_factory.mktemp("trained") / "model"
    (path / "unfinished").mkdir(parents=True)
    (path / "unfinished" / "checkpoint.npz").write_bytes(b"of another time")
    epochs: list[EpochReport] = []
    report = train(captures, captures / "labels.csv", path, options=OPTIONS, progress=epochs.append)
    return Trained(path, report, epochs)


def history_of(path: Path) -> TrainingHistory:
    return TrainingHistory.load(load_bundle(path).history_path)


def labels_of(path: Path, captures: Path) -> list[str]:
    result = classify_log(captures / "A/refused-1.pcap", load_model(path), network="A")
    return [verdict.label for verdict in result.verdicts]


def test_the_report_tells_what_there_is(trained: Trained, captures: Path) -> None:
    """Windows at every bin that lie wholly in a labelled interval, counted slowly."""
    n_windows = 0
    for interval in read_labels(captures / "labels.csv"):
        series = read_series(captures / interval.capture).series[0]
        for start in range(len(series.values) - 15):
            first_ns = series.start_ns + start * 10**9
            inside = interval.start_ns <= first_ns and first_ns + 16 * 10**9 <= interval.end_ns
            n_windows += inside
    assert trained.report.n_windows == n_windows
    assert trained.report.labels == ("normal", "refused")
    assert [report.epoch for report in trained.epochs] == [1, 2, 3]
    assert 0 <= trained.report.held_out_accuracy <= 1
    assert 0 < trained.report.best_epoch <= 3
    assert sorted(path.suffix for path in trained.path.iterdir()) == [
        ".json",
        ".keras",
        ".npz",
        ".npz",
        ".onnx",
        ".sqlite",
    ]


def test_a_share_of_faults_in_other_slots_is_asked_for(
    captures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def synthetic(*_: object, **how: object) -> None:
        asked.append(how["permuted_share"])
        raise KeyboardInterrupt

    monkeypatch.setattr("traffic_siamese.fitting.synthetic_windows", synthetic)
    options = dataclasses.replace(OPTIONS, permuted_share=0.4)
    with pytest.raises(KeyboardInterrupt):
        train(captures, captures / "labels.csv", tmp_path / "model", options=options)
    assert asked == [0.4]
    with pytest.raises(
        ValueError, match=r"permuted_share is 1\.4, expected at least 0 and at most"
    ):
        dataclasses.replace(OPTIONS, permuted_share=1.4)


def test_the_model_classifies_where_tensorflow_cannot_be_imported(
    trained: Trained, captures: Path
) -> None:
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'sklearn', 'pandas', 'onnx'):\n"
        "    sys.modules[name] = None\n"
        "from traffic_siamese import classify\n"
        "(result,) = classify([sys.argv[1]], sys.argv[2], network='A')\n"
        "print(*[verdict.label for verdict in result.verdicts])"
    )
    words = [sys.executable, "-c", code, captures / "A/refused-1.pcap", trained.path]
    child = subprocess.run(words, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == labels_of(trained.path, captures)


def test_both_forms_of_the_encoder_and_the_film_agree(trained: Trained, captures: Path) -> None:
    """Keras and ONNX on the recorded windows; their first three axes end the film."""
    model, history = load_model(trained.path), history_of(trained.path)
    windows = []
    for capture, start_ns in zip(history.capture, history.start_ns.tolist(), strict=True):
        series = read_series(captures / str(capture)).series[0]
        first = (start_ns - series.start_ns) // 10**9
        baseline = model.baseline_of(str(capture)[0])
        windows.append(model.scaler.inputs(series.values[first : first + 16], baseline))
    X = np.stack(windows)
    points = model.encoder.embed(X)
    assert points.shape == (len(X), 5)
    keras_points = embed(load_keras(model.bundle.keras_path), X)
    np.testing.assert_allclose(points, keras_points, atol=1e-5)
    assert history.embeddings.shape == (trained.report.best_epoch + 1, len(X), 3)
    np.testing.assert_allclose(history.embeddings[-1], points[:, :3], atol=1e-5)


def test_captures_are_held_out_whole_and_the_film_marks_the_examples(trained: Trained) -> None:
    """The film marks as many examples as the library holds, at the same places."""
    model, history = load_model(trained.path), history_of(trained.path)
    held_out = {str(c) for c in history.capture[history.held_out]}
    assert held_out
    assert held_out.isdisjoint(history.capture[~history.held_out].tolist())
    stored = {
        (p.label, p.source["capture"], parse_time(p.source["start"]))
        for p in model.library.prototypes(model.bundle.encoder_id)
    }
    examples = model.library.prototypes(model.bundle.encoder_id)
    assert {p.source["protocol"] for p in examples} == {"sip"}
    columns = (history.label, history.capture, history.start_ns)
    marked = {
        (str(label), str(capture), start)
        for label, capture, start in zip(
            *(c[history.prototype].tolist() for c in columns), strict=True
        )
    }
    assert marked == stored
    assert {label for label, _, _ in stored} == {"normal", "refused"}
    assert len(stored) <= 2 * OPTIONS.n_prototypes
    assert set(history.label) == {"normal", "refused"}


KILLED = """
import os, signal, sys
from tests.test_fitting import OPTIONS
from traffic_siamese.fitting import train

def kill(report):
    os.kill(os.getpid(), signal.SIGKILL)

captures, model = sys.argv[1:]
train(captures, captures + "/labels.csv", model, options=OPTIONS, progress=kill)
"""


def killed(captures: Path, model: Path) -> None:
    """Train in another process, which kills itself after an epoch."""
    words = [sys.executable, "-c", KILLED, str(captures), str(model)]
    child = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert child.returncode == -signal.SIGKILL, child.stderr


def broken_off(place: object, name: str, run: Callable[[], object]) -> None:
    """Let a run end where it comes to a function."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, interrupt)
        with pytest.raises(KeyboardInterrupt):
            run()


def test_a_run_that_is_killed_leaves_the_old_model_or_the_new_one(
    trained: Trained, captures: Path, model: Path, tmp_path: Path
) -> None:
    """Killed in training, before the pointer moves, and after; continued to the same model.

    The fault that was added to the old model is in the new one, embedded by its encoder.
    """
    storm = write_capture(tmp_path / "storm.pcap", {60: 503, 120: 200}, length_s=180, seed=9)
    times = (parse_time(at(60)), parse_time(at(120)))
    add_fault("overload", storm, *times, model=model, network="A")
    before, old = labels_of(model, captures), load_model(model)
    epochs: list[int] = []

    def go_on() -> None:
        words = (captures, captures / "labels.csv", model)
        train(*words, options=OPTIONS, resume=True, progress=lambda r: epochs.append(r.epoch))

    killed(captures, model)
    assert labels_of(model, captures) == before
    broken_off(publishing, "save_bundle", go_on)
    assert epochs == [2, 3]
    assert load_bundle(model).encoder_id == old.bundle.encoder_id
    assert labels_of(model, captures) == before
    broken_off(FaultLibrary, "drop_other_encoders", go_on)
    assert load_bundle(model).encoder_id != old.bundle.encoder_id
    assert load_model(model).prototypes.shape[1] == 5
    assert old.library.prototypes(old.bundle.encoder_id)
    go_on()
    assert epochs == [2, 3]
    assert not (model / "unfinished").exists()
    assert_same_training(history_of(model), history_of(trained.path))
    assert_added_fault_is_embedded_anew(model, old.bundle.encoder_id)


def assert_same_training(one: TrainingHistory, other: TrainingHistory) -> None:
    for name in ("embeddings", "loss", "val_loss", "separation"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-3, atol=1e-3, err_msg=name
        )
    for name in ("label", "capture", "start_ns", "held_out", "prototype"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def assert_added_fault_is_embedded_anew(path: Path, old_encoder_id: str) -> None:
    model = load_model(path)
    assert model.bundle.encoder_id != old_encoder_id
    assert model.library.labels(model.bundle.encoder_id) == ("normal", "overload", "refused")
    assert model.library.prototypes(old_encoder_id) == []
    added = [
        prototype
        for prototype in model.library.prototypes(model.bundle.encoder_id)
        if prototype.label == "overload"
    ]
    assert [one.source["phase"] for one in added].count("steady") == 5
    for prototype in added:
        expected = model.embed(prototype.raw[None], prototype.baseline)[0]
        np.testing.assert_allclose(prototype.embedding, expected, atol=1e-6)
