"""Every feature against the slow reference, on random traffic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.features.naive import naive_series
from tests.features.sip import SECOND
from tests.features.traffic import CORE, random_traffic
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series


@pytest.mark.parametrize("seed", range(30))
def test_every_feature_equals_the_slow_reference(tmp_path: Path, seed: int) -> None:
    """Lost, late, doubled, repeated, forked and oddly written messages; jumps of up to a year."""
    packets, seen = random_traffic(seed)
    path = tmp_path / "random.pcap"
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    log = read_series(path)
    expected = naive_series(seen, {CORE}, FEATURE_NAMES)
    assert [series.start_ns // SECOND for series in log.series] == [first for first, _ in expected]
    for series, (_, rows) in zip(log.series, expected, strict=True):
        reference = np.array(rows)
        assert series.values.shape == reference.shape
        wrong = ~np.isclose(series.values, reference, rtol=1e-5, atol=1e-6)
        assert not wrong.any(), [
            (int(at), FEATURE_NAMES[c], float(series.values[at, c]), float(reference[at, c]))
            for at, c in np.argwhere(wrong)[:8]
        ]
