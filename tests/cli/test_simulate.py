"""``simulate``, and what follows it: teach a fault that was never captured, and find it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke
from traffic_siamese.captures.reader import read_packets
from traffic_siamese.labels import read_labels
from traffic_siamese.simulate.signalling.families import FAMILIES

RECIPE = Path(__file__).parents[2] / "examples/recipes/toll_fraud_scan.yaml"
SHORT = ("--networks", 1, "--minutes", 4)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_layout_is_that_which_training_reads(invoke: Invoke, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    done = invoke("simulate", lab, "--faults", "latency", *SHORT, "--json")
    told = json.loads(done.stdout)
    files = set(_files(lab))
    captures = {"network-1/latency-1.pcap.zst", "network-1/normal-1.pcap.zst"}
    assert files == {"labels.csv", *captures}
    assert told["labels"] == ["latency", "normal"]
    assert {str(Path(path).relative_to(lab)) for path in told["captures"]} == captures
    assert {one.capture for one in read_labels(lab / "labels.csv")} == captures


def test_the_same_seed_gives_the_same_bytes_whatever_else_is_asked_for(
    invoke: Invoke, tmp_path: Path
) -> None:
    words = ("--minutes", 2, "--networks", 1, "--seed", 3, "--quiet")
    invoke("simulate", tmp_path / "a", "--faults", "scan", *words)
    invoke("simulate", tmp_path / "b", "--faults", "latency,scan", *words)
    first, second = _files(tmp_path / "a"), _files(tmp_path / "b")
    for name in set(first) - {"labels.csv"}:
        assert first[name] == second[name]


@pytest.mark.parametrize(
    ("format_", "magic"), [("pcap", b"\x4d\x3c\xb2\xa1"), ("parquet", b"PAR1")]
)
def test_other_formats(invoke: Invoke, tmp_path: Path, format_: str, magic: bytes) -> None:
    lab = tmp_path / "lab"
    invoke("simulate", lab, "--faults", "blocked", "--minutes", 2, "--networks", 1,
           "--format", format_)  # fmt: skip
    assert (lab / f"network-1/blocked-1.{format_}").read_bytes().startswith(magic)


def test_a_folder_that_is_not_empty_is_left_alone(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = invoke("simulate", tmp_path, "--faults", "scan", *SHORT, code=1)
    assert "holds 1 entries already, the first is mine.txt" in result.stderr
    assert "--force" in result.stderr
    assert set(_files(tmp_path)) == {"mine.txt"}


def test_the_list_names_every_family_and_parameter(invoke: Invoke) -> None:
    text = invoke("simulate", "--list").stdout
    for family in FAMILIES.values():
        assert all(f"  {one.name} " in text for one in family.parameters)
        assert family.name in text


@pytest.mark.parametrize(("chosen", "protocol"), [((), 6), (("--transport", "sctp"), 132)])
def test_diameter_is_written_where_it_is_asked_for(
    invoke: Invoke, tmp_path: Path, chosen: tuple[str, ...], protocol: int
) -> None:
    """Over TCP where nothing else is said."""
    lab = tmp_path / "lab"
    words = ("--faults", "server_overload", "--networks", 1, "--minutes", 2)
    invoke("simulate", lab, "--protocol", "diameter", *chosen, *words)
    path = lab / "network-1/server_overload-1.pcap.zst"
    protocols = json.loads(invoke("inspect", path, "--json", code=None).stdout)["protocols"]
    assert set(protocols) == {"diameter"}
    seen = {number for chunk in read_packets(path) for number in chunk.ip_protocol.tolist()}
    assert seen == {protocol}
    labels = {one.label for one in read_labels(lab / "labels.csv")}
    assert labels == {"normal", "server_overload"}


def test_the_list_says_what_diameter_cannot_show(invoke: Invoke) -> None:
    lines = invoke("simulate", "--list").stdout.splitlines()
    missing = {line.split()[0] for line in lines if "not in Diameter" in line}
    assert missing == {"mass_call", "silent_callers"}
    told = [json.loads(line) for line in invoke("simulate", "--list", "--json").stdout.splitlines()]
    assert missing == {one["family"] for one in told if one["protocols"] == ["sip"]}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--faults", "latency,mass_call", "--protocol", "diameter"),
            "family 'mass_call' means nothing in diameter: credit control knows no number",
        ),
        (
            ("--recipe", RECIPE.with_name("radio_site_outage.yaml"), "--protocol", "diameter"),
            "recipe 'radio_site_outage': found transport 'udp', expected tcp or sctp",
        ),
        (
            ("--faults", "latency", "--transport", "sctp"),
            "found transport 'sctp', expected udp or tcp or tcp_per_call: sip runs over no other",
        ),
        (("--faults", "quake"), "found no family 'quake'"),
        (("--minutes", 1), "1.0 is not in the range"),
        (("--recipe", RECIPE, "--minutes", 2), "lasts at least 100 s; expected 3.7 minutes"),
    ],
)
def test_wrong_usage_is_told(
    invoke: Invoke, tmp_path: Path, words: tuple[object, ...], complaint: str
) -> None:
    result = invoke("simulate", tmp_path / "lab", *words, code=2)
    assert complaint in result.stderr
    assert not (tmp_path / "lab").exists()


def test_a_broken_recipe_is_one_line(invoke: Invoke, tmp_path: Path) -> None:
    recipe = tmp_path / "bad.yaml"
    recipe.write_text("effects: [{family: scan, per_s: fast}]")
    result = invoke("simulate", tmp_path / "lab", "--recipe", recipe, code=1)
    assert result.stderr.startswith(f"Error: {recipe}: effects[0].per_s: found 'fast'")
    assert result.stderr.count("\n") == 1


def test_a_fault_never_captured_is_taught_from_a_recipe_and_found_again(
    invoke: Invoke, tmp_path: Path
) -> None:
    """Two captures of one recipe: one example from the first, an incident in the second."""
    lab, model = tmp_path / "lab", tmp_path / "model"
    invoke("simulate", lab, "--recipe", RECIPE, *SHORT, "--captures-per-fault", 2, "--quiet")
    invoke("init", model)
    first, second = (f"network-1/toll_fraud_scan-{n}.pcap.zst" for n in (1, 2))
    spans = {one.capture: one for one in read_labels(lab / "labels.csv") if one.label != "normal"}
    begin_s = _offset_s(lab, spans[first].capture, spans[first].start_ns)
    invoke("faults", "add", "toll_fraud_scan", lab / first, "--start", f"+{begin_s + 40:.0f}",
           "--end", f"+{begin_s + 90:.0f}", "--model", model)  # fmt: skip
    incidents = tmp_path / "incidents.csv"
    invoke("classify", lab / second, "--model", model, "--incidents", incidents, code=None)
    assert ",toll_fraud_scan," in incidents.read_text()


def _offset_s(lab: Path, capture: str, time_ns: int) -> float:
    starts = [one.start_ns for one in read_labels(lab / "labels.csv") if one.capture == capture]
    return (time_ns - min(starts)) / 1e9


@pytest.mark.slow
def test_simulate_train_and_classify_work_one_after_the_other(
    invoke: Invoke, tmp_path: Path
) -> None:
    pytest.importorskip("keras")
    lab, model = tmp_path / "lab", tmp_path / "model"
    invoke("simulate", lab, "--recipe", RECIPE, "--minutes", 4, "--networks", 2, "--quiet")
    invoke("train", lab, "--labels", lab / "labels.csv", "--model", model, "--epochs", 3,
           "--quiet", code=None)  # fmt: skip
    capture = lab / "network-2/toll_fraud_scan-1.pcap.zst"
    result = invoke("classify", capture, "--model", model, "--json", code=None)
    assert "toll_fraud_scan" in result.stdout
