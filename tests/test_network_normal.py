"""A network's normal: learned from whole logs, from mostly normal ones, and kept up to date."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import builders as b
from tests.cli.tiny import START_NS, sip_packets, write_capture
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.classification import classify_log
from traffic_siamese.errors import LibraryError, WindowError
from traffic_siamese.features.series import read_series
from traffic_siamese.model import load_model
from traffic_siamese.network_normal import learn_network


def bins_of(*logs: Path) -> np.ndarray:
    return np.concatenate([read_series(log).series[0].values for log in logs])


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes; nothing is refused but from 200 s to 300 s."""
    path = tmp_path_factory.mktemp("troubled") / "troubled.pcap"
    return write_capture(path, {200: 503, 300: 200}, length_s=600, seed=3)


def test_a_networks_normal_is_that_of_its_bins(captures: Path, model: Path) -> None:
    """Learned from two logs together, kept, and replaced by the next."""
    logs = [captures / "B/normal-1.pcap", captures / "A/normal-1.pcap"]
    values = bins_of(*logs)
    learned = learn_network(logs, model=model, network="B")
    assert learned.n_bins == learned.n_given == learned.stored.n_bins == len(values)
    np.testing.assert_array_equal(load_model(model).baseline_of("B"), learn_baseline(values))
    learn_network(logs[:1], model=model, network="B")
    np.testing.assert_array_equal(
        load_model(model).baseline_of("B"), learn_baseline(bins_of(logs[0]))
    )


def test_too_little_traffic_is_no_normal(model: Path, tmp_path: Path) -> None:
    short = write_capture(tmp_path / "short.pcap", {}, length_s=20)
    with pytest.raises(WindowError, match=r"20 bins in all, expected at least 30"):
        learn_network([short], model=model, network="B")
    with pytest.raises(LibraryError, match="no baseline"):
        load_model(model).baseline_of("B")


def test_trouble_is_left_out_where_that_is_asked(troubled: Path, model: Path) -> None:
    """What is learned is what the bins before and after the trouble say, nearly."""
    values = bins_of(troubled)
    calm = learn_baseline(np.concatenate([values[:195], values[310:]]))
    whole = learn_network([troubled], model=model, network="T")
    assert re.match(r"(17|18|19)% of the traffic looks like trouble", whole.warnings[0])
    mostly = learn_network([troubled], model=model, network="T", mostly_normal=True)
    assert mostly.warnings == ()
    assert 480 <= mostly.n_bins <= 500 < mostly.n_given
    kept = load_model(model).baseline_of("T")
    assert np.abs(kept[0] - calm[0]).max() < 0.03
    assert np.abs(learn_baseline(values)[0] - calm[0]).max() > 0.2


def test_an_update_is_the_normal_of_both_stretches(model: Path, tmp_path: Path) -> None:
    """Mean and deviation of the bins together, which a plain computation gives."""
    logs = [write_capture(tmp_path / f"{i}.pcap", {}, length_s=120 * i, seed=i) for i in (1, 2)]
    learn_network(logs[:1], model=model, network="U")
    learned = learn_network(logs[1:], model=model, network="U", update=True)
    parts = [learn_baseline(bins_of(log)) for log in logs]
    center = (parts[0][0] + 2 * parts[1][0]) / 3
    square = (parts[0][1] ** 2 + parts[0][0] ** 2 + 2 * (parts[1][1] ** 2 + parts[1][0] ** 2)) / 3
    kept = load_model(model).baseline_of("U")
    np.testing.assert_allclose(kept[0], center, atol=1e-5)
    np.testing.assert_allclose(kept[1], np.sqrt(np.maximum(square - center**2, 0)), atol=1e-3)
    assert learned.stored.n_bins == 360


def test_what_was_known_counts_for_an_hour_at_most(model: Path, tmp_path: Path) -> None:
    """After an hour's worth of updates, what was known first has at most half the say."""
    loaded = load_model(model)
    log = write_capture(tmp_path / "new.pcap", {}, length_s=120, seed=4)
    learned = learn_network([log], model=model, network="D")
    days = type(learned.stored)(
        "D", learned.stored.feature_hash, learned.stored.center, learned.stored.spread, 10**6
    )
    loaded.library.set_baseline(days)
    updated = learn_network([log], model=model, network="D", update=True)
    assert updated.stored.n_bins == 3600 + 120


def test_nothing_known_is_not_updated(captures: Path, model: Path) -> None:
    with pytest.raises(LibraryError, match="no baseline for network 'N'"):
        learn_network([captures / "A/normal-1.pcap"], model=model, network="N", update=True)


def slow_copy(path: Path, *, factor: int) -> Path:
    """Write a capture whose clock runs slower: every delay is as many times as long."""
    packets = sip_packets({}, length_s=400, seed=11)
    moved = [
        replace(packet, time_ns=START_NS + (packet.time_ns - START_NS) * factor)
        for packet in packets
    ]
    path.write_bytes(b.pcap(moved, magic=b.NANOSECONDS))
    return path


def test_a_network_that_changed_is_not_blended(captures: Path, model: Path, tmp_path: Path) -> None:
    """A quarter of the load alone would do; the delays are four times as long."""
    slow = slow_copy(tmp_path / "slow.pcap", factor=4)
    learn_network([captures / "A/normal-1.pcap"], model=model, network="S")
    before = load_model(model).baseline_of("S")
    with pytest.raises(LibraryError, match=r"does not fit .*Learn it anew, without --update"):
        learn_network([slow], model=model, network="S", update=True)
    np.testing.assert_array_equal(load_model(model).baseline_of("S"), before)


def test_classifying_warns_of_a_changed_network_in_one_line(
    captures: Path, model: Path, tmp_path: Path
) -> None:
    slow = slow_copy(tmp_path / "slow.pcap", factor=4)
    loaded = load_model(model)
    assert classify_log(captures / "A/normal-1.pcap", loaded, network="A").warnings == ()
    assert classify_log(captures / "A/refused-1.pcap", loaded, network="A").warnings == ()
    assert classify_log(slow, loaded).warnings == ()
    (warning,) = classify_log(slow, loaded, network="A").warnings
    assert warning.startswith(
        f"{slow}: since its start the calm traffic does not fit the baseline of network 'A'"
    )
    assert "first answer delay" in warning
    assert warning.endswith(f"traffic-siamese baseline {slow} --network A --model {model}")
    assert "\n" not in warning
