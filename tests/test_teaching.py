"""A fault added from one example: what is stored, what is refused, and what it changes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import SPEC, START_NS, write_capture
from tests.features.sip import SECOND
from traffic_siamese.baseline import estimate_baseline
from traffic_siamese.classification import classify_log
from traffic_siamese.errors import LibraryError, WindowError
from traffic_siamese.features.series import read_series
from traffic_siamese.model import load_model
from traffic_siamese.teaching import MAX_PROTOTYPES, AddedFault, add_fault
from traffic_siamese.times import format_time
from traffic_siamese.types import Prototype


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answer 503 from 60 s to 120 s of 180 s."""
    folder = tmp_path_factory.mktemp("storm")
    return write_capture(folder / "storm.pcap", {60: 503, 120: 200}, length_s=180, seed=9)


def at_ns(seconds: float) -> int:
    return START_NS + round(seconds * SECOND)


def add(storm: Path, model: Path, first_s: float = 60, last_s: float = 120, **how) -> AddedFault:
    how = {"network": "A", **how}
    return add_fault("overload", storm, at_ns(first_s), at_ns(last_s), model=model, **how)


def stored(model: Path, label: str = "overload") -> list[Prototype]:
    loaded = load_model(model)
    found = loaded.library.prototypes(loaded.bundle.encoder_id)
    return [prototype for prototype in found if prototype.label == label]


def test_what_is_stored_are_windows_of_the_log(storm: Path, model: Path) -> None:
    """Raw features equal the series' slice at the start that the source names, inside the times."""
    added = add(storm, model, phases=["steady"])
    series = read_series(storm).series[0]
    loaded, prototypes = load_model(model), stored(model)
    assert added.n_prototypes == len(prototypes) == MAX_PROTOTYPES
    slices = {
        format_time(series.start_ns + first * SECOND): series.values[first : first + 16]
        for first in range(len(series.values) - 15)
    }
    starts = set()
    for prototype in prototypes:
        start = prototype.source["start"]
        starts.add(start)
        np.testing.assert_array_equal(prototype.raw, slices[start])
        assert format_time(at_ns(60)) <= start < prototype.source["end"]
        assert prototype.source["end"] <= format_time(at_ns(120))
        np.testing.assert_array_equal(prototype.baseline, loaded.baseline_of("A"))
        point = loaded.embed(prototype.raw[None], prototype.baseline)[0]
        np.testing.assert_allclose(prototype.embedding, point, atol=1e-6)
        assert prototype.source["capture"] == str(storm)
        assert prototype.source["network"] == "A"
    assert len(starts) == MAX_PROTOTYPES
    assert (added.start_ns, added.end_ns) == (at_ns(60), at_ns(120))
    assert all("from 'refused', within its reach" in warning for warning in added.warnings)


def test_the_fault_is_known_at_once_and_the_weights_are_the_same(storm: Path, model: Path) -> None:
    before = load_model(model)
    seen = {v.label for v in classify_log(storm, before, network="A").verdicts}
    assert "overload" not in seen
    add(storm, model)
    after = load_model(model)
    assert after.bundle.encoder_id == before.bundle.encoder_id
    inside = [
        verdict.label
        for verdict in classify_log(storm, after, network="A").verdicts
        if at_ns(60) <= verdict.start_ns and verdict.end_ns <= at_ns(120)
    ]
    assert inside.count("overload") >= 0.9 * len(inside)


@pytest.mark.parametrize(
    ("first_s", "last_s", "expected_s"),
    [(88, 92, 82), (90.2, 90.4, 82), (2, 4, 0), (177, 179, 164), (-50, 6, 0)],
    ids=["middle", "one bin", "start", "end", "before"],
)
def test_an_example_shorter_than_a_window_is_the_window_around_it(
    storm: Path, model: Path, first_s: float, last_s: float, expected_s: int
) -> None:
    """16 bins around the middle, moved inside where the capture ends."""
    added = add(storm, model, first_s, last_s)
    assert added.n_prototypes == 1
    assert added.start_ns == at_ns(expected_s)
    assert added.end_ns == at_ns(expected_s + SPEC.n_timesteps)
    series = read_series(storm).series[0]
    np.testing.assert_array_equal(
        stored(model)[0].raw, series.values[expected_s : expected_s + SPEC.n_timesteps]
    )


@pytest.mark.parametrize(
    ("first_s", "last_s", "message"),
    [
        (500, 560, "the capture covers"),
        (-90, -30, "the capture covers"),
        (120, 60, "not after its start"),
        (60, 60, "not after its start"),
    ],
)
def test_times_outside_the_log_are_refused_and_nothing_is_stored(
    storm: Path, model: Path, first_s: float, last_s: float, message: str
) -> None:
    with pytest.raises(WindowError, match=message):
        add(storm, model, first_s, last_s)
    assert stored(model) == []


def test_a_log_shorter_than_a_window_teaches_nothing(model: Path, tmp_path: Path) -> None:
    short = write_capture(tmp_path / "short.pcap", {}, length_s=10)
    with pytest.raises(WindowError, match="no window of 16 s"):
        add(short, model, 0, 10)


def test_a_name_that_exists_takes_more_examples_only_when_asked(storm: Path, model: Path) -> None:
    add(storm, model, 60, 90)
    n_first = len(stored(model))
    with pytest.raises(LibraryError, match="is there already"):
        add(storm, model, 90, 120)
    assert len(stored(model)) == n_first
    added = add(storm, model, 90, 120, more=True)
    assert len(stored(model)) == n_first + added.n_prototypes


def test_without_a_network_the_logs_own_normal_is_used_and_said(storm: Path, model: Path) -> None:
    added = add(storm, model, network=None)
    expected = estimate_baseline(read_series(storm).series[0].values)
    assert "its normal was estimated" in added.warnings[0]
    for prototype in stored(model):
        np.testing.assert_array_equal(prototype.baseline, expected)
    with pytest.raises(LibraryError, match="no baseline for network 'Z'"):
        add(storm, model, network="Z")


def test_the_forecast_does_not_count_the_fault_itself(storm: Path, model: Path) -> None:
    """What the new examples are near to is what was there before, by a plain loop."""
    before = load_model(model)
    first = add(storm, model)
    again = add(storm, model, more=True)
    points = [prototype.embedding for prototype in stored(model)[: first.n_prototypes]]
    distances = [np.linalg.norm(before.prototypes - point, axis=1).min() for point in points]
    nearest = before.prototype_labels[
        np.linalg.norm(before.prototypes - points[int(np.argmin(distances))], axis=1).argmin()
    ]
    for forecast in (first.forecast, again.forecast):
        assert forecast.nearest_label == nearest
        assert "overload" not in str(forecast)


def test_adding_takes_less_than_two_seconds(storm: Path, model: Path) -> None:
    """Of the processor, with everything imported: what else runs does not count."""
    load_model(model)
    started = time.process_time()
    add(storm, model)
    assert time.process_time() - started < 2


@pytest.mark.slow
def test_two_processes_may_add_at_once(storm: Path, model: Path) -> None:
    """Four faults from two processes are all there, whole."""
    code = (
        "import sys; from traffic_siamese import add_fault\n"
        "name, log, model, first, last = sys.argv[1:]\n"
        "for turn in range(2):\n"
        "    add_fault(f'{name}-{turn}', log, int(first), int(last), model=model, network='A')"
    )
    words = [str(storm), str(model), str(at_ns(60)), str(at_ns(120))]
    children = [
        subprocess.Popen([sys.executable, "-c", code, name, *words], stderr=subprocess.PIPE)
        for name in ("left", "right")
    ]
    for child in children:
        _, said = child.communicate(timeout=60)
        assert child.returncode == 0, said.decode()
    for name in ("left-0", "left-1", "right-0", "right-1"):
        assert len(stored(model, name)) == MAX_PROTOTYPES + 1
    assert len(stored(model, "normal")) == 2


def by_phase(model: Path) -> dict[str, list[str]]:
    """Return the starts of the stored examples."""
    found: dict[str, list[str]] = {}
    for prototype in stored(model):
        found.setdefault(prototype.source["phase"], []).append(prototype.source["start"])
    return found


def test_the_edges_are_halved_by_the_times_given(storm: Path, model: Path) -> None:
    """Sixteen bins: eight before the start and eight after it, and so at the end."""
    added = add(storm, model, phases=["onset", "steady", "recovery"])
    found = by_phase(model)
    assert found["onset"] == [format_time(at_ns(52))]
    assert found["recovery"] == [format_time(at_ns(112))]
    assert added.phases == {"steady": MAX_PROTOTYPES, "onset": 1, "recovery": 1}
    assert added.n_prototypes == MAX_PROTOTYPES + 2
    assert (added.start_ns, added.end_ns) == (at_ns(60), at_ns(120))


@pytest.mark.parametrize(("first_s", "last_s"), [(0, 70), (110, 180), (62, 76)])
def test_an_edge_outside_the_capture_or_of_a_short_fault_is_none(
    storm: Path, model: Path, first_s: float, last_s: float
) -> None:
    add(storm, model, first_s, last_s, phases=["onset", "steady", "recovery"])
    wanted = {0: {"steady"}, 110: {"steady"}, 62: {"steady"}}[first_s]
    assert {"steady"} <= set(by_phase(model)) <= wanted | {"onset", "recovery"}
    if last_s - first_s < SPEC.n_timesteps:
        assert set(by_phase(model)) == {"steady"}
    if first_s == 0:
        assert "onset" not in by_phase(model)
    if last_s == 180:
        assert "recovery" not in by_phase(model)


@pytest.mark.parametrize("too_wide_s", [8, 20, 40])
def test_times_marked_too_wide_do_not_make_normal_a_fault(
    storm: Path, model: Path, too_wide_s: int
) -> None:
    """No window without the fault becomes its example, and normal traffic stays normal."""
    added = add(storm, model, 60 - too_wide_s, 120 + too_wide_s)
    for prototype in stored(model):
        assert prototype.source["end"] > format_time(at_ns(60))
        assert prototype.source["start"] < format_time(at_ns(120))
    if too_wide_s > SPEC.n_timesteps:
        assert any("look normal and were left out" in warning for warning in added.warnings)
    calm = [
        verdict.label
        for verdict in classify_log(storm, load_model(model), network="A").verdicts
        if verdict.end_ns <= at_ns(60) or verdict.start_ns >= at_ns(122)
    ]
    assert set(calm) == {"normal"}


def test_an_example_of_normal_traffic_is_told(captures: Path, model: Path) -> None:
    times = (captures / "A/normal-1.pcap", at_ns(10), at_ns(60))
    more = add_fault("normal", *times, model=model, network="A", more=True)
    assert more.warnings == ()
    assert more.phases == {"steady": MAX_PROTOTYPES}
    added = add_fault("odd", *times, model=model, network="A")
    assert "the example looks normal" in added.warnings[0]
    assert "--start and --end" in added.warnings[0]


def test_an_example_of_a_known_fault_is_told(captures: Path, model: Path) -> None:
    """By a plain loop, the nearest of its windows is within the other's reach, 0.15."""
    times = (captures / "A/refused-1.pcap", at_ns(60), at_ns(120))
    known = load_model(model)
    refused = known.prototypes[known.prototype_labels == "refused"]
    added = add_fault("again", *times, model=model, network="A")
    points = [p.embedding for p in stored(model, "again") if p.source["phase"] == "steady"]
    nearest = min(float(np.linalg.norm(point - one)) for point in points for one in refused)
    assert nearest <= 0.15
    assert f"{nearest:.3f} from 'refused', within its reach of 0.150" in added.warnings[-1]


def test_more_of_the_same_fault_is_no_reason_to_warn(captures: Path, model: Path) -> None:
    times = (captures / "A/refused-1.pcap", at_ns(60), at_ns(120))
    assert add_fault("refused", *times, model=model, network="A", more=True).warnings == ()


def test_a_phase_that_is_none_is_refused(storm: Path, model: Path) -> None:
    with pytest.raises(ValueError, match="expected some of onset, steady, recovery"):
        add(storm, model, phases=["begin"])
