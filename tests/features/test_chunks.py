"""How a log is cut into chunks does not show in its series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.features.traffic import random_traffic
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.features import series
from traffic_siamese.features.series import read_series

RECORDED = sorted((Path(__file__).parents[2] / "data").rglob("*.pcap*"))[:6:2]


def assert_same_series(path: Path, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with the default chunks and with these."""
    whole = read_series(path)
    with monkeypatch.context() as patched:
        patched.setattr(
            series, "read_packets", lambda source: read_packets(source, chunk_bytes=chunk_bytes)
        )
        cut = read_series(path)
    assert len(whole.series) == len(cut.series)
    for one, other in zip(whole.series, cut.series, strict=True):
        assert one.start_ns == other.start_ns
        np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("seed", range(5))
def test_tiny_chunks_give_the_same_series(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "random.pcap"
    path.write_bytes(b.pcap(random_traffic(seed)[0], magic=b.NANOSECONDS))
    assert_same_series(path, 64, monkeypatch)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_small_chunks_of_a_recording_give_the_same_series(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same_series(path, 30_000, monkeypatch)


@pytest.mark.parametrize("seed", range(5))
def test_small_batches_give_the_same_series(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is gathered, counted and matched in one piece or in many is the same."""
    path = tmp_path / "random.pcap"
    path.write_bytes(b.pcap(random_traffic(seed)[0], magic=b.NANOSECONDS))
    whole = read_series(path)
    monkeypatch.setattr("traffic_siamese.features.batches.BATCH_PACKETS", 50)
    monkeypatch.setattr("traffic_siamese.features.concentration._MERGE_WORDS", 60)
    parts = read_series(path)
    assert whole.warnings == parts.warnings
    for one, other in zip(whole.series, parts.series, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
