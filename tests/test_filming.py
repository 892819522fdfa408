"""From a model bundle to its film: what was added since the training, names, endings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_faults import storm  # noqa: F401  # a fixture
from tests.conftest import Invoke
from traffic_siamese.bundle import load_bundle
from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.errors import BundleError
from traffic_siamese.filming import film, load_run, model_names
from traffic_siamese.scaling import Scaler


def teach(invoke: Invoke, storm: Path, model: Path) -> None:  # noqa: F811
    times = ("--start", "+60", "--end", "+120")
    invoke("faults", "add", "overload", storm, *times, "-m", model, "-n", "A")


def test_a_film_shows_where_the_encoder_puts_what_was_added(
    invoke: Invoke,
    storm: Path,  # noqa: F811
    model: Path,
) -> None:
    """Embedded again here, by hand, from the raw windows; trained labels do not enter."""
    assert len(load_run(model).added.label) == 0
    teach(invoke, storm, model)
    run, bundle = load_run(model), load_bundle(model)
    assert set(run.added.label.tolist()) == {"overload"}
    encoder, scaler = OnnxEncoder(bundle.onnx), Scaler.from_arrays(bundle.scaling)
    stored = [p for p in bundle.library().prototypes(bundle.encoder_id) if p.label == "overload"]
    wanted = [encoder.embed(scaler.inputs(p.raw[None], p.baseline))[0] for p in stored]
    np.testing.assert_allclose(run.added.embeddings, wanted, atol=1e-6)
    assert all(name.endswith("storm.pcap") for name in run.added.capture.tolist())
    assert run.radii == bundle.info.calibration.radii
    assert run.pooled_radius == bundle.info.calibration.pooled_radius


def test_examples_of_another_encoder_are_embedded_again(
    invoke: Invoke,
    storm: Path,  # noqa: F811
    model: Path,
) -> None:
    """As after another training: where the library says they are is of no use."""
    teach(invoke, storm, model)
    before = load_run(model).added
    bundle = load_bundle(model)
    library = bundle.library()
    added = [p for p in library.prototypes(bundle.encoder_id) if p.label == "overload"]
    library.remove("overload")
    library.add("overload", added, origin="added", encoder_id="anotherencoder00")
    again = load_run(model).added
    np.testing.assert_allclose(again.embeddings, before.embeddings, atol=1e-6)


def test_names_tell_two_models_apart() -> None:
    """By their folders where they are called alike; the same one twice has one name."""
    assert model_names("a/triplet", None) == ["triplet"]
    assert model_names("a/triplet", "a/lossless") == ["triplet", "lossless"]
    assert model_names("a/model", "b/model") == ["a/model", "b/model"]
    assert model_names("a/model", "a/model") == ["model", "model"]


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected the directory of a model"):
        film(tmp_path / "none", tmp_path / "film.html")


@pytest.mark.slow
def test_the_command_writes_a_page_and_a_video(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    """One line of JSON for each; two models are named in the heading."""
    page, video = tmp_path / "film.html", tmp_path / "film.gif"
    made = invoke("film", model, model, "-o", page, "--video", video, "--json").stdout.splitlines()
    assert [json.loads(line)["path"] for line in made] == [str(page), str(video)]
    assert "<title>How model and model learned" in page.read_text("utf-8")
    assert video.read_bytes()[:6] == b"GIF89a"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "nothing to write"),
        (("--video", "film.avi"), "ends in .mp4 or .gif"),
        (("-o", "x.html", "--projection", "umap"), "'umap' is not one of"),
    ],
)
def test_wrong_usage_is_told(
    invoke: Invoke, model: Path, words: tuple[str, ...], complaint: str
) -> None:
    assert complaint in invoke("film", model, *words, code=2).stderr


def test_no_page_is_written_into_a_folder_that_is_not_there(
    invoke: Invoke, model: Path, tmp_path: Path
) -> None:
    assert "Error: " in invoke("film", model, "-o", tmp_path / "no/film.html", code=1).stderr
