"""Which traffic counts as normal, and how far it strays, on captures with a fault in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import FAULT_TO_S, SPEC, at, write_capture
from traffic_siamese.labelled_logs import LabelledLogs, read_labelled_logs
from traffic_siamese.straying import learn_normal_tail, normal_stretches, watch_stride
from traffic_siamese.types import FloatArray, WindowSpec


@pytest.fixture(scope="module")
def data(captures: Path) -> LabelledLogs:
    return read_labelled_logs(captures, captures / "labels.csv", SPEC)


def test_stretches_hold_normal_traffic_and_no_echo_of_a_fault(data: LabelledLogs) -> None:
    """Of each network 120 s of normal, and 60 s before the fault; after it too little is left."""
    found = list(normal_stretches(data.windows))
    lengths = sorted(last - first for _, first, last in found)
    assert len(lengths) == 4
    assert all(
        abs(n - expected) <= 1 for n, expected in zip(lengths, (60, 60, 120, 120), strict=True)
    )
    assert all(last <= FAULT_TO_S for _, _, last in found)


@pytest.mark.parametrize(("stride", "looks"), [(1, 1), (4, 1), (8, 2), (9, 1), (12, 3), (10, 2)])
def test_looks_are_a_quarter_of_the_stride_and_divide_it(stride: int, looks: int) -> None:
    assert watch_stride(WindowSpec(stride=stride)) == looks


def test_a_tail_is_learned_where_there_is_enough(captures: Path, tmp_path: Path) -> None:
    """Two hours of other networks, from 25 minutes on five of them; asked again, the same."""
    write_capture(tmp_path / "A/normal-1.pcap", {}, length_s=1500)
    labels = tmp_path / "labels.csv"
    labels.write_text(f"capture,start,end,label\nA/normal-1.pcap,{at(0)},{at(1500)},normal\n")
    data = read_labelled_logs(tmp_path, labels, SPEC)
    normal = mean_of(data.windows.gather()[:1])
    tail = learn_normal_tail(data, normal, mean_of, SPEC, seed=0)
    assert tail is not None
    assert tail == learn_normal_tail(data, normal, mean_of, SPEC, seed=0)
    assert (tail.stride, [span.n_windows for span in tail.spans]) == (1, [1, 5, 9, 17])
    assert tail.hours == pytest.approx(5 * 1485 / 3600, rel=0.01)
    assert learn_normal_tail(data, normal[:0], mean_of, SPEC, seed=0) is None


def test_little_traffic_is_seen_on_sixteen_networks(data: LabelledLogs) -> None:
    """Six minutes: 60 and 120 bins on each of two networks."""
    normal = mean_of(data.windows.gather()[:1])
    tail = learn_normal_tail(data, normal, mean_of, SPEC, seed=0)
    assert tail is not None
    n_windows = 2 * (60 + 120 - 2 * (SPEC.n_timesteps - 1))
    assert tail.hours == pytest.approx(16 * n_windows / 3600, rel=0.05)


def mean_of(windows: FloatArray) -> FloatArray:
    """Embed windows as their means."""
    return np.asarray(windows.mean(axis=1), np.float32)
