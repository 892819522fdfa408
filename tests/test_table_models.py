"""A model on one's own columns, from labelled tables to verdicts: small, and end to end."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Invoke
from tests.logs.own_tables import FIRST, LAST, START, moment, rows, write_lab
from tests.views.report_pages import packed
from traffic_siamese.bundle import load_bundle
from traffic_siamese.encoder import EncoderOptions
from traffic_siamese.fitting import FitOptions, train
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.model import load_model
from traffic_siamese.training import TrainingOptions
from traffic_siamese.types import WindowSpec

pytestmark = pytest.mark.slow

OPTIONS = FitOptions(
    window=WindowSpec(8, 2, 10.0),
    training=TrainingOptions(
        epochs=4,
        batches_per_epoch=8,
        n_per_label=4,
        n_virtual=3,
        max_points=60,
        encoder=EncoderOptions(embedding_dim=5, lstm_units=8, hidden_units=8, frame_units=8),
    ),
    n_prototypes=3,
    n_virtual_faults=12,
    n_virtual_cases=5,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write labelled tables of two networks; not to be changed."""
    folder = tmp_path_factory.mktemp("lab")
    write_lab(folder)
    return folder


@pytest.fixture(scope="module")
def made(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on them; not to be changed."""
    path = tmp_path_factory.mktemp("made") / "model"
    train(lab, lab / "labels.csv", path, options=OPTIONS)
    return path


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """Copy the model, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "own"))


def test_the_bundle_names_the_columns(made: Path) -> None:
    names = ("rx_bytes_total", "tx_bytes", "cpu_percent", "drops")
    assert load_bundle(made).info.feature_names == names
    model = load_model(made)
    assert model.schema.names == names
    assert model.baseline_of("S").shape == (2, 4)


def test_a_table_of_a_known_fault_is_recognised(
    own: Path, lab: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """On network T, with its normal learned from one table; the reason names columns."""
    done = invoke("baseline", lab / "T/normal-0.csv", "--model", own, "--network", "U")
    assert "Learned the normal of network 'U'" in done.output
    found = invoke("classify", lab / "T/link_down-1.csv", "-m", own, "-n", "U", "--json", code=None)
    result = json.loads(next(line for line in found.output.splitlines() if line.startswith("{")))
    assert result["windows"].get("link_down", 0) > 0.5 * (LAST - FIRST) / 2
    (incident, *_) = result["incidents"]
    assert incident["label"] == "link_down"
    assert "rx_bytes_total" in incident["reason"] or "drops" in incident["reason"]


def test_a_fault_is_taught_with_one_example_of_a_table(
    own: Path, lab: Path, invoke: Invoke
) -> None:
    log = lab / "S/overload-2.csv"
    times = ("--start", f"+{10 * FIRST}", "--end", moment(LAST - 1))
    invoke("faults", "add", "busy", log, *times, "--model", own, "--network", "S")
    assert "busy" in invoke("faults", "list", "--model", own).output
    assert "4 per bin of 10 s" in invoke("inspect", own).output


def test_other_logs_are_refused_in_one_line(
    own: Path, lab: Path, captures: Path, model: Path, tmp_path: Path, invoke: Invoke
) -> None:
    fewer = tmp_path / "fewer.csv"
    text = (lab / "S/normal-0.csv").read_text().splitlines()
    fewer.write_text("\n".join(",".join(line.split(",")[:3]) for line in text))
    refused = invoke("classify", fewer, "--model", own, code=1)
    assert "lacks the columns cpu_percent, drops" in refused.output
    capture = captures / "A/refused-1.pcap"
    refused = invoke("classify", capture, "--model", own, code=1)
    assert "the model was trained on 4 columns of a table: missing rx_bytes_total" in refused.output
    refused = invoke("classify", lab / "S/normal-0.csv", "--model", model, code=1)
    assert "4 columns of a table, the model was trained on 95 features" in refused.output


def test_elements_of_one_table_are_trained_on_and_classified(
    tmp_path: Path, invoke: Invoke
) -> None:
    """FILE#ELEMENT in the labels; classifying needs no --by, the model remembers it."""
    names = {"n1": "normal", "n2": "link_down", "n3": "overload"}
    lines = {name: rows(fault, i) for i, (name, fault) in enumerate(names.items())}
    whole = [f"node,{lines['n1'][0]}"]
    whole += [f"{n},{line}" for i in range(1, 151) for n in names for line in [lines[n][i]]]
    (tmp_path / "N").mkdir()
    (tmp_path / "N/all.csv").write_text("\n".join(whole))
    labels = tmp_path / "labels.csv"
    text = ["capture,start,end,label", f"N/all.csv#n1,{moment(0)},{moment(149)},normal"]
    for node in ("n2", "n3"):
        text.append(f"N/all.csv#{node},{moment(0)},{moment(FIRST - 1)},normal")
        text.append(f"N/all.csv#{node},{moment(FIRST - 1)},{moment(LAST - 1)},{names[node]}")
    labels.write_text("\n".join(text))
    options = replace(OPTIONS, reading=ReadOptions(by="node"), held_out_share=0.0)
    train(tmp_path, labels, tmp_path / "m", options=options)
    found = invoke("classify", tmp_path / "N/all.csv", "-m", tmp_path / "m", "--json", code=None)
    logs = [json.loads(line)["log"] for line in found.output.splitlines() if line[:1] == "{"]
    assert logs == [f"{tmp_path}/N/all.csv#{node}" for node in names]
    found = invoke("classify", tmp_path, "-m", tmp_path / "m", code=None)
    assert f"{tmp_path}/N/all.csv#n3" in found.output
    assert "3 logs read" in found.output


def test_features_writes_and_describes_tables(lab: Path, tmp_path: Path, invoke: Invoke) -> None:
    log = lab / "S/normal-0.csv"
    described = invoke("features", log, "--describe", "--quiet").output
    assert "  rx_bytes_total: counter" in described
    (tmp_path / "columns.yaml").write_text(described.replace("drops: delta", "drops: ignore"))
    out = tmp_path / "series.csv"
    invoke("features", log, "--columns", tmp_path / "columns.yaml", "-o", out)
    header, first, *_ = out.read_text().splitlines()
    assert header == "time,rx_bytes_total,tx_bytes,cpu_percent"
    assert first.startswith(moment(-1))
    assert START % 10 == 0
    values = np.loadtxt(out, delimiter=",", skiprows=1, usecols=1)
    assert 500 < np.median(values) < 1500


def test_the_incident_page_draws_the_columns(
    own: Path, lab: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """Under their own names, one value for each bin of 10 s."""
    page, log = tmp_path / "report.html", lab / "T/link_down-1.csv"
    invoke("classify", log, "-m", own, "--report", page, "-q", code=None)
    held = packed(page)
    tracks = held["log-0"]["detail"]["tracks"]
    assert {track["title"] for track in tracks} == {
        "rx_bytes_total",
        "tx_bytes",
        "cpu_percent",
        "drops",
    }
    assert held["log-0"]["detail"]["bin"] == 10_000
    assert held["overview-data"]["about"]["stride"] == 20_000
    n_bins = len(held["log-0"]["detail"]["start"])
    assert all(len(track["values"]) == n_bins for track in tracks)
