"""Reasons of incidents and windows, on captures whose fault is known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import FAULT_FROM_S, START_NS
from tests.explanation.stretches import compared
from tests.features.sip import SECOND
from traffic_siamese.classification import LogResult, classify_log
from traffic_siamese.explanation.comparison import compare
from traffic_siamese.explanation.explain import Explainer, normal_input
from traffic_siamese.explanation.reason import SHORT_CHARACTERS
from traffic_siamese.explanation.topics import topics_of
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.model import Model, load_model
from traffic_siamese.preparation import prepare
from traffic_siamese.scaling import Scaler
from traffic_siamese.times import format_clock
from traffic_siamese.types import Incident

REFUSED = "A/refused-1.pcap"


@pytest.fixture(scope="module")
def loaded(made_model: Path) -> Model:
    return load_model(made_model)


@pytest.fixture(scope="module")
def result(captures: Path, loaded: Model) -> LogResult:
    """All registrations are answered 403 for a minute."""
    return classify_log(captures / REFUSED, loaded, network="A")


def _incident(result: LogResult) -> Incident:
    return next(one for one in result.incidents if one.label == "refused")


def test_the_reason_says_what_changed_by_how_much_and_since_when(result: LogResult) -> None:
    """Four registrations a second, all accepted before and none after."""
    incident = _incident(result)
    clock = format_clock(START_NS + FAULT_FROM_S * SECOND)
    assert "403 share 0 % → 100 %" in incident.reason
    assert "accepted registrations stopped (was 4/s)" in incident.reason
    assert f"from {clock}" in incident.reason
    assert "REGISTER rate unchanged" in incident.reason
    assert len(incident.reason) <= SHORT_CHARACTERS
    for part in incident.reason.split("; "):
        assert part in incident.details


def test_the_features_are_those_that_are_told_of_most_first(result: LogResult) -> None:
    incident = _incident(result)
    clauses = incident.reason.split("; ")
    told = {
        "from_service_answer_forbidden": "403 share",
        "from_service_done_registrations": "accepted registrations",
    }
    assert set(told) <= set(incident.features)
    assert clauses[0].startswith(told[incident.features[0]])


def test_windows_of_an_incident_have_its_reason_in_their_own_figures(result: LogResult) -> None:
    incident = _incident(result)
    inside = [
        verdict
        for verdict in result.verdicts
        if verdict.start_ns >= incident.start_ns and verdict.end_ns <= incident.end_ns
    ]
    assert inside
    assert all("403 share 0 % → " in verdict.reason for verdict in inside)
    half = next(v for v in result.verdicts if v.end_ns > incident.start_ns and v.reason)
    share = re.search(r"403 share 0 % → (\d+) %", half.reason)
    assert share is not None
    assert int(share[1]) < 100


def test_beyond_a_hundred_incidents_the_encoder_is_not_asked(
    captures: Path, loaded: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason then goes by what is farthest from normal; it is still a reason."""
    monkeypatch.setattr("traffic_siamese.explanation.log_reasons._MOST_EXPLAINED", 0)
    monkeypatch.setattr(Explainer, "occlusion", None)
    incident = _incident(classify_log(captures / REFUSED, loaded, network="A"))
    assert "403 share 0 % → 100 %" in incident.reason


def test_a_log_without_incidents_asks_the_encoder_nothing_more(
    captures: Path, loaded: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Explainer, "topics", None)
    monkeypatch.setattr(Explainer, "occlusion", None)
    assert classify_log(captures / "A/normal-1.pcap", loaded, network="A").incidents == ()


@pytest.fixture(scope="module")
def refused(captures: Path, loaded: Model):
    """Return windows of refused registrations as model inputs, the baseline, the comparison."""
    log, baseline = loaded.read(captures / REFUSED), loaded.baseline_of("A")
    prepared = prepare(log, loaded.scaler, baseline=baseline, network="A")
    rows = slice(FAULT_FROM_S + 10, FAULT_FROM_S + 26)
    values = log.series[0].values[rows]
    seen = compare(values, baseline, loaded.schema, protocol="sip")
    return prepared.inputs[0][rows][None], baseline, seen


def test_traffic_at_its_normal_is_zero_to_the_model(loaded: Model, refused) -> None:
    """The relative view is the difference to normal."""
    np.testing.assert_allclose(normal_input(loaded, refused[1]), 0, atol=1e-5)


def test_the_topics_take_the_window_back_to_normal(loaded: Model, refused) -> None:
    """Set to normal, they leave it nearer to `normal` than any other topic that changed."""
    windows, baseline, seen = refused
    explainer = Explainer(loaded)
    named = explainer.topics(windows, baseline, seen)
    columns = np.array([column for topic in named for column in topic.columns])
    normal = loaded.prototypes[loaded.prototype_labels == "normal"]

    def away(window: np.ndarray) -> float:
        place = loaded.encoder.embed(window)
        return float(np.linalg.norm(normal - place, axis=1).min())

    without = windows.copy()
    without[..., columns] = 0
    assert away(without) < 0.5 * away(windows)
    for topic in seen.changed_topics():
        if topic not in named:
            other = windows.copy()
            other[..., list(topic.columns)] = 0
            assert away(other) > away(without)


def test_what_the_runner_up_shows_is_told_where_it_is_near(loaded: Model, refused) -> None:
    """An example of another fault: the same refusals, and slow answers besides."""
    windows, _, seen = refused
    rows = np.flatnonzero(loaded.prototype_labels == "refused")
    example = loaded.library.prototypes(loaded.bundle.encoder_id)[int(rows[0])]
    slow = example.raw.copy()
    slow[:, FEATURE_NAMES.index("to_service_first_answer_delay_median_s")] = 2.0
    place = loaded.embed(slow[None], example.baseline)[0]
    other = replace(example, label="slow", raw=slow, embedding=place)
    model = replace(
        loaded,
        prototypes=np.concatenate([loaded.prototypes, place[None]]),
        prototype_labels=np.append(loaded.prototype_labels, "slow"),
    )
    explainer = Explainer(model)
    explainer._examples = [*model.library.prototypes(model.bundle.encoder_id), other]
    assert re.fullmatch(
        r"there answers \d+× slower \(\d+ ms → 2 s\)", explainer.against("slow", windows, seen)
    )
    assert explainer.against("nothing", windows, seen) == ""
    far = replace(model, prototypes=model.prototypes + 1)
    assert Explainer(far).against("slow", windows, seen) == ""


def test_with_two_views_both_are_set_to_normal(loaded: Model) -> None:
    """The absolute view of normal is not zero; a topic's channels are in both views."""
    baseline = loaded.baseline_of("A")
    rng = np.random.default_rng(0)
    values = rng.gamma(2, 3, size=(50, len(loaded.schema))).astype(np.float32)
    centers = np.broadcast_to(baseline[0], values.shape)
    scaler = Scaler.fit(values, centers, views="both")
    model = replace(loaded, scaler=scaler)
    n = len(loaded.schema)
    usual = normal_input(model, baseline)
    np.testing.assert_allclose(usual[0, n:], 0, atol=1e-5)
    absolute = ((baseline[0] - scaler.center[0]) / scaler.scale[0]).clip(-8, 8)
    np.testing.assert_allclose(usual[0, :n], absolute, atol=1e-4)
    topic = topics_of(loaded.schema)[0]
    channels = Explainer(model).channels(topic).tolist()
    assert channels == [*topic.columns, *(column + n for column in topic.columns)]


def test_a_model_without_examples_of_normal_has_its_normal_all_the_same(
    loaded: Model, refused
) -> None:
    windows, baseline, seen = refused
    kept = loaded.prototype_labels != "normal"
    model = replace(
        loaded,
        prototypes=loaded.prototypes[kept],
        prototype_labels=loaded.prototype_labels[kept],
    )
    names = [topic.name for topic in Explainer(model).topics(windows, baseline, seen)]
    assert "answer_forbidden" in names


def test_a_delay_is_not_unchanged_where_answers_have_stopped(loaded: Model) -> None:
    """What is held from before says nothing of now."""
    explainer = Explainer(loaded)
    busy = {
        "to_service_request_session_start": 80,
        "to_service_request_registration": 20,
        "to_service_new_transactions": 90,
    }
    assert "answer times unchanged" in explainer.unchanged(compared(**busy))
    silent = compared(**busy, from_service_answer_success=0)
    assert explainer.unchanged(silent) == ["no repeats from phones"]
