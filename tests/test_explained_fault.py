"""What a fault's examples show: against the windows that they were cut from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import SPEC, at
from tests.conftest import Invoke
from traffic_siamese.baseline import as_measured
from traffic_siamese.errors import LibraryError
from traffic_siamese.features.schema import SIGNALLING
from traffic_siamese.inspection.explained_fault import N_STRETCHES, explain_fault
from traffic_siamese.model import Model, load_model
from traffic_siamese.views.prototype_page import DrawnFault, write_prototype_page


@pytest.fixture(scope="module")
def loaded(made_model: Path) -> Model:
    return load_model(made_model)


@pytest.fixture(scope="module")
def fault(loaded: Model) -> DrawnFault:
    return explain_fault(loaded, "refused")


def test_each_example_says_what_it_shows_in_words_for_any_protocol(fault: DrawnFault) -> None:
    """Trained examples of older models do not tell their protocol."""
    assert len(fault.examples) == 2
    for example in fault.examples:
        assert "forbidden share 0 % → 100 %" in example.clauses
        assert "accepted registrations stopped (was 4/s)" in example.clauses
        assert example.reason.startswith("; ".join(example.clauses))
        assert "registration rate unchanged" in example.reason


def test_features_are_drawn_as_they_are_beside_normal(loaded: Model, fault: DrawnFault) -> None:
    """Those named first; the band is two spreads to either side in the logarithm."""
    examples = [
        one for one in loaded.library.prototypes(loaded.bundle.encoder_id) if one.label == "refused"
    ]
    for drawn, example in zip(fault.examples, examples, strict=True):
        named = [track.name for track in drawn.tracks][: len(drawn.features)]
        assert named == list(drawn.features)
        for track in drawn.tracks:
            column = SIGNALLING.names.index(track.name)
            np.testing.assert_allclose(track.values, example.raw[:, column], rtol=1e-6)
            center = as_measured(example.baseline[0], SIGNALLING)[column]
            assert track.normal[1] == pytest.approx(center, rel=1e-5)


def test_when_it_matters_is_told_for_each_change(loaded: Model, fault: DrawnFault) -> None:
    """The encoder looks at the mean over time: every eighth of a steady window matters alike."""
    for example in fault.examples:
        assert example.matters.shape == (len(example.features), min(N_STRETCHES, SPEC.n_timesteps))
        forbidden = example.features.index("from_service_answer_forbidden")
        assert example.matters[forbidden].min() > 0
        assert example.matters[forbidden].max() < 2 * example.matters[forbidden].min()


def test_normal_has_nothing_that_makes_a_difference(loaded: Model) -> None:
    normal = explain_fault(loaded, "normal")
    for example in normal.examples:
        assert (example.reason, example.clauses) == ("normal traffic", ())
        assert example.tracks


def test_a_fault_that_is_not_there_is_refused(loaded: Model) -> None:
    with pytest.raises(LibraryError, match="label 'nothing' is not in"):
        explain_fault(loaded, "nothing")


def test_a_taught_fault_is_told_in_its_protocols_words(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    words = ("faults", "add", "no_entry", captures / "B/refused-1.pcap")
    invoke(*words, "--start", at(64), "--end", at(116), "-m", model, "-n", "A")
    text = invoke("faults", "show", "no_entry", "-m", model).stdout
    assert "403 share 0 % → 100 %" in text
    assert "REGISTER rate unchanged" in text


def test_the_command_tells_prints_and_draws_the_same(
    invoke: Invoke, model: Path, tmp_path: Path, fault: DrawnFault
) -> None:
    page = tmp_path / "refused.html"
    result = invoke("faults", "show", "refused", "-m", model, "-o", page)
    assert f"      {fault.examples[0].reason}" in result.stdout.splitlines()
    assert "2 examples" in result.stderr
    found = json.loads(invoke("faults", "show", "refused", "-m", model, "--json").stdout)
    assert [one["reason"] for one in found["reasons"]] == [one.reason for one in fault.examples]
    assert found["reasons"][0]["features"] == list(fault.examples[0].features)
    assert len(found["examples"]) == len(found["reasons"])
    assert page.stat().st_size > 1_000_000  # plotly.js is inside


def test_the_page_needs_nothing_else_and_holds_no_markup_of_names(
    fault: DrawnFault, tmp_path: Path
) -> None:
    hostile = replace(fault, label="<b>x</b></script>")
    page = tmp_path / "page.html"
    size = write_prototype_page(hostile, page)
    text = page.read_text(encoding="utf-8")
    assert size == page.stat().st_size
    assert "<b>x</b>" not in text
    assert not re.search(r"(src|href)=\"(?!data:)[^\"]", text)
    assert "{{" not in text
