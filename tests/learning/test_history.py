import dataclasses
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.errors import BundleError
from traffic_siamese.history import TrainingHistory


def make_history(n_epochs: int = 3, n_points: int = 5, dim: int = 3) -> TrainingHistory:
    rng = np.random.default_rng(0)
    curve = np.linspace(1, 0, n_epochs + 1, dtype=np.float32)
    curve[0] = np.nan
    return TrainingHistory(
        embeddings=rng.random((n_epochs + 1, n_points, dim), dtype=np.float32),
        label=np.array(["normal", "blocked", "größe", "", "überlast"][:n_points]),
        capture=np.array([f"a/{i}.pcap" for i in range(n_points)]),
        network=np.array(["a"] * n_points),
        start_ns=np.arange(n_points, dtype=np.int64) + 1_700_000_000_000_000_000,
        held_out=np.arange(n_points) % 2 == 0,
        prototype=np.arange(n_points) % 2 == 1,
        loss=curve,
        val_loss=curve,
        separation=curve + 1,
        active_triplets=curve,
    )


def test_a_saved_history_reads_back_unchanged(tmp_path: Path) -> None:
    history = make_history()
    path = tmp_path / "history-0123"  # no suffix is added
    history.save(path)
    again = TrainingHistory.load(path)
    assert [p.name for p in tmp_path.iterdir()] == ["history-0123"]
    assert again.n_epochs == 3
    for field in dataclasses.fields(history):
        before, after = getattr(history, field.name), getattr(again, field.name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_all_axes_of_the_last_epoch_are_kept_beside_the_drawn_ones(tmp_path: Path) -> None:
    """``last`` gives them; without them it is the last row of what is drawn."""
    history = make_history()
    np.testing.assert_array_equal(history.last, history.embeddings[3])
    wide = np.random.default_rng(1).random((5, 48), dtype=np.float32)
    dataclasses.replace(history, final=wide).save(tmp_path / "h")
    np.testing.assert_array_equal(TrainingHistory.load(tmp_path / "h").last, wide)
    with pytest.raises(ValueError, match=r"final has shape \(4, 48\), expected \(5, n_axes\)"):
        dataclasses.replace(history, final=wide[:4])


def test_a_history_without_all_axes_is_still_read(tmp_path: Path) -> None:
    """As models that were made before hold it."""
    history = make_history()
    names = [f.name for f in dataclasses.fields(history) if f.name != "final"]
    np.savez_compressed(tmp_path / "h.npz", **{name: getattr(history, name) for name in names})
    again = TrainingHistory.load(tmp_path / "h.npz")
    np.testing.assert_array_equal(again.last, history.embeddings[3])


def test_lengths_that_do_not_belong_together_are_refused() -> None:
    history = make_history()
    with pytest.raises(ValueError, match=r"loss has shape \(2,\), expected \(4,\)"):
        dataclasses.replace(history, loss=history.loss[:2])
    with pytest.raises(ValueError, match=r"label has shape \(1,\), expected \(5,\)"):
        dataclasses.replace(history, label=history.label[:1])
    with pytest.raises(ValueError, match="embeddings have shape"):
        dataclasses.replace(history, embeddings=history.embeddings[0])


def test_a_missing_file_is_a_bundle_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a training history"):
        TrainingHistory.load(tmp_path / "none.npz")


def test_every_cut_of_the_file_is_a_bundle_error(tmp_path: Path) -> None:
    """Cut at any byte, the file is refused with the package's own error and no other."""
    path = tmp_path / "h.npz"
    make_history().save(path)
    data = path.read_bytes()
    for length in range(0, len(data), 37):
        path.write_bytes(data[:length])
        with pytest.raises(BundleError):
            TrainingHistory.load(path)


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.npz"
    make_history().save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["label"] = np.arange(5)
    np.savez(path, **arrays)
    with pytest.raises(BundleError, match="label holds int64"):
        TrainingHistory.load(path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "h.npz"
    np.savez(path, embeddings=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BundleError):
        TrainingHistory.load(path)
