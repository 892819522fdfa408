"""Logs to verdicts: against windows cut, embedded and compared one by one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import FAULT_FROM_S, FAULT_TO_S, SPEC, START_NS
from tests.features.sip import SECOND
from traffic_siamese.baseline import estimate_baseline
from traffic_siamese.classification import classify, classify_log
from traffic_siamese.errors import BundleError, LibraryError, WindowError
from traffic_siamese.explanation.log_reasons import ESTIMATED
from traffic_siamese.features.series import read_series
from traffic_siamese.model import Model, load_model
from traffic_siamese.oneshot.tail import NormalTail, SpanTail


@pytest.mark.parametrize("network", ["A", None])
def test_verdicts_are_those_of_the_nearest_prototype(
    captures: Path, made_model: Path, network: str | None
) -> None:
    """Every fourth bin: scale, embed, and look for the nearest example with a plain loop."""
    source = captures / "A/refused-1.pcap"
    model = load_model(made_model)
    series = read_series(source).series[0]
    baseline = model.baseline_of("A") if network else estimate_baseline(series.values)
    result = classify_log(source, model, network=network)
    starts = list(range(0, len(series.values) - SPEC.n_timesteps + 1, SPEC.stride))
    assert len(result.verdicts) == len(starts)
    for verdict, start in zip(result.verdicts, starts, strict=True):
        window = series.values[start : start + SPEC.n_timesteps]
        point = model.encoder.embed(model.scaler.inputs(window, baseline)[None])[0]
        distances = [float(np.linalg.norm(point - p)) for p in model.prototypes]
        nearest = int(np.argmin(distances))
        label = model.prototype_labels[nearest] if distances[nearest] <= 0.15 else "unknown"
        assert verdict.label == label
        assert verdict.distance == pytest.approx(distances[nearest], abs=1e-4)
        np.testing.assert_allclose((verdict.x, verdict.y, verdict.z), point, atol=1e-5)
        assert verdict.start_ns == series.start_ns + start * SECOND
        assert verdict.end_ns == verdict.start_ns + SPEC.n_timesteps * SECOND
        assert (verdict.reason == "") == (label == "normal")


def test_a_fault_is_found_where_it_is(captures: Path, made_model: Path) -> None:
    """Windows wholly inside are refused, those wholly outside normal; one incident tells when."""
    result = classify_log(captures / "A/refused-1.pcap", load_model(made_model), network="A")
    first, last = (START_NS + s * SECOND for s in (FAULT_FROM_S, FAULT_TO_S))
    for verdict in result.verdicts:
        if verdict.start_ns >= first and verdict.end_ns <= last:
            assert verdict.label == "refused"
        if verdict.end_ns <= first or verdict.start_ns >= last:
            assert verdict.label == "normal"
    (incident,) = [one for one in result.incidents if one.label == "refused"]
    assert abs(incident.start_ns - first) <= 12 * SECOND
    assert abs(incident.end_ns - last) <= 12 * SECOND
    assert "403 share 0 % → 100 %" in incident.reason
    assert any("forbidden" in name for name in incident.features)


def watchful(model: Model) -> Model:
    """Return a model that looks twice a stride, and raises from so far on, at one alarm a day."""
    tail = NormalTail(2, 10.0, (SpanTail(1, 0.05, 1.0, 0.01, 0.0),))
    info = model.bundle.info
    calibration = replace(info.calibration, normal_tail=tail)
    return replace(model, bundle=replace(model.bundle, info=replace(info, calibration=calibration)))


def test_incidents_are_looked_for_more_often_than_verdicts_are_told(
    captures: Path, made_model: Path
) -> None:
    """The verdicts stay; the incident is found at half the stride, closer to the truth."""
    source, model = captures / "A/refused-1.pcap", load_model(made_model)
    plain = classify_log(source, model, network="A")
    watched = classify_log(source, watchful(model), network="A")
    bare = [[replace(v, reason="") for v in one.verdicts] for one in (watched, plain)]
    assert bare[0] == bare[1]  # the reason is that of the incident which a window lies in
    (incident,) = watched.incidents
    first, last = (START_NS + s * SECOND for s in (FAULT_FROM_S, FAULT_TO_S))
    assert incident.label == "refused"
    assert abs(incident.start_ns - first) <= 4 * SECOND
    assert abs(incident.end_ns - last) <= 8 * SECOND
    assert incident.windows > 1.5 * max(one.windows for one in plain.incidents)
    assert 0 <= incident.normal_per_day < 1
    rare = classify_log(source, watchful(model), network="A", false_alarms_per_day=1e-60)
    assert rare.incidents == ()


def test_verdicts_tell_the_distance_to_normal_and_how_usual_it_is(
    captures: Path, made_model: Path
) -> None:
    model = load_model(made_model)
    result = classify_log(captures / "A/refused-1.pcap", model, network="A")
    normal = model.prototypes[model.prototype_labels == "normal"]
    for verdict in result.verdicts:
        point = (verdict.x, verdict.y, verdict.z)
        nearest = min(float(np.linalg.norm(point - example)) for example in normal)
        assert verdict.normal_distance == pytest.approx(nearest, abs=1e-4)
        assert (verdict.p_value < 0.01) == (verdict.label == "unknown")
        assert ("nearly as near to" in verdict.reason) == verdict.ambiguous


def test_a_rate_that_cannot_be_kept_is_refused(made_model: Path, captures: Path) -> None:
    with pytest.raises(ValueError, match="false_alarms_per_day is 0"):
        next(classify([], made_model, false_alarms_per_day=0))
    with pytest.raises(BundleError, match="does not know how far normal traffic strays"):
        next(classify([captures / "A/normal-1.pcap"], made_model, false_alarms_per_day=1))


def test_an_estimated_baseline_is_said_in_every_reason(captures: Path, made_model: Path) -> None:
    source, model = captures / "B/refused-1.pcap", load_model(made_model)
    estimated = classify_log(source, model)
    stored = classify_log(captures / "A/refused-1.pcap", model, network="A")
    assert any(verdict.reason for verdict in estimated.verdicts)
    for result, said in ((estimated, True), (stored, False)):
        reasons = [v.reason for v in result.verdicts if v.label != "normal"]
        for why in [*reasons, *(incident.reason for incident in result.incidents)]:
            assert why.endswith(f"({ESTIMATED})") == said


def many_logs(captures: Path, folder: Path) -> list[Path]:
    """Copy captures under nine names, and put a file that is none among them."""
    names = ("A/normal-1", "A/refused-1", "B/refused-1")
    logs = []
    for number in range(9):
        path = folder / f"{number}.pcap"
        shutil.copy(captures / f"{names[number % 3]}.pcap", path)
        logs.append(path)
    logs.insert(4, folder / "broken.pcap")
    logs[4].write_bytes(b"not a capture")
    return logs


@pytest.mark.slow
def test_workers_find_what_one_process_finds_in_the_same_order(
    captures: Path, made_model: Path, tmp_path: Path
) -> None:
    logs = many_logs(captures, tmp_path)
    model = load_model(made_model)
    several = list(classify(logs, made_model, network="A", workers=2))
    assert [result.log for result in several] == [str(log) for log in logs]
    for log, result in zip(logs, several, strict=True):
        if log.name == "broken.pcap":
            assert result.verdicts == ()
            assert str(log) in result.error
            continue
        alone = classify_log(log, model, network="A")
        # As text: what is unknown is NaN, which is not equal to itself.
        assert repr(result) == repr(replace(alone, log=str(log)))


def test_a_log_that_cannot_be_read_does_not_stop_the_others(
    captures: Path, made_model: Path, tmp_path: Path
) -> None:
    missing, short = tmp_path / "missing.pcap", tmp_path / "short.pcap"
    short.write_bytes((captures / "A/normal-1.pcap").read_bytes()[:2000])
    logs = [missing, captures / "A/normal-1.pcap", short]
    results = list(classify(logs, made_model, network="A"))
    assert [bool(result.error) for result in results] == [True, False, True]
    assert "missing.pcap" in results[0].error
    assert "expected at least one window of 16" in results[2].error
    assert results[1] == classify_log(logs[1], load_model(made_model), network="A")


def test_what_concerns_every_log_is_told_before_any_is_read(
    made_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(LibraryError, match="no baseline for network 'Z'; known: A"):
        next(classify([tmp_path / "missing.pcap"], made_model, network="Z"))
    with pytest.raises(BundleError, match="expected the directory of a model"):
        next(classify([tmp_path / "missing.pcap"], tmp_path / "no-model"))


def test_one_log_alone_raises_what_is_wrong_with_it(
    captures: Path, made_model: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short.pcap"
    short.write_bytes((captures / "A/normal-1.pcap").read_bytes()[:2000])
    with pytest.raises(WindowError, match="Use a longer capture"):
        classify_log(short, load_model(made_model))


def test_no_logs_give_no_results(made_model: Path) -> None:
    assert list(classify([], made_model)) == []
