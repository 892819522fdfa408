"""Recipes: what is drawn from them, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.errors import SimulationError
from traffic_siamese.simulate.signalling.network_model import draw_network
from traffic_siamese.simulate.signalling.recipes import read_recipe

SHIPPED = sorted((Path(__file__).parents[3] / "examples/recipes").glob("*.yaml"))


def _write(folder: Path, text: str) -> Path:
    path = folder / "new.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_drawn_lies_in_the_ranges_written(tmp_path: Path) -> None:
    recipe = read_recipe(_write(tmp_path, """
label: half_open
effects:
  - {family: packet_loss, share: [0.1, 0.2], way: up}
  - {family: auth_failure, share: 0.7, answer: 403}
onset: {shape: ramp, ramp_s: [5, 9]}
duration_s: 80
network: {transport: tcp, ipv6: true, calls_per_s: [2, 3]}
"""))  # fmt: skip
    assert (recipe.name, recipe.label, recipe.duration_s) == ("new", "half_open", (80, 80))
    for seed in range(20):
        fault = recipe.draw(np.random.default_rng(seed))
        loss, auth = (dict(effect.values) for effect in fault.effects)
        assert 0.1 <= float(loss["share"]) <= 0.2
        assert loss["way"] == "up"
        assert (auth["share"], auth["answer"]) == (0.7, "403")
        assert fault.onset.shape == "ramp"
        assert 5 <= fault.onset.ramp_s <= 9
        network = draw_network(np.random.default_rng(seed), recipe.network)
        assert (network.transport, network.ipv6) == ("tcp", True)
        assert 2 <= network.calls_per_s <= 3


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_recipes_that_are_brought_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.draw(np.random.default_rng(1)).label == recipe.label


def test_some_recipes_are_brought() -> None:
    assert len(SHIPPED) >= 4


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("effects: [", "new.yaml:1: is no YAML"),
        ("- 1", "found [1], expected keys out of name, label, effects"),
        ("effects: []", "effects: found [], expected a list of effects"),
        ("effects: [{family: quake}]", "effects[0].family: found 'quake', expected one of blocked"),
        ("effects: [{family: scan, rate: 3}]", "effects[0].rate: found 'rate', expected a key out"),
        ("effects: [{family: scan, per_s: [9, 3]}]", "effects[0].per_s: found [9, 3], expected"),
        (
            "effects: [{family: scan, per_s: fast}]",
            "effects[0].per_s: found 'fast', expected a num",
        ),
        ("effects: [{family: scan, per_s: .nan}]", "effects[0].per_s: found nan, expected a num"),
        ("effects: [{family: scan, per_s: yes}]", "effects[0].per_s: found True, expected a num"),
        ("effects: [{family: packet_loss, share: 1.5}]", "between 0 and 1"),
        ("effects: [{family: latency, way: left}]", "found 'left', expected one of both, up, down"),
        ("effects: [{family: scan}]\nonset: {shape: leap}", "onset.shape: found 'leap', expected"),
        ("effects: [{family: scan}]\nonset: {ramp_s: 3}", "onset.ramp_s: found 3, expected only"),
        ("effects: [{family: scan}]\nnetwork: {nat: 3}", "network.nat: found 3, expected true or"),
        ("effects: [{family: scan}]\nnetwork: {x: 3}", "network.x: found 'x', expected a key out"),
        ("effects: [{family: scan}]\nname: a/b", "name: found 'a/b', expected a name that a file"),
        ("effects: [{family: scan}]\nlabel: unknown", "label: "),
        ("effects: [{family: scan}]\ncolour: red", "colour: found 'colour', expected a key out of"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_what_was_expected(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(SimulationError) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"none\.yaml: cannot be read: No such file"):
        read_recipe(tmp_path / "none.yaml")
