"""``evaluate``, ``features``, ``inspect``, ``film``, ``export``: looking at logs and models."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.tiny import at, write_capture
from tests.conftest import Invoke
from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series


def _evaluate(invoke: Invoke, captures: Path, model: Path, *more: object) -> dict[str, object]:
    words = ("evaluate", captures, "--labels", captures / "labels.csv", "-m", model, "--json")
    return dict(json.loads(invoke(*words, *more).stdout))


def test_evaluate_counts_windows_by_truth_and_verdict(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    """Windows of 16 s every 4 s: 27 in 120 s, 12 in 60 s; on two networks."""
    found = _evaluate(invoke, captures, model)
    everything, unseen = found["all"], found["unseen"]
    assert everything["windows"] == 2 * (27 + 12 + 12)
    assert sum(everything["confusion"]["refused"]) == 24
    assert everything["recall"]["refused"] > 0.9
    assert unseen["windows"] == 27 + 12 + 12  # the model was made of network A
    assert found["networks"] == {"A": "of the model", "B": "estimated per log"}
    rates = everything["recall"]
    assert everything["balanced_accuracy"] == pytest.approx(np.mean(list(rates.values())), abs=1e-6)


def test_evaluate_can_learn_a_networks_normal_first(
    invoke: Invoke, captures: Path, model: Path
) -> None:
    """The capture that it is learned from is not judged."""
    found = _evaluate(invoke, captures, model, "--network-baseline", "B/normal-1.pcap")
    assert found["networks"]["B"] == "learned from the captures given"
    assert found["captures"] == 3
    assert found["unseen"]["recall"] == {"normal": 1.0, "refused": 1.0}


def test_evaluate_tells_labels_that_cannot_be_recognised(
    invoke: Invoke, captures: Path, model: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        (captures / "labels.csv").read_text().replace("refused\n", "novel\n")
        + f"C/none.pcap,{at(0)},{at(60)},normal\n"
    )
    result = invoke("evaluate", captures, "--labels", labels, "-m", model, code=3)
    novel = next(line for line in result.stdout.splitlines() if line.startswith("novel"))
    assert "(not in the library)" in novel
    assert "Skipped: " in result.stderr
    assert "balanced accuracy" in result.stdout


def test_features_are_those_of_the_series(invoke: Invoke, captures: Path, tmp_path: Path) -> None:
    log, output = captures / "A/refused-1.pcap", tmp_path / "series.csv"
    result = invoke("features", log, "-o", output)
    assert "180 bins" in result.stderr or "181 bins" in result.stderr
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    series = read_series(log).series[0]
    assert list(rows[0]) == ["time", *FEATURE_NAMES]
    assert rows[0]["time"] == at(0)
    written = np.array([[float(row[name]) for name in FEATURE_NAMES] for row in rows])
    np.testing.assert_allclose(written, series.values, rtol=1e-6)


def test_longer_bins_give_fewer_rows(invoke: Invoke, captures: Path) -> None:
    log = captures / "A/normal-1.pcap"
    lines = invoke("features", log, "--bin", 10, "--json").stdout.splitlines()
    assert len(lines) == 12
    assert json.loads(lines[0])["to_service_request_registration"] == 40


def test_inspect_says_what_a_log_holds(invoke: Invoke, captures: Path, model: Path) -> None:
    log = captures / "A/refused-1.pcap"
    found = json.loads(invoke("inspect", log, "--model", model, "--json").stdout)
    assert found["packets"] == 2 * 4 * 180
    assert found["protocols"] == {"sip": 1440}
    assert found["signalling"] == {
        "requests": {"registration": 720},
        "answers": {"success": 480, "forbidden": 240},
    }
    assert found["link_types"] == {"Ethernet": 1440}
    assert found["stretches"][0]["windows"] == (180 - 16) // 4 + 1
    assert found["problem"] is None
    text = invoke("inspect", log).stdout
    assert "240 forbidden" in text
    assert "1,440 messages: SIP 100 %" in text
    assert "(3 min 00 s)" in text


def test_inspect_says_what_is_wrong_with_a_log(
    invoke: Invoke, captures: Path, tmp_path: Path
) -> None:
    short = write_capture(tmp_path / "short.pcap", {}, length_s=8)
    assert "no stretch is as long as a window" in invoke("inspect", short, code=3).stderr
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((captures / "A/normal-1.pcap").read_bytes()[:-5])
    assert "cut short" in invoke("inspect", cut, code=3).stderr
    for missing in ("none", "-"):
        assert invoke("inspect", missing, code=None).exit_code in (1, 2)


def test_inspect_says_what_a_model_is(invoke: Invoke, model: Path) -> None:
    found = json.loads(invoke("inspect", model, "--json").stdout)
    assert found["window_s"] == 16
    assert found["labels"]["refused"] == {"trained": 2, "added": 0, "reach": 0.15}
    assert list(found["networks"]) == ["A"]
    text = invoke("inspect", model).stdout
    assert "16 s, one every 4 s" in text
    assert "A (2 min 00 s of traffic)" in text


def test_a_film_is_one_page(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    page = tmp_path / "film.html"
    made = json.loads(invoke("film", model, "-o", page, "--json").stdout)
    assert made["bytes"] == page.stat().st_size
    assert "<title>How model learned" in page.read_text(encoding="utf-8")


def test_the_exported_encoder_is_the_models_own(
    invoke: Invoke, model: Path, tmp_path: Path
) -> None:
    invoke("export", model, "--onnx", tmp_path / "e.onnx")
    windows = np.random.default_rng(1).random((3, 16, len(FEATURE_NAMES)), np.float32)
    mine = OnnxEncoder(next(model.glob("*.onnx"))).embed(windows)
    np.testing.assert_array_equal(OnnxEncoder(tmp_path / "e.onnx").embed(windows), mine)


def test_a_projector_gets_points_and_what_they_are(
    invoke: Invoke, model: Path, tmp_path: Path
) -> None:
    result = invoke("export", model, "--projector", tmp_path / "points", "--json")
    vectors = np.loadtxt(tmp_path / "points/vecs.tsv")
    meta = (tmp_path / "points/meta.tsv").read_text().splitlines()
    assert len(vectors) == len(meta) - 1 == json.loads(result.stdout)["points"]
    assert meta[0].split("\t") == ["label", "capture", "network", "time", "held out", "prototype"]
    assert sum(line.endswith("yes") for line in meta) == 4


def test_nothing_to_export_is_wrong_usage(invoke: Invoke, model: Path) -> None:
    assert "nothing to export" in invoke("export", model, code=2).stderr
    words = ("--onnx", "e.onnx", "--projector-url", "https://example.org")
    assert "no use without --projector" in invoke("export", model, *words, code=2).stderr
