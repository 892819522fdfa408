"""Whatever a user hands in, the answer is one line and an exit status, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import builders as b
from tests.cli.tiny import START_NS, at, write_capture
from tests.conftest import Invoke
from traffic_siamese.errors import CaptureError


def _bad_log(kind: str, folder: Path) -> Path:
    path = folder / "bad.pcap"
    if kind == "short":
        return write_capture(path, {}, length_s=8)
    if kind == "folder":
        (folder / "bad.pcap").mkdir()
        return path
    web = b.Packet(b.ethernet(b.ipv4(b.udp(b"GET /", ports=(4000, 80)))), START_NS)
    contents = {"empty": b"", "text": b"hello there", "silent": b.pcap([web] * 9)}
    if kind in contents:
        path.write_bytes(contents[kind])
    return path


BAD_LOGS = {
    "empty": "is empty",
    "text": "looks like text",
    "missing": "no such file",
    "silent": "no signalling found",
    "short": "expected at least one window of 16",
}


@pytest.mark.parametrize("kind", sorted(BAD_LOGS))
def test_classify_says_why_it_cannot_read_a_log(
    invoke: Invoke, model: Path, tmp_path: Path, kind: str
) -> None:
    result = invoke("classify", _bad_log(kind, tmp_path), "-m", model, code=1)
    assert result.stderr.startswith("Error: ")
    assert BAD_LOGS[kind] in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("kind", ["empty", "text", "missing", "silent", "folder"])
@pytest.mark.parametrize(
    "words",
    [
        ("features", "LOG"),
        ("faults", "add", "new", "LOG", "--start", "+0", "--end", "+60", "-m", "MODEL"),
        ("faults", "add", "new", "LOG", "--start", at(0), "--end", at(60), "-m", "MODEL"),
        ("baseline", "LOG", "-m", "MODEL", "-n", "N"),
    ],
    ids=lambda words: " ".join(words[:2]) + (" relative" if "+0" in words else ""),
)
def test_a_bad_log_is_one_line_everywhere(
    invoke: Invoke, model: Path, tmp_path: Path, kind: str, words: tuple[str, ...]
) -> None:
    log = _bad_log(kind, tmp_path)
    filled = [{"LOG": str(log), "MODEL": str(model)}.get(word, word) for word in words]
    result = invoke(*filled, code=1)
    assert result.stderr.startswith("Error: ")
    assert "bad.pcap" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_empty_folder_is_told(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    result = invoke("classify", tmp_path / "logs", "-m", model, code=1)
    assert "no capture among them" in result.stderr


def test_when_no_log_can_be_read_the_status_says_so(
    invoke: Invoke, model: Path, tmp_path: Path
) -> None:
    result = invoke("classify", tmp_path / "a", tmp_path / "b", "-m", model, code=1)
    assert result.stderr.count("Skipped: ") == 2
    assert "Error: no log could be classified." in result.stderr


@pytest.mark.parametrize("damage", ["missing", "file", "empty", "version", "no encoder", "cut"])
def test_a_model_that_cannot_be_used_is_told(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, damage: str
) -> None:
    broken = _broken_model(model, tmp_path, damage)
    for words in (("classify", captures), ("faults", "list"), ("baseline", captures, "-n", "N")):
        result = invoke(*words, "-m", broken, code=1)
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1


def _broken_model(model: Path, folder: Path, damage: str) -> Path:
    pointer = model / "bundle.json"
    if damage == "missing":
        return folder / "none"
    if damage == "file":
        return pointer
    if damage == "empty":
        (folder / "void").mkdir()
        return folder / "void"
    if damage == "version":
        pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "format_version": 99}))
    if damage == "no encoder":
        next(model.glob("*.onnx")).unlink()
    if damage == "cut":
        encoder = next(model.glob("*.onnx"))
        encoder.write_bytes(encoder.read_bytes()[:-10])
    return model


def test_a_library_that_is_no_database_is_told(invoke: Invoke, captures: Path, model: Path) -> None:
    (model / "library.sqlite").write_bytes(b"this is no database" * 99)
    assert "library.sqlite" in invoke("classify", captures, "-m", model, code=1).stderr


def test_an_unknown_network_is_told_with_the_known_ones(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    result = invoke("classify", captures, "-m", model, "-n", "X", code=1)
    assert "no baseline for network 'X'; known: A" in result.stderr


@pytest.mark.parametrize("option", ["-o", "--incidents"])
def test_an_unknown_ending_is_wrong_usage(
    invoke: Invoke, captures: Path, model: Path, option: str
) -> None:
    result = invoke("classify", captures, "-m", model, option, "x.txt", code=2)
    assert "expected .csv, .jsonl, .parquet" in result.stderr


@pytest.mark.parametrize("words", [("classify",), ("features",), ("film",)])
def test_an_output_that_cannot_be_written_is_told(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    target = tmp_path / "none" / ("x.html" if words == ("film",) else "x.csv")
    where = {"film": [model], "features": [captures / "A/normal-1.pcap"]}
    arguments = where.get(words[0], [captures, "-m", model])
    result = invoke(*words, *arguments, "-o", target, code=1)
    assert result.stderr.startswith("Error: ")
    assert str(tmp_path / "none") in result.stderr


def test_labels_that_match_no_capture_are_told(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(f"capture,start,end,label\nnope.pcap,{at(0)},{at(60)},x\n")
    result = invoke("evaluate", captures, "--labels", labels, "-m", model, code=1)
    assert "nope.pcap: no such file" in result.stderr


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("A/normal-1.pcap,now,then,x\n", "expected an RFC 3339 time"),
        (f"a,{at(0)},{at(60)},x\na,{at(30)},{at(90)},y\n", "is labelled twice"),
        ("", "holds no rows"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_malformed_labels_are_told(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, rows: str, message: str,
    command: str,
) -> None:  # fmt: skip
    labels = tmp_path / "labels.csv"
    labels.write_text("capture,start,end,label\n" + rows)
    result = invoke(command, captures, "--labels", labels, "-m", model, code=1)
    assert message in result.stderr


def test_a_traceback_is_shown_to_whoever_asks(captures: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from traffic_siamese.cli.app import cli

    result = CliRunner().invoke(cli, ["--traceback", "features", str(tmp_path / "none")])
    assert isinstance(result.exception, CaptureError)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_full_disk_is_told(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"full.{suffix}"
    output.symlink_to("/dev/full")
    result = invoke("classify", captures, "-m", model, "-o", output, code=1)
    assert f"{output}: cannot be written (No space left on device)" in result.stderr
