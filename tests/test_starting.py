"""The shipped model: copying it, using it, training it further."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.bundle import load_bundle
from traffic_siamese.classification import classify
from traffic_siamese.errors import BundleError
from traffic_siamese.known import load_known
from traffic_siamese.starting import shipped_model, start_model

DATA = Path(__file__).parents[1] / "data"


def test_a_started_model_is_a_whole_copy_that_may_be_changed(tmp_path: Path) -> None:
    with shipped_model() as shipped:
        original = load_bundle(shipped)
        bundle = start_model(tmp_path / "mine")
        assert bundle.onnx == original.onnx
        bundle.library().remove("capacity")
        assert "capacity" in original.library().labels(original.encoder_id)
    assert "capacity" not in bundle.library().labels(bundle.encoder_id)


def test_the_shipped_model_is_small_enough_for_a_wheel() -> None:
    with shipped_model() as shipped:
        assert sum(file.stat().st_size for file in shipped.iterdir()) < 5e6


def test_an_existing_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match="exists already"):
        start_model(tmp_path)


def test_the_shipped_model_knows_a_blocked_link_without_training(tmp_path: Path) -> None:
    start_model(tmp_path / "mine")
    capture = DATA / "C" / "blocked-1.pcap.zst"
    (result,) = classify([capture], tmp_path / "mine")
    longest = max(result.incidents, key=lambda incident: incident.windows)
    assert longest.label == "blocked"
    assert Counter(verdict.label for verdict in result.verdicts)["normal"] > 10


def test_what_a_model_knows_is_given_back_as_labelled_windows() -> None:
    known = load_known("pretrained")
    windows = known.windows
    assert Counter(windows.label.tolist()) == Counter(p.label for p in known.prototypes)
    first = known.prototypes[0]
    expected = known.scaler.inputs(first.raw, first.baseline)
    np.testing.assert_array_equal(windows.gather(np.array([0]))[0], expected)


@pytest.mark.slow
def test_training_further_keeps_frozen_weights_and_old_labels(tmp_path: Path) -> None:
    from dataclasses import replace

    from traffic_siamese.encoder import load_keras
    from traffic_siamese.fitting import FitOptions, train

    options = FitOptions(start_from="pretrained", n_virtual_faults=8)
    short = replace(options.training, epochs=1, batches_per_epoch=2, freeze="lstm")
    report = train(
        DATA, DATA / "train.csv", tmp_path / "mine", options=replace(options, training=short)
    )
    old = load_keras(load_known("pretrained").keras)
    new = load_keras(load_bundle(report.path).keras_path)
    for name in ("frame", "lstm_0"):
        pairs = zip(
            old.get_layer(name).get_weights(), new.get_layer(name).get_weights(), strict=True
        )
        for before, after in pairs:
            np.testing.assert_array_equal(before, after)
    moved = new.get_layer("embeddings").get_weights()[0]
    assert not np.array_equal(old.get_layer("embeddings").get_weights()[0], moved)
    assert set(load_known("pretrained").windows.label) <= set(report.labels)
