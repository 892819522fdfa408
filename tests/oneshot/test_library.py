"""The fault library: what it keeps, what it refuses, and what a kill leaves of it."""

import inspect
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.errors import BundleError, LibraryError, ShapeError
from traffic_siamese.oneshot.library import FaultLibrary, LabelSummary
from traffic_siamese.oneshot.names import check_label_name
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.types import Prototype


def example(label="a", seed=0, shape=(4, 2)):
    rng = np.random.default_rng(seed)
    arrays = [rng.random(size, np.float32) for size in (shape, (2, shape[1]), (3,))]
    return Prototype(label, *arrays, {"capture": "c.pcap", "network": "A"})


# What a started process has before its own code: the same example.
PRELUDE = f"""
import sys
import numpy as np
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.types import Prototype
{inspect.getsource(example)}
"""


@pytest.fixture
def library(tmp_path):
    return FaultLibrary(tmp_path / "library.sqlite")


def run(code, *args, **options):
    return subprocess.Popen([sys.executable, "-c", PRELUDE + code, *map(str, args)], **options)


def assert_same(found, expected, label):
    assert found.label == label
    assert found.source == expected.source
    for name in ("raw", "baseline", "embedding"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, theirs)


def test_gives_back_what_was_added(library):
    """Bit for bit, in order, in another process's eyes too: nothing is held in memory."""
    examples = [example(seed=seed) for seed in range(3)]
    library.add("blocked", examples, encoder_id="e")
    found = FaultLibrary(library.path).prototypes("e")
    for mine, theirs in zip(found, examples, strict=True):
        assert_same(mine, theirs, "blocked")


def test_an_existing_name_needs_more(library):
    library.replace_trained("e", [example("trained")])
    library.add("added", [example()], encoder_id="e")
    for name in ("trained", "added"):
        with pytest.raises(LibraryError, match="is there already"):
            library.add(name, [example()], encoder_id="e")
        library.add(name, [example()], encoder_id="e", more=True)
    assert library.summary() == [LabelSummary("added", 0, 2), LabelSummary("trained", 1, 1)]


def test_remove_and_rename(library):
    library.add("a", [example(), example()], encoder_id="e")
    library.add("b", [example()], encoder_id="e")
    library.rename("a", "c")
    assert library.labels() == ("b", "c")
    with pytest.raises(LibraryError, match="'b' is there already"):
        library.rename("c", "b")
    for change in (lambda: library.remove("a"), lambda: library.rename("a", "d")):
        with pytest.raises(LibraryError, match=r"'a' is not in .*one of: b, c"):
            change()
    assert library.remove("c") == 2
    assert library.labels() == ("b",)


def test_normal_stays(library):
    library.replace_trained("e", [example("normal")])
    for change in (lambda: library.remove("normal"), lambda: library.rename("normal", "fine")):
        with pytest.raises(LibraryError, match="every window would be a fault"):
            change()
    assert library.labels() == ("normal",)


@pytest.mark.parametrize(
    "name",
    ["", " a", "a ", "a,b", "a\nb", "a\tb", "\x7f", "a\u2028b", "\ud800", "Unknown", "x" * 65],
)
def test_names_that_break_tables_are_refused(library, name):
    with pytest.raises(LibraryError, match="Choose another name"):
        library.add(name, [example()], encoder_id="e")
    with pytest.raises(LibraryError, match="Choose another name"):
        library.replace_trained("e", [example(name)])


@pytest.mark.parametrize("name", ["blocked", "capacity limit", "Überlast 🚦", "x" * 64, "it's; --"])
def test_other_names_are_allowed(library, name):
    assert check_label_name(name) == name
    library.add(name, [example()], encoder_id="e")
    assert library.labels() == (name,)


def test_a_new_encoder_takes_over(library):
    """Old and new stand side by side until the old ones are dropped; added ones move over."""
    library.replace_trained("old", [example("normal"), example("blocked")])
    library.add("flood", [example(seed=5)], encoder_id="old")
    library.replace_trained("new", [example("normal")])
    assert library.labels("old") == ("blocked", "flood", "normal")
    assert [p.label for p in library.prototypes("old")] == ["normal", "blocked", "flood"]
    assert [p.label for p in library.prototypes("new")] == ["normal"]
    ((number, stale),) = library.stale("new").items()
    assert_same(stale, example(seed=5), "flood")
    library.update_embeddings("new", {number: np.zeros(3, np.float32)})
    assert library.stale("new") == {}
    library.drop_other_encoders("new")
    assert library.prototypes("old") == []
    found = {p.label: p.embedding.tolist() for p in library.prototypes("new")}
    assert found["flood"] == [0, 0, 0]
    assert library.summary() == [LabelSummary("flood", 0, 1), LabelSummary("normal", 1, 0)]


def test_left_over_labels_of_another_encoder_do_not_block_a_name(library):
    library.replace_trained("old", [example("flood")])
    library.add("flood", [example()], encoder_id="new")
    assert library.labels("new") == ("flood",)


def test_replacing_trained_examples_keeps_the_added_ones(library):
    library.replace_trained("e", [example("a"), example("b")])
    library.add("c", [example()], encoder_id="e")
    library.replace_trained("e", [example("b")])
    assert library.labels() == ("b", "c")


@pytest.mark.parametrize(
    "other",
    [
        example(shape=(5, 2)),
        example(shape=(4, 3)),
        Prototype("a", np.zeros((4, 2)), np.zeros((2, 2)), np.zeros(2)),
        Prototype("a", np.zeros((4, 2)), np.zeros((2, 2)), np.zeros((1, 3))),
        Prototype("a", np.full((4, 2), np.nan), np.zeros((2, 2)), np.zeros(3)),
    ],
)
def test_examples_of_other_shape_or_with_nan_are_refused(library, other):
    library.add("a", [example()], encoder_id="e")
    with pytest.raises(ShapeError, match="example of 'a'"):
        library.add("b", [example(), other], encoder_id="e")
    assert library.labels() == ("a",)


def test_no_examples_are_refused(library):
    with pytest.raises(LibraryError, match="got 0 examples"):
        library.add("a", [], encoder_id="e")


def test_baselines_are_kept_by_network_and_features(library):
    def baseline(network, feature_hash, value):
        center = np.array([value, 1], np.float32)
        return StoredBaseline(network, feature_hash, center, center * 2, 600, {"log": "x"}, "2024")

    for row in (baseline("B", "f", 1), baseline("A", "f", 2), baseline("A", "g", 3)):
        library.set_baseline(row)
    library.set_baseline(baseline("A", "f", 4))
    assert library.networks() == ("A", "B")
    found = library.get_baseline("A", "f")
    assert (found.network, found.n_bins, found.source, found.learned_at) == (
        "A",
        600,
        {"log": "x"},
        "2024",
    )
    assert (found.center.tolist(), found.spread.tolist()) == ([4, 1], [8, 2])
    assert library.get_baseline("C", "f") is None
    with pytest.raises(ShapeError, match="baseline of 'A'"):
        library.set_baseline(StoredBaseline("A", "f", np.zeros(2), np.zeros(3), 1))


def test_threads_share_one_library(library):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: library.add(f"f{k}", [example()], encoder_id="e"), range(16)))
    assert len(library.labels()) == 16


def test_two_processes_add_at_once(tmp_path):
    """Both start from no file at all, so they also race to make it."""
    path = tmp_path / "library.sqlite"
    code = """
library = FaultLibrary(sys.argv[1])
for k in range(20):
    library.add(f"{sys.argv[2]}{k}", [example(), example()], encoder_id="e")
"""
    workers = [run(code, path, name) for name in "xy"]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    expected = sorted(f"{name}{k}" for name in "xy" for k in range(20))
    assert FaultLibrary(path).summary() == [LabelSummary(name, 0, 2) for name in expected]


@pytest.mark.slow
def test_a_kill_loses_nothing_and_leaves_no_half_fault(tmp_path):
    """Every fault the process reported is there; each has all of its 30 examples."""
    path = tmp_path / "library.sqlite"
    code = """
library = FaultLibrary(sys.argv[1])
k = len(library.labels())
while True:
    library.add(f"f{k}", [example(shape=(60, 40))] * 30, encoder_id="e")
    print(k, flush=True)
    k += 1
"""
    reported, clock = -1, random.Random(0)
    for _ in range(8):
        worker = run(code, path, stdout=subprocess.PIPE, text=True)
        worker.stdout.readline()
        time.sleep(clock.uniform(0, 0.1))
        os.kill(worker.pid, signal.SIGKILL)
        rest, _ = worker.communicate()
        whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        reported = int(whole[-1]) if whole else reported + 1
        rows = FaultLibrary(path).summary()
        assert {f"f{k}" for k in range(reported + 1)} <= {row.label for row in rows}
        assert {row.n_added for row in rows} == {30}
        reported = len(rows) - 1


def test_a_writer_waits_for_the_lock(library):
    code = "FaultLibrary(sys.argv[1]).add('late', [example()], encoder_id='e')"
    with library.locked():
        worker = run(code, library.path)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(1.0)
        assert library.labels() == ()
    assert worker.wait(30) == 0
    assert library.labels() == ("late",)


def test_a_lock_held_too_long_is_explained(library, monkeypatch):
    monkeypatch.setattr("traffic_siamese.oneshot.database._BUSY_TIMEOUT_S", 0.05)
    with library.locked(), pytest.raises(LibraryError, match="another process has been writing"):
        library.add("a", [example()], encoder_id="e")


def test_a_missing_file_is_not_made_unasked(tmp_path):
    with pytest.raises(BundleError, match="no such file"):
        FaultLibrary(tmp_path / "library.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BundleError, match="found a directory"):
        FaultLibrary(tmp_path)
    with pytest.raises(BundleError, match="cannot be opened"):
        FaultLibrary(tmp_path / "nowhere" / "library.sqlite")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "library.sqlite"
    path.write_text("this is a text file, long enough to have a header of its own " * 20)
    with pytest.raises(BundleError, match="no SQLite file at all"):
        FaultLibrary(path)
    path.write_bytes(b"")
    with pytest.raises(BundleError, match="another program"):
        FaultLibrary(path, create=False)
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(BundleError, match="another program"):
        FaultLibrary(path)


@pytest.mark.parametrize(("version", "message"), [(2, "Upgrade"), (0, "Train the model again")])
def test_other_versions_are_refused(library, version, message):
    connection = sqlite3.connect(library.path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(BundleError, match=message):
        FaultLibrary(library.path)


def test_every_damage_is_an_error_or_harmless(library):
    """Cut the file anywhere, or overwrite any page: an answer or a BundleError, nothing else."""
    library.add("a", [example(shape=(60, 40))] * 3, encoder_id="e")
    whole = library.path.read_bytes()
    outcomes = set()
    for k in range(0, len(whole), 1024):
        for damaged in (whole[:k], whole[:k] + b"\xa5" * 1024 + whole[k + 1024 :]):
            library.path.write_bytes(damaged)
            try:
                FaultLibrary(library.path, create=False).prototypes("e")
                outcomes.add("answer")
            except BundleError as err:
                outcomes.add("error" if "\n" not in str(err) else "long error")
    assert "error" in outcomes
    assert "long error" not in outcomes


@pytest.fixture
def read_only():
    """Make a library in a directory that nobody may write to."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    library = FaultLibrary(directory / "library.sqlite")
    library.add("a", [example()], encoder_id="e")
    library.path.chmod(0o444)
    directory.chmod(0o555)
    yield library.path
    directory.chmod(0o755)
    shutil.rmtree(directory)


@pytest.mark.skipif(os.name == "nt", reason="directories have no such mode there")
def test_a_read_only_model_can_be_read_and_says_why_it_cannot_be_changed(read_only):
    """As another user than root, whom no mode stops."""
    code = """
import os
from traffic_siamese.errors import LibraryError
other = example()
if os.geteuid() == 0:
    os.setuid(65534)
library = FaultLibrary(sys.argv[1], create=False)
print(library.labels(), len(library.prototypes("e")))
try:
    library.add("b", [other], encoder_id="e")
except LibraryError as err:
    print(err)
"""
    worker = run(code, read_only, stdout=subprocess.PIPE, text=True)
    lines = worker.communicate(timeout=30)[0].splitlines()
    assert lines[0] == "('a',) 1"
    assert lines[1].startswith(f"{read_only}: found a read-only file or directory")
