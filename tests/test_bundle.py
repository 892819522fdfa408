"""The bundle: whole after every kill, and clear about what is wrong with it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from traffic_siamese.bundle import (
    BundleContents,
    BundleInfo,
    encoder_id,
    library_path,
    load_bundle,
    package_versions,
    rename_label,
    save_bundle,
)
from traffic_siamese.errors import BundleError, LibraryError, TrafficSiameseError
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.types import Prototype, WindowSpec

INFO = BundleInfo(
    feature_names=("packets", "bytes"),
    window=WindowSpec(n_timesteps=16, stride=4, bin_s=0.5),
    embedding_dim=3,
    labels=("blocked", "normal"),
    calibration=Calibration({"normal": 0.25}, 0.3, 0.05),
    training={"epochs": 3, "margin": 0.4},
    metrics={"accuracy": 0.75},
    versions={"numpy": "2.0"},
    created="2024-01-01T00:00:00Z",
)
SCALING = {"center": np.arange(2, dtype=np.float32), "names": np.array(["packets", "bytes"])}
CONTENTS = BundleContents(INFO, b"keras" * 100, b"onnx" * 100, SCALING, b"history" * 100)
CONTENT_FILES = ["encoder-*.keras", "encoder-*.onnx", "scaling-*.npz", "history-*.npz"]


def test_gives_back_what_was_saved(tmp_path):
    saved = save_bundle(tmp_path / "model", CONTENTS)
    for bundle in (saved, load_bundle(str(tmp_path / "model"))):
        for name in INFO.__dataclass_fields__:
            assert getattr(bundle.info, name) == getattr(INFO, name)
        assert bundle.onnx == CONTENTS.onnx
        assert bundle.encoder_id == encoder_id(CONTENTS.onnx)
        assert bundle.keras_path.read_bytes() == CONTENTS.keras
        assert bundle.history_path.read_bytes() == CONTENTS.history
        assert bundle.scaling.keys() == SCALING.keys()
        for name, array in SCALING.items():
            np.testing.assert_array_equal(bundle.scaling[name], array)
            assert bundle.scaling[name].dtype == array.dtype


def test_holds_exactly_the_files_of_its_layout(tmp_path):
    """Also after another save, which takes the old contents away but leaves foreign files."""
    save_bundle(tmp_path, CONTENTS)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".unfinished-x").write_text("left by a kill")
    bundle = save_bundle(tmp_path, replace(CONTENTS, onnx=b"new", history=b"new"))
    layout = [*CONTENT_FILES, "bundle.json", "library.sqlite", "notes.txt"]
    found = [[file.name for file in tmp_path.glob(pattern)] for pattern in layout]
    assert all(len(names) == 1 for names in found)
    assert len(list(tmp_path.iterdir())) == len(layout)
    assert f"encoder-{bundle.encoder_id}.onnx" in found[1]


def test_numbers_of_any_kind_become_plain_json(tmp_path):
    metrics = {"a": np.float32(0.5), "b": float("nan"), "c": np.arange(2), "d": (1, {"e": np.inf})}
    found = save_bundle(tmp_path, replace(CONTENTS, info=replace(INFO, metrics=metrics)))
    assert found.info.metrics == {"a": 0.5, "b": None, "c": [0, 1], "d": [1, {"e": None}]}


def test_what_cannot_be_stored_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="dtype object"):
        save_bundle(tmp_path / "m", replace(CONTENTS, scaling={"a": np.array([{}])}))
    with pytest.raises(ValueError, match="cannot be stored"):
        save_bundle(tmp_path / "m", replace(CONTENTS, info=replace(INFO, training={"a": object()})))
    assert not (tmp_path / "m").exists()


def test_the_library_survives_a_new_model(tmp_path):
    save_bundle(tmp_path, CONTENTS)
    arrays = (np.ones((16, 2)), np.ones((2, 2)), np.ones(3))
    load_bundle(tmp_path).library().add("flood", [Prototype("flood", *arrays)], encoder_id="e")
    bundle = save_bundle(tmp_path, replace(CONTENTS, onnx=b"other"))
    assert bundle.library().labels() == ("flood",)
    library_path(tmp_path).unlink()
    with pytest.raises(BundleError, match="no such file"):
        bundle.library()


def test_a_renamed_label_keeps_its_radius(tmp_path):
    before = save_bundle(tmp_path, CONTENTS)
    arrays = (np.ones((16, 2)), np.ones((2, 2)), np.ones(3))
    examples = [Prototype(label, *arrays) for label in ("blocked", "normal")]
    before.library().replace_trained(before.encoder_id, examples)
    calibration = replace(INFO.calibration, radii={"normal": 0.25, "blocked": 0.1})
    save_bundle(tmp_path, replace(CONTENTS, info=replace(INFO, calibration=calibration)))
    rename_label(tmp_path, "blocked", "all blocked")
    after = load_bundle(tmp_path)
    assert after.library().labels() == ("all blocked", "normal")
    assert after.info.labels == ("all blocked", "normal")
    assert after.info.calibration.radii == {"normal": 0.25, "all blocked": 0.1}
    assert after.encoder_id == before.encoder_id
    with pytest.raises(LibraryError, match="'blocked' is not in"):
        rename_label(tmp_path, "blocked", "other")


@pytest.mark.parametrize("pattern", CONTENT_FILES)
def test_missing_and_damaged_files_are_named(tmp_path, pattern):
    save_bundle(tmp_path, CONTENTS)
    (file,) = tmp_path.glob(pattern)
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"", bytes([whole[0] ^ 1]) + whole[1:]):
        file.write_bytes(damaged)
        with pytest.raises(BundleError, match=rf"{file.name}: damaged"):
            load_bundle(tmp_path)
    file.unlink()
    with pytest.raises(BundleError, match=rf"{file.name}: cannot be read \(No such file"):
        load_bundle(tmp_path)


def edited(tmp_path, **changes):
    save_bundle(tmp_path, CONTENTS)
    pointer = tmp_path / "bundle.json"
    pointer.write_text(json.dumps({**json.loads(pointer.read_text()), **changes}))
    with pytest.raises(BundleError) as caught:
        load_bundle(tmp_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_versions_to_come_ask_for_an_upgrade(tmp_path):
    assert "newer version: upgrade" in edited(tmp_path, format_version=2, files=None)
    assert "Train it again" in edited(tmp_path, format_version="0.9")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"files": {}},
        {"window": {"length": 3}},
        {"window": None},
        {"labels": 3},
        {"embedding_dim": "three"},
        {"training": 7},
    ],
)
def test_a_malformed_entry_is_one_line(tmp_path, changes):
    assert "bundle.json: malformed" in edited(tmp_path, **changes)


def test_a_pointer_cannot_lead_out_of_the_directory(tmp_path):
    entry = {"name": "../../etc/passwd", "sha256": "0"}
    files = dict.fromkeys(("keras", "onnx", "scaling", "history"), entry)
    assert "a file name without its hash" in edited(tmp_path, files=files)


def test_a_malformed_calibration_is_one_line(tmp_path):
    assert "calibration: found" in edited(tmp_path, calibration={"radii": {}})


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"{}", b"[" * 10**5])
def test_a_pointer_that_is_no_bundle_is_one_line(tmp_path, text):
    (tmp_path / "bundle.json").write_bytes(text)
    with pytest.raises(BundleError, match=r"bundle.json: malformed"):
        load_bundle(tmp_path)


def test_every_cut_of_the_pointer_is_an_error(tmp_path):
    save_bundle(tmp_path, CONTENTS)
    whole = (tmp_path / "bundle.json").read_bytes()
    for k in range(len(whole)):
        (tmp_path / "bundle.json").write_bytes(whole[:k])
        with pytest.raises(BundleError):
            load_bundle(tmp_path)


def test_places_that_are_no_model(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path, found in ((file, "found a file"), (tmp_path / "no", "found nothing")):
        with pytest.raises(BundleError, match=found):
            load_bundle(path)
    with pytest.raises(BundleError, match=r"found no bundle.json in it"):
        load_bundle(tmp_path)
    with pytest.raises(BundleError, match="cannot write the model"):
        save_bundle(file, CONTENTS)
    with pytest.raises(BundleError, match="cannot write the model"):
        save_bundle(file / "below", CONTENTS)


def test_a_reader_follows_a_pointer_that_moves_meanwhile(tmp_path, monkeypatch):
    """The old files vanish between reading the pointer and reading them."""
    save_bundle(tmp_path, CONTENTS)
    old = (tmp_path / "bundle.json").read_bytes()
    save_bundle(tmp_path, replace(CONTENTS, onnx=b"new"))
    new = (tmp_path / "bundle.json").read_bytes()
    answers = iter([old, new])
    monkeypatch.setattr("traffic_siamese.bundle._read_pointer", lambda path: next(answers))
    assert load_bundle(tmp_path).onnx == b"new"


def test_loading_imports_nothing_heavy(tmp_path):
    save_bundle(tmp_path, CONTENTS)
    code = (
        "import sys; from traffic_siamese.bundle import load_bundle; load_bundle(sys.argv[1])\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'plotly', 'onnxruntime', 'scipy'}\n"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == 0


def test_versions_name_what_is_installed():
    versions = package_versions()
    assert versions["numpy"] == np.__version__
    assert all(isinstance(version, str) for version in versions.values())


SAVER = """
import sys
import numpy as np
from dataclasses import replace
from traffic_siamese.bundle import BundleContents, load_bundle, save_bundle
path, k = sys.argv[1], int(sys.argv[2])
info = load_bundle(path).info
while True:
    mark = str(k).encode()
    scaling = {"k": np.array(k)}
    contents = BundleContents(replace(info, training={"k": k}), mark, mark, scaling, mark * 2**15)
    save_bundle(path, contents)
    print(k, flush=True)
    k += 2
"""


def generation(path):
    """Load the model and check that all its parts are of one save."""
    bundle = load_bundle(path)
    k = bundle.info.training["k"]
    mark = str(k).encode()
    assert bundle.onnx == mark
    assert int(bundle.scaling["k"]) == k
    assert bundle.keras_path.name != bundle.history_path.name
    return k


def saver(path, first):
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, path, str(first)], stdout=subprocess.PIPE, text=True
    )


def first_model(path):
    info = replace(INFO, training={"k": -1})
    save_bundle(path, BundleContents(info, b"-1", b"-1", {"k": np.array(-1)}, b"-1"))


@pytest.mark.slow
def test_a_kill_leaves_the_old_model_or_the_new_one(tmp_path):
    """Killed at random moments, eight times; never older than the last save reported."""
    first_model(tmp_path)
    clock, k = random.Random(1), 0
    for _ in range(8):
        process = saver(tmp_path, k)
        reported = int(process.stdout.readline())
        time.sleep(clock.uniform(0, 0.08))
        os.kill(process.pid, signal.SIGKILL)
        lines = process.communicate()[0].splitlines(keepends=True)
        reported = max([reported, *(int(line) for line in lines if line.endswith("\n"))])
        found = generation(tmp_path)
        assert reported <= found <= reported + 2
        k = found + 2
    FaultLibrary(library_path(tmp_path), create=False).labels()


@pytest.mark.slow
def test_readers_and_two_writers_at_once(tmp_path):
    """While two processes replace the model all the time, twenty of theirs load whole."""
    first_model(tmp_path)
    writers = [saver(tmp_path, k) for k in (0, 1)]
    try:
        for writer in writers:
            writer.stdout.readline()
        seen, deadline = set(), time.monotonic() + 60
        while len(seen) < 20 and time.monotonic() < deadline:
            seen.add(generation(tmp_path))
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert len(seen) == 20


def test_errors_are_of_one_tree():
    assert issubclass(BundleError, TrafficSiameseError)
