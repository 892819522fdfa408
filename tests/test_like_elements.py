"""A fault shown on one of like elements is known on another, end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Invoke
from tests.logs.own_tables import FIRST, LAST, N_ROWS, START, moment
from tests.test_table_models import OPTIONS
from traffic_siamese.classification import LogResult, classify_log
from traffic_siamese.explanation.explain import Explainer
from traffic_siamese.explanation.topics import topics_of
from traffic_siamese.fitting import train
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.model import Model, load_model

pytestmark = pytest.mark.slow

ELEMENTS = ("amf", "ausf", "udm")


def _table(fault: str, hit: str, seed: int) -> str:
    """Write a row every 10 s; overload raises the processor load of one element, a leak memory."""
    rng = np.random.default_rng(seed)
    columns = {}
    for place, element in enumerate(ELEMENTS):
        load = 200 * (place + 1) * (1 + 0.3 * np.sin(np.arange(N_ROWS) / 20))
        columns[f"{element}_requests"] = rng.poisson(load).astype(float)
        columns[f"{element}_cpu"] = 5 + load / 50 + rng.normal(0, 0.5, N_ROWS)
        columns[f"{element}_memory"] = 40 + 5 * place + rng.normal(0, 0.5, N_ROWS)
    if fault != "normal":
        columns[f"{hit}_{'cpu' if fault == 'overload' else 'memory'}"][FIRST:LAST] += 45
    lines = [",".join(("time", *columns))]
    for i, row in enumerate(zip(*columns.values(), strict=True)):
        lines.append(",".join((str(START + 10 * i), *(f"{value:.2f}" for value in row))))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Train on faults of the AMF alone, told that the three elements are alike."""
    folder = tmp_path_factory.mktemp("like")
    (folder / "S").mkdir()
    labels = ["capture,start,end,label"]
    for number, fault in enumerate(("normal", "overload", "leak") * 2):
        name = f"S/{fault}-{number}.csv"
        (folder / name).write_text(_table(fault, "amf", number))
        last = N_ROWS - 1 if fault == "normal" else FIRST - 1
        labels.append(f"{name},{moment(0)},{moment(last)},normal")
        if fault != "normal":
            labels.append(f"{name},{moment(FIRST - 1)},{moment(LAST - 1)},{fault}")
    (folder / "labels.csv").write_text("\n".join(labels))
    reading = ReadOptions(alike=ELEMENTS, relations=True)
    train(folder, folder / "labels.csv", folder / "m", options=replace(OPTIONS, reading=reading))
    return load_model(folder / "m")


def _classified(model: Model, folder: Path, fault: str, hit: str) -> LogResult:
    path = folder / f"{fault}-{hit}.csv"
    path.write_text(_table(fault, hit, 77))
    return classify_log(path, model, network="S")


@pytest.mark.parametrize("hit", ELEMENTS)
@pytest.mark.parametrize("fault", ["overload", "leak"])
def test_a_fault_taught_on_one_element_is_known_on_each(
    like: Model, fault: str, hit: str, tmp_path: Path
) -> None:
    """With the name of the element that is hit in the reason."""
    result = _classified(like, tmp_path, fault, hit)
    found = {one.label: one for one in result.incidents}
    assert fault in found
    assert f"{hit}_{'cpu' if fault == 'overload' else 'memory'}" in found[fault].reason


def test_inspect_tells_which_elements_are_alike(like: Model, invoke: Invoke) -> None:
    shown = invoke("inspect", like.bundle.path).output
    assert "; alike: amf, ausf, udm; with their relations" in shown
    told = json.loads(invoke("inspect", like.bundle.path, "--json").output)
    assert (told["alike"], told["relations"]) == (list(ELEMENTS), True)


def test_the_model_sees_each_column_twice_and_like_ones_are_set_to_normal_together(
    like: Model,
) -> None:
    """Its relative view, and what is left of it after what the other columns say."""
    assert like.schema.alike == ELEMENTS
    assert like.scaler.n_channels_each == 2
    topic = next(one for one in topics_of(like.schema) if one.name == "udm_cpu")
    channels = Explainer(like).channels(topic).tolist()
    cpu = [i for i, name in enumerate(like.schema.names) if name.endswith("_cpu")]
    assert sorted(channels) == [*cpu, *(i + len(like.schema) for i in cpu)]
