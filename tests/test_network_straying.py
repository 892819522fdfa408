"""How far the normal of a network strays: measured with its baseline, and asked of incidents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.baseline import learn_baseline
from traffic_siamese.model import Model, load_model
from traffic_siamese.network_straying import measure_straying, tail_of_network
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.oneshot.tail import NormalTail, SpanTail
from traffic_siamese.types import NORMAL

TAIL = NormalTail(2, 3.5, (SpanTail(1, 0.3, 400.0, 0.05, 0.1), SpanTail(3, 0.2, 90.0, 0.04, 0.0)))


def knowing(model: Path, tail: NormalTail | None = TAIL) -> Model:
    """Return a model that knows how far normal traffic strays elsewhere."""
    loaded = load_model(model)
    calibration = replace(loaded.bundle.info.calibration, normal_tail=tail)
    info = replace(loaded.bundle.info, calibration=calibration)
    return replace(loaded, bundle=replace(loaded.bundle, info=info))


def slow_distances(model: Model, values: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Distance of each window, two bins apart, to the nearest example of each label."""
    n = model.bundle.info.window.n_timesteps
    rows = []
    for first in range(0, len(values) - n + 1, TAIL.stride):
        point = model.embed(values[None, first : first + n], baseline)[0]
        gaps = [float(np.linalg.norm(point - example)) for example in model.prototypes]
        labels = model.prototype_labels.tolist()
        rows.append(
            [
                min(gap for gap, label in zip(gaps, labels, strict=True) if label == name)
                for name in (NORMAL, *sorted(set(labels) - {NORMAL}))
            ]
        )
    return np.array(rows)


@pytest.mark.parametrize("mostly_normal", [False, True])
def test_straying_is_the_far_end_of_the_distances_to_normal(
    captures: Path, model: Path, mostly_normal: bool
) -> None:
    """Of all windows; or of those that are nearest to normal, where trouble is left out."""
    loaded = knowing(model)
    log = loaded.read(captures / "A/refused-1.pcap")
    baseline = learn_baseline(log.series[0].values)
    distances = slow_distances(loaded, log.series[0].values, baseline)
    own, least = distances[:, 0], distances.min(axis=1)
    kept = own[own == least] if mostly_normal else own
    found = measure_straying(loaded, [log], baseline, mostly_normal=mostly_normal)
    assert found == pytest.approx(np.quantile(kept, 0.95), abs=1e-5)


def test_what_cannot_be_told_is_not_told(captures: Path, model: Path) -> None:
    """Where the model knows no tail, and where there are too few windows."""
    log = load_model(model).read(captures / "A/normal-1.pcap")
    baseline = learn_baseline(log.series[0].values)
    assert measure_straying(knowing(model, None), [log], baseline, mostly_normal=False) is None
    loaded = knowing(model)
    n_bins = loaded.bundle.info.window.n_timesteps
    for n in (n_bins - 1, 3 * n_bins):
        series = replace(log.series[0], values=log.series[0].values[:n])
        short = replace(log, series=(series,))
        assert measure_straying(loaded, [short], baseline, mostly_normal=False) is None


@pytest.mark.parametrize(("farthest", "factor"), [(0.1, 1), (0.3, 1), (0.6, 2), (5.0, 3)])
def test_a_network_is_asked_as_much_more_as_its_normal_strays(
    model: Path, farthest: float, factor: float
) -> None:
    """Up to the threefold; what was measured with another encoder counts for nothing."""
    loaded = knowing(model)
    digest, zeros = loaded.schema.digest, np.zeros(len(loaded.schema.names), np.float32)
    plain = StoredBaseline("N", digest, zeros, zeros + 1, 600, {"captures": "n.pcap"})
    loaded.library.set_baseline(plain.strays(farthest, loaded.bundle.encoder_id))
    wide = tail_of_network(loaded, "N")
    assert wide is not None
    for span, before in zip(wide.spans, TAIL.spans, strict=True):
        assert span.threshold == pytest.approx(factor * before.threshold)
        assert span.scale == pytest.approx(factor * before.scale)
        assert (span.per_day, span.shape) == (before.per_day, before.shape)
    for other in (plain, plain.strays(farthest, "another encoder")):
        loaded.library.set_baseline(other)
        assert tail_of_network(loaded, "N") is TAIL
    assert tail_of_network(loaded, None) is TAIL
