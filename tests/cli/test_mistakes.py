"""Mistakes that users make: one line says where, what was found, what was expected, what to do."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from tests.cli.tiny import at
from tests.conftest import Invoke
from traffic_siamese.spelling import did_you_mean

EXAMPLE = "faults add {new} LOG --start {start} --end {end} -m MODEL"

MISTAKES = {
    # what was typed: the status, and what the line must say
    "classify LOG -m OUT/mdel": (1, "OUT/mdel: found nothing", "Did you mean", "OUT/model"),
    "classify LOG -m OUT": (1, "OUT: found no bundle.json", "OUT/model"),
    "classify LOG -m LOG": (1, "expected the directory of a model"),
    "classify LOGS/A/refused1.pcap -m MODEL": (1, "no such file", "Did you mean 'refused-1.pcap'?"),
    "classify OUT/empty -m MODEL": (1, "OUT/empty: found 0 files", "Name another folder"),
    "classify OUT/notes -m MODEL": (1, "OUT/notes: found 1 file and no capture"),
    "classify LOG -m MODEL -n a": (1, "no baseline for network 'a'", "Did you mean 'A'?"),
    "classify LOG -m MODEL -n north": (1, "known: A.", "baseline LOG --network north"),
    "classify LOG -m MODEL -o OUT/none/v.csv": (1, "OUT/none/v.csv: cannot be written", "folder"),
    "classify LOG -m MODEL -o v.txt": (2, "'v.txt' ends in .txt, expected .csv, .jsonl, .parquet"),
    "classify LOG -m MODEL --false-alarms-per-day 0,5": (2, "Write 0.5, with a point."),
    "classify -m MODEL": (2, "Missing argument 'LOG...'"),
    "clasify LOG -m MODEL": (2, "No such command 'clasify'. Did you mean 'classify'?"),
    "classify LOG --modle MODEL": (2, "No such option '--modle'", "--model"),
    "faults sow refused -m MODEL": (2, "No such command 'sow'"),
    "faults show refsed -m MODEL": (1, "expected one of: normal, refused. Did you mean 'refused'?"),
    "faults remove refsed -m MODEL": (1, "library.sqlite", "Did you mean 'refused'?"),
    "faults rename refsed gone -m MODEL": (1, "library.sqlite", "Did you mean 'refused'?"),
    "faults rename refused normal -m MODEL": (1, "is there already", "Choose another name"),
    "faults remove normal -m MODEL": (1, "cannot be removed: without it"),
    EXAMPLE.format(new="refused", start="+60", end="+120"): (1, "is there already", "--more"),
    EXAMPLE.format(new="a,b", start="+60", end="+120"): (1, "'a,b' holds ','"),
    EXAMPLE.format(new="unknown", start="+60", end="+120"): (1, "is reserved"),
    EXAMPLE.format(new="x", start="+120", end="+60"): (1, "Swap --start and --end."),
    EXAMPLE.format(new="x", start="+60,5", end="+120"): (2, "--start", "+95.5 (with a point)"),
    EXAMPLE.format(new="x", start="6:53", end="+120"): (2, "'6:53' is no time, expected 2026-"),
    EXAMPLE.format(new="x", start="+900", end="+960"): (1, "the capture covers", at(0), at(180)),
    "baseline LOG -m MODEL -n ,": (1, "network ',' holds ','"),
    "evaluate LOGS --labels OUT/none.csv -m MODEL": (1, "OUT/none.csv: cannot be read as labels"),
    "evaluate LOGS --labels OUT/typo.csv -m MODEL": (1, "missing: start", "Did you mean 'strat'?"),
    "evaluate LOGS --labels OUT/semi.csv -m MODEL": (1, "Separate the columns with commas."),
    "evaluate LOGS --labels OUT/swap.csv -m MODEL": (1, "OUT/swap.csv:2: ends at", "Swap the two"),
    "evaluate LOGS --labels LOGS/labels.csv": (2, "Missing option '--model'"),
    "film OUT/empty -o OUT/f.html": (1, "OUT/empty: found no bundle.json"),
    "features OUT/notes/note.md": (1, "looks like text that starts"),
    "features OUT/table.csv --by nod": (1, "--by names the column 'nod', expected one of"),
    "features OUT/table.csv --timezone Europe/Berln": (1, "'Europe/Berln' is no time zone"),
    "init MODEL": (1, "exists already", "Choose another name"),
    "simulate OUT/lab --faults latencyy": (2, "found no family 'latencyy'", "perhaps 'latency'"),
    "simulate OUT/notes --faults latency": (1, "expected an empty folder", "--force"),
    "export MODEL": (2, "nothing to export: give --onnx FILE"),
    "export MODEL --onnx OUT/none/x.onnx": (1, "OUT/none: no such folder", "Make it first"),
    "film MODEL -o OUT/none/f.html": (1, "OUT/none: no such folder", "Make it first"),
    "film MODEL": (2, "nothing to write: give -o FILE"),
    "film MODEL --video x.avi": (2, "'x.avi', expected a name that ends in .mp4 or .gif"),
    "similar LOG --at 25:00 -m MODEL": (2, "'25:00' is no time, expected 2026-"),
    "classify LOG -m MODEL --report OUT/none/r.html": (1, "OUT/none", "folder"),
    "inspect OUT/none": (1, "OUT/none: no such file"),
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Make a folder with all that goes wrong in it; ``model`` is the fixture's."""
    for name in ("empty", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes" / "note.md").write_text("what we saw\n")
    labels = {
        "typo": f"capture,strat,end,label\nA/normal-1.pcap,{at(0)},{at(60)},normal\n",
        "semi": f"capture;start;end;label\nA/normal-1.pcap;{at(0)};{at(60)};normal\n",
        "swap": f"capture,start,end,label\nA/normal-1.pcap,{at(60)},{at(0)},normal\n",
    }
    for name, text in labels.items():
        (tmp_path / f"{name}.csv").write_text(text)
    rows = [f"2026-11-22T06:0{minute}:00,{10 * minute}" for minute in range(9)]
    (tmp_path / "table.csv").write_text("\n".join(["time,bytes", *rows]) + "\n")
    return tmp_path


@pytest.mark.parametrize("typed", sorted(MISTAKES))
def test_a_mistake_is_told_in_one_line(
    invoke: Invoke, captures: Path, model: Path, out: Path, typed: str
) -> None:
    status, *said = MISTAKES[typed]
    places = {
        "LOGS": str(captures),
        "LOG": str(captures / "A/refused-1.pcap"),
        "MODEL": str(model),
        "OUT": str(out),
    }
    words = ["/".join(places.get(part, part) for part in word.split("/")) for word in typed.split()]
    result = invoke(*words, code=status)
    line = result.stderr.splitlines()[-1]
    assert line.startswith("Error: ")
    assert result.stdout == ""
    assert line[-1] in ".?" or "Learn it with:" in line
    for text in said:
        assert str(text).replace("OUT", str(out)) in line
    if status == 1:
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EROFS, "Choose a folder that can be written"),
        (errno.EACCES, "who may read and write"),
        (errno.EADDRINUSE, "choose another port"),
    ],
)
def test_what_the_system_refuses_comes_with_a_hint(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, model: Path, number: int, hint: str
) -> None:
    """As a full disk, a disk that may only be read, or a port in use."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "not today", "somewhere")

    monkeypatch.setattr("traffic_siamese.exporting.export_onnx", refuse)
    result = invoke("export", model, "--onnx", "x.onnx", code=1)
    assert result.stderr == f"Error: somewhere: not today. {result.stderr.split('. ', 1)[1]}"
    assert hint in result.stderr


def test_a_draft_is_called_by_the_name_of_the_file(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, model: Path, tmp_path: Path
) -> None:
    """Pages are written beside the old one under another name, and then moved."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, "Permission denied", str(tmp_path / ".film.html.a1b2c3_4"))

    monkeypatch.setattr("traffic_siamese.pipeline.film", refuse)
    result = invoke("film", model, "-o", tmp_path / "film.html", code=1)
    assert result.stderr.startswith(f"Error: {tmp_path / 'film.html'}: Permission denied.")


def test_a_model_of_a_newer_version_is_told(invoke: Invoke, captures: Path, model: Path) -> None:
    pointer = model / "bundle.json"
    pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "format_version": 7}))
    result = invoke("classify", captures, "-m", model, code=1)
    assert "found bundle format 7, expected 1" in result.stderr
    assert "upgrade traffic-siamese" in result.stderr


@pytest.mark.parametrize(
    ("word", "meant"), [("BLOCKED", "blocked"), ("blokced", "blocked"), ("zzz", ""), ("", "")]
)
def test_a_name_is_meant_if_it_is_near(word: str, meant: str) -> None:
    hint = did_you_mean(word, ["blocked", "capacity"])
    assert hint == (f" Did you mean {meant!r}?" if meant else "")
