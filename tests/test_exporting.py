"""What the Embedding Projector is handed, read back as the Projector reads it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_siamese.bundle import load_bundle
from traffic_siamese.exporting import export_projector
from traffic_siamese.history import TrainingHistory
from traffic_siamese.projector_files import (
    COLUMNS,
    ProjectorTensor,
    write_json_config,
    write_meta,
    write_pbtxt_config,
    write_vectors,
)

MADE_OF = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def read_tsv(path: Path) -> list[list[str]]:
    """Read as the Projector does: split at line feeds, then at tabs; the last line ends too."""
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    return [line.split("\t") for line in lines]


def unescaped(cell: str) -> str:
    """Go through the characters one by one."""
    text, at = "", 0
    while at < len(cell):
        width = 2 if cell[at] == "\\" else 1
        text += MADE_OF[cell[at : at + 2]] if width == 2 else cell[at]
        at += width
    return text


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@given(st.lists(st.tuples(names, names), min_size=1, max_size=5))
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    """Tabs, line ends and backslashes too; one line a point, under a heading."""
    path = tmp_path_factory.mktemp("meta") / "meta.tsv"
    write_meta(path, ("label", "capture"), rows)
    found = read_tsv(path)
    assert found[0] == ["label", "capture"]
    assert [tuple(map(unescaped, row)) for row in found[1:]] == rows


def test_a_single_column_has_no_heading(tmp_path: Path) -> None:
    """The Projector would take it for a point."""
    write_meta(tmp_path / "meta.tsv", ("label",), [["normal"], ["blocked"]])
    assert read_tsv(tmp_path / "meta.tsv") == [["normal"], ["blocked"]]


def test_vectors_come_back_to_seven_digits(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).random((7, 48), np.float32)
    write_vectors(tmp_path / "vecs.tsv", vectors)
    found = np.array(read_tsv(tmp_path / "vecs.tsv")).astype(float)
    np.testing.assert_allclose(found, vectors, rtol=1e-6)


def test_every_example_and_every_followed_window_is_written_once(
    model: Path, tmp_path: Path
) -> None:
    """Examples first, with their embeddings; a followed window that is an example only there."""
    made = export_projector(model, tmp_path / "points")
    bundle = load_bundle(model)
    history = TrainingHistory.load(bundle.history_path)
    examples = bundle.library().prototypes(bundle.encoder_id)
    heading, *rows = read_tsv(tmp_path / "points/meta.tsv")
    assert tuple(heading) == COLUMNS
    vectors = np.array(read_tsv(tmp_path / "points/vecs.tsv")).astype(np.float32)
    assert len(rows) == len(vectors) == made.n_points
    assert made.n_points == len(examples) + np.count_nonzero(~history.prototype)
    for row, vector, example in zip(rows, vectors, examples, strict=False):
        source = example.source
        assert row[:4] == [example.label, source["capture"], source["network"], source["start"]]
        assert row[4:] == ["no", "yes"]
        np.testing.assert_allclose(vector, example.embedding, rtol=1e-6)
    followed = np.flatnonzero(~history.prototype)
    assert [row[0] for row in rows[len(examples) :]] == history.label[followed].tolist()
    assert {row[5] for row in rows[len(examples) :]} == {"no"}


def _with_wide_model(model: Path, *, kept: bool) -> tuple[np.ndarray, TrainingHistory]:
    """Make the model's examples 5 wide; keep all axes of the followed windows, or only 3."""
    bundle = load_bundle(model)
    history = TrainingHistory.load(bundle.history_path)
    wide = np.random.default_rng(2).random((len(history.label), 5), np.float32)
    return wide, replace(history, final=wide) if kept else history


@pytest.mark.parametrize("kept", [True, False])
def test_a_wide_model_gives_all_axes_that_were_kept(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Models of before kept three axes of the followed windows; then all points have three."""
    from traffic_siamese import exporting

    wide, history = _with_wide_model(model, kept=kept)
    loaded = exporting.load_model(model)
    examples = np.random.default_rng(3).random((len(loaded.prototypes), 5), np.float32)
    monkeypatch.setattr(exporting, "load_model", lambda _: replace(loaded, prototypes=examples))
    monkeypatch.setattr(exporting.TrainingHistory, "load", lambda _: history)
    made = export_projector(model, tmp_path)
    vectors = np.loadtxt(tmp_path / "vecs.tsv", dtype=np.float32)
    n_axes = 5 if kept else 3
    assert (made.n_axes, made.n_model_axes) == (n_axes, 5)
    followed = (wide if kept else history.embeddings[-1])[~history.prototype]
    expected = np.concatenate([examples[:, :n_axes], followed])
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)


def test_an_example_added_by_hand_was_never_trained_on(model: Path, tmp_path: Path) -> None:
    library = load_bundle(model).library()
    one = library.prototypes(load_bundle(model).encoder_id)[0]
    source = {**one.source, "capture": "odd\tname", "added_at": "2026-11-22"}
    added = replace(one, label="novel", source=source)
    library.add("novel", [added], encoder_id=load_bundle(model).encoder_id)
    export_projector(model, tmp_path)
    rows = {row[0]: row for row in read_tsv(tmp_path / "meta.tsv")}
    assert rows["novel"][1] == "odd\\tname"
    assert rows["novel"][4:] == ["yes", "yes"]


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("", ""),
        ("https://example.org/p", "https://example.org/p/"),
        ("https://e.org/", "https://e.org/"),
    ],
)
def test_the_stand_alone_projector_is_told_where_the_files_are(
    model: Path, tmp_path: Path, address: str, base: str
) -> None:
    """The names of its configuration's fields are those of the Projector's demo."""
    made = export_projector(model, tmp_path, address=address)
    config = json.loads((tmp_path / "projector_config.json").read_text())
    assert config == {
        "embeddings": [
            {
                "tensorName": "model",
                "tensorShape": [made.n_points, made.n_axes],
                "tensorPath": base + "vecs.tsv",
                "metadataPath": base + "meta.tsv",
            }
        ]
    }


def test_tensorboard_reads_the_folder(model: Path, tmp_path: Path) -> None:
    """Its own plugin finds points and what they are."""
    text_format = pytest.importorskip("google.protobuf.text_format")
    plugin = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    shutil.copytree(model, tmp_path / 'odd "name"')
    made = export_projector(tmp_path / 'odd "name"', tmp_path / "points")
    config = plugin.ProjectorConfig()
    text_format.Parse((tmp_path / "points/projector_config.pbtxt").read_text(), config)
    (tensor,) = config.embeddings
    assert tensor.tensor_name == 'odd "name"'
    vectors = plugin._read_tensor_tsv_file(str(tmp_path / "points" / tensor.tensor_path))
    assert vectors.shape == tuple(tensor.tensor_shape) == (made.n_points, made.n_axes)
    assert (tmp_path / "points" / tensor.metadata_path).exists()


def test_several_tensors_stand_in_one_configuration(tmp_path: Path) -> None:
    tensors = [ProjectorTensor(f"epoch {n}", (4, 3), f"{n}.tsv") for n in (0, 10)]
    write_json_config(tmp_path / "c.json", tensors)
    write_pbtxt_config(tmp_path / "c.pbtxt", tensors)
    entries = json.loads((tmp_path / "c.json").read_text())["embeddings"]
    assert [entry["tensorPath"] for entry in entries] == ["0.tsv", "10.tsv"]
    assert (tmp_path / "c.pbtxt").read_text().count("embeddings {") == 2
