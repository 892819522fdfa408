"""The Grafana dashboard asks for what is exported, and is laid out as Grafana wants it."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from traffic_siamese.bundle import load_bundle
from traffic_siamese.noc.exposition import NETWORK, write_metrics
from traffic_siamese.noc.run_metrics import COUNTERS, GAUGES, PREFIX, RunMetrics, UsedModel
from traffic_siamese.starting import shipped_model
from traffic_siamese.types import UNKNOWN
from traffic_siamese.views.colours import label_colours

FOLDER = Path(__file__).parents[2] / "dashboards/grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "traffic-siamese.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS += [variable["definition"] for variable in DASHBOARD["templating"]["list"][1:]]
_LABELS = {
    **{f"{PREFIX}{one.name}_total": {*one.labels, NETWORK} for one in COUNTERS},
    **{PREFIX + one.name: {*one.labels, NETWORK} for one in GAUGES},
}


def test_the_table_of_names_is_what_is_written(tmp_path: Path) -> None:
    """By the TYPE lines of a file; counters are named with _total there."""
    write_metrics(tmp_path / "m.prom", RunMetrics("", UsedModel("m", "e", "v", ())))
    lines = (tmp_path / "m.prom").read_text().splitlines()
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert typed == set(_LABELS)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_only_what_is_exported(expression: str) -> None:
    """Metrics, and the labels that they have."""
    metrics = re.findall(rf"{PREFIX}\w+", expression)
    assert metrics
    known = set.union(*(_LABELS[name] for name in metrics))
    matched = re.findall(r"(\w+)=~?\"", expression)
    grouped = [word for group in re.findall(r"by \(([^)]*)\)", expression) for word in
               group.split(", ")]  # fmt: skip
    assert {*matched, *grouped} <= known
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counters_are_asked_for_their_rise_and_gauges_are_not(expression: str) -> None:
    if expression.startswith("label_values"):
        return
    for name in re.findall(rf"{PREFIX}\w+", expression):
        asked = rf"increase\({name}\{{[^}}]*\}}\[\$__(range|rate_interval)\]\)"
        rises = re.search(asked, expression)
        assert bool(rises) == name.endswith("_total")


def test_every_metric_is_shown() -> None:
    shown = {name for one in EXPRESSIONS for name in re.findall(rf"{PREFIX}\w+", one)}
    assert shown == set(_LABELS)


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    """Grafana's grid is 24 wide; a panel below nothing would be moved up."""
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in PANELS]
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in places
    ]
    for one, other in combinations(cells, 2):
        assert not one & other
    covered = set.union(*cells)
    assert {x for x, _ in covered} == set(range(24))
    assert len(covered) == 24 * (1 + max(y for _, y in covered))


def test_it_can_be_provisioned() -> None:
    """A uid and a schema version, no database id, no data source of somebody's own."""
    assert DASHBOARD["uid"] == "traffic-siamese"
    assert DASHBOARD["schemaVersion"] >= 36
    assert "id" not in DASHBOARD
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == [
        "datasource",
        "network",
    ]
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_labels_have_the_colours_of_the_film() -> None:
    with shipped_model() as path:
        bundle = load_bundle(path)
        labels = bundle.library().labels(bundle.encoder_id)
    expected = label_colours([*labels, UNKNOWN])
    (windows,) = (panel for panel in PANELS if panel["title"] == "What windows of traffic show")
    found = {
        override["matcher"]["options"]: override["properties"][0]["value"]["fixedColor"]
        for override in windows["fieldConfig"]["overrides"]
    }
    assert found == expected
    assert found["normal"] == "#12a87c"


def test_provisioning_points_at_what_is_mounted() -> None:
    """The folder of the dashboards is the one that the README mounts them into."""
    (source,) = yaml.safe_load(
        (FOLDER / "provisioning/datasources/prometheus.yaml").read_text()
    )["datasources"]  # fmt: skip
    assert (source["type"], source["url"]) == ("prometheus", "${PROMETHEUS_URL}")
    (provider,) = yaml.safe_load(
        (FOLDER / "provisioning/dashboards/traffic-siamese.yaml").read_text()
    )["providers"]  # fmt: skip
    assert provider["type"] == "file"
    readme = (FOLDER / "README.md").read_text()
    assert f"/traffic-siamese.json:{provider['options']['path']}/traffic-siamese.json" in readme
    assert "PROMETHEUS_URL" in readme
