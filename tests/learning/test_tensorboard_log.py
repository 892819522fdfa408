"""What TensorBoard is handed, read back with TensorBoard's own readers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from traffic_siamese.errors import MissingExtraError
from traffic_siamese.keeper import EpochReport
from traffic_siamese.recorder import EpochRow, RecordedPoints
from traffic_siamese.tensorboard_log import TensorBoardLog
from traffic_siamese.windows import WindowSet

MakeWindows = Callable[..., WindowSet]
N_POINTS, N_AXES = 12, 5


@pytest.fixture(scope="module")
def accumulator() -> Any:
    """Give TensorBoard's reader of events."""
    events = "tensorboard.backend.event_processing.event_accumulator"
    return pytest.importorskip(events).EventAccumulator


def rows(n_epochs: int) -> list[EpochRow]:
    """Row 0 has no loss; no capture is held out, so there is no held-out loss."""
    rng = np.random.default_rng(3)
    return [
        EpochRow(
            rng.random((N_POINTS, N_AXES), np.float32),
            loss=float("nan") if number == 0 else 10.0 / number,
            val_loss=float("nan"),
            separation=1.0 + number,
            active_triplets=1.0 / (1 + number),
        )
        for number in range(n_epochs + 1)
    ]


def points(windows: WindowSet) -> RecordedPoints:
    """Every third window is held out."""
    some = windows.select(np.arange(N_POINTS))
    return RecordedPoints(some, np.arange(N_POINTS) % 3 == 0)


def report(epoch: int, n_epochs: int, recorder: Any) -> EpochReport:
    """Return the report after an epoch, of which the log reads only these fields."""
    recorder.rows = recorder.all_rows[: epoch + 1]
    fields: dict[str, Any] = dict.fromkeys(("loss", "val_loss", "eta_s"), 0.0)
    fields |= dict.fromkeys(("separation", "active_triplets"), 0.0)
    rate = 0.002 * (1 - epoch / n_epochs)
    return EpochReport(
        epoch=epoch, n_epochs=n_epochs, learning_rate=rate, recorder=recorder, **fields
    )


def follow(folder: Path, windows: WindowSet, epochs: range, *, n_epochs: int) -> list[EpochRow]:
    """Log some epochs of a run, as ``train`` would."""
    recorder = SimpleNamespace(points=points(windows), all_rows=rows(n_epochs), rows=[])
    with TensorBoardLog(folder) as log:
        for epoch in epochs:
            log(report(epoch, n_epochs, recorder))
    return recorder.all_rows


def scalars(accumulator: Any, folder: Path, name: str) -> dict[int, float]:
    """Return the value at each step; a step that stands twice fails."""
    from tensorboard.util.tensor_util import make_ndarray

    reader = accumulator(str(folder))
    reader.Reload()
    events = reader.Tensors(name)
    found = {event.step: float(make_ndarray(event.tensor_proto)) for event in events}
    assert len(found) == len(events)
    return found


def test_every_curve_has_its_value_at_every_epoch(
    accumulator: Any, windows: WindowSet, tmp_path: Path
) -> None:
    """Without what is not a number: the loss before training, a loss on nothing held out."""
    expected = follow(tmp_path, windows, range(1, 5), n_epochs=4)
    assert scalars(accumulator, tmp_path, "loss") == pytest.approx(
        {1: 10.0, 2: 5.0, 3: 10 / 3, 4: 2.5}
    )
    found = scalars(accumulator, tmp_path, "separation")
    assert found == pytest.approx({n: row.separation for n, row in enumerate(expected)})
    rates = scalars(accumulator, tmp_path, "learning_rate")
    assert rates == pytest.approx({1: 0.0015, 2: 0.001, 3: 0.0005, 4: 0.0})
    assert set(scalars(accumulator, tmp_path, "active_triplets")) == set(range(5))
    with pytest.raises(KeyError):
        scalars(accumulator, tmp_path, "val_loss")


def test_the_projector_finds_points_and_what_they_are(windows: WindowSet, tmp_path: Path) -> None:
    """The newest first, then every second of twenty epochs; read by the plugin itself."""
    plugin = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    from google.protobuf import text_format

    all_rows = follow(tmp_path, windows, range(1, 6), n_epochs=20)
    config = plugin.ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), config)
    names = [tensor.tensor_name for tensor in config.embeddings]
    assert names == ["embedding", "epoch 0", "epoch 2", "epoch 4"]
    for tensor, row in zip(config.embeddings, [all_rows[5], *all_rows[0:5:2]], strict=True):
        found = plugin._read_tensor_tsv_file(str(tmp_path / tensor.tensor_path))
        assert list(tensor.tensor_shape) == list(found.shape) == [N_POINTS, N_AXES]
        np.testing.assert_allclose(found, row.embeddings, rtol=1e-6)
        heading, *lines = (tmp_path / tensor.metadata_path).read_text().splitlines()
        assert heading.split("\t") == ["label", "capture", "network", "time", "held out"]
        assert [line.split("\t")[0] for line in lines] == windows.label[:N_POINTS].tolist()
        held_out = [line.split("\t")[4] for line in lines]
        assert held_out == ["yes", "no", "no"] * (N_POINTS // 3)


def test_a_run_that_is_continued_adds_only_its_own_epochs(
    accumulator: Any, windows: WindowSet, tmp_path: Path
) -> None:
    """In its old folder; in a new one the earlier epochs are written as well."""
    follow(tmp_path / "a", windows, range(1, 3), n_epochs=6)
    follow(tmp_path / "a", windows, range(3, 7), n_epochs=6)
    assert set(scalars(accumulator, tmp_path / "a", "separation")) == set(range(7))
    follow(tmp_path / "b", windows, range(3, 7), n_epochs=6)
    assert set(scalars(accumulator, tmp_path / "b", "separation")) == set(range(7))


def test_without_tensorboard_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(MissingExtraError, match=r"traffic-siamese\[tensorboard\]"):
        TensorBoardLog(tmp_path)
