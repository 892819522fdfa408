"""Recipes: faults that somebody describes in YAML, checked key by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.errors import LibraryError, SimulationError
from traffic_siamese.oneshot.names import check_label_name
from traffic_siamese.simulate.signalling.effects import Value
from traffic_siamese.simulate.signalling.families import FAMILIES, Parameter
from traffic_siamese.simulate.signalling.fault_model import (
    SHAPES,
    Effect,
    FaultModel,
    Onset,
    draw_effect,
)
from traffic_siamese.simulate.signalling.network_model import (
    CHOICES,
    FLAGS,
    NETWORK_RANGES,
    NUMBERS,
    WHOLE,
    NetworkRanges,
    draw_between,
)

Range = tuple[float, float]

_KEYS = ("name", "label", "effects", "onset", "duration_s", "network")
_ONSET_TIMES = ("ramp_s", "up_s", "down_s")
_USUAL_ONSET: dict[str, Range] = {"ramp_s": (3, 20), "up_s": (1, 8), "down_s": (1, 8)}
_USUAL_DURATION: Range = (100, 160)
_SHARES = frozenset(
    name for name, (_, high) in NETWORK_RANGES.items() if high <= 1 and not name.endswith("_s")
) | {"loss", "answered"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A fault that somebody described.

    Attributes
    ----------
    name, label : str
    effects : tuple of (family, parameters)
        A parameter is a range, or a word; those left out are drawn as usual.
    shape : str
    times : dict of str to range
        Of the onset.
    duration_s : range
        How long the fault lasts.
    network : NetworkRanges
        The networks that it happens to.
    """

    name: str
    label: str
    effects: tuple[tuple[str, Mapping[str, Range | str]], ...]
    shape: str = "step"
    times: Mapping[str, Range] = field(default_factory=dict)
    duration_s: Range = _USUAL_DURATION
    network: NetworkRanges = field(default_factory=NetworkRanges)

    def draw(self, rng: np.random.Generator) -> FaultModel:
        """Draw one case of the fault."""
        effects = tuple(_draw_effect(rng, family, given) for family, given in self.effects)
        times = {name: draw_between(rng, *between) for name, between in self.times.items()}
        return FaultModel(self.name, self.label, effects, Onset(self.shape, **times))


def _draw_effect(rng: np.random.Generator, family: str, given: Mapping[str, Range | str]) -> Effect:
    drawn: dict[str, Value] = {
        name: value if isinstance(value, str) else draw_between(rng, *value)
        for name, value in given.items()
    }
    return draw_effect(rng, family, drawn)


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    SimulationError
        If the file cannot be read, is no YAML, or holds a key or a value that is not known; the
        message names the key's path.
    """
    import yaml  # only who has a recipe needs it

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        raise SimulationError(f"{path}: cannot be read: {reason}. Expected a recipe.") from err
    except yaml.YAMLError as err:
        where = getattr(err, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        raise SimulationError(
            f"{path}{line}: is no YAML: {getattr(err, 'problem', None) or err}. Mend the syntax."
        ) from err
    return _Reader(str(path)).recipe(content)


class _Reader:
    """Turns what YAML gave into a recipe, or says where it is wrong."""

    def __init__(self, path: str) -> None:
        self._path = path

    def recipe(self, content: Any) -> Recipe:
        top = self._mapping(content, "", _KEYS)
        name = self._name(top.get("name", Path(self._path).stem), "name")
        shape, times = self._onset(top.get("onset", {}))
        effects = top.get("effects")
        if not isinstance(effects, list) or not effects:
            raise self._wrong("effects", effects, "a list of effects, each with its family")
        duration = top.get("duration_s", list(_USUAL_DURATION))
        return Recipe(
            name,
            self._name(top.get("label", name), "label"),
            tuple(self._effect(effect, f"effects[{i}]") for i, effect in enumerate(effects)),
            shape,
            times,
            self._range(duration, "duration_s", (1.0, 1e6)),
            self._network(top.get("network", {})),
        )

    def _wrong(self, key: str, found: Any, expected: str) -> SimulationError:
        where = f"{self._path}: {key}" if key else self._path
        return SimulationError(f"{where}: found {found!r}, expected {expected}.")

    def _mapping(self, found: Any, key: str, known: tuple[str, ...]) -> dict[str, Any]:
        names = ", ".join(known)
        if not isinstance(found, dict):
            raise self._wrong(key, found, f"keys out of {names}")
        for name in found:
            if name not in known:
                raise self._wrong(f"{key}.{name}".lstrip("."), name, f"a key out of {names}")
        return found

    def _name(self, found: Any, key: str) -> str:
        try:
            name = check_label_name(str(found))
        except LibraryError as err:
            raise SimulationError(f"{self._path}: {key}: {err}") from err
        if "/" in name or "\\" in name or name.startswith("."):
            raise self._wrong(key, found, "a name that a file can have")
        return name

    def _effect(self, found: Any, key: str) -> tuple[str, dict[str, Range | str]]:
        family = found.get("family") if isinstance(found, dict) else None
        if family not in FAMILIES:
            families = ", ".join(FAMILIES)
            raise self._wrong(f"{key}.family", family, f"one of {families}")
        parameters = {one.name: one for one in FAMILIES[family].parameters}
        given = self._mapping(found, key, ("family", *parameters))
        return family, {
            name: self._parameter(value, f"{key}.{name}", parameters[name])
            for name, value in given.items()
            if name != "family"
        }

    def _parameter(self, found: Any, key: str, parameter: Parameter) -> Range | str:
        if parameter.choices:
            return self._choice(found, key, parameter.choices)
        return self._range(found, key, parameter.limits)

    def _choice(self, found: Any, key: str, choices: tuple[str, ...]) -> str:
        if isinstance(found, bool) or str(found) not in choices:
            raise self._wrong(key, found, f"one of {', '.join(choices)}")
        return str(found)

    def _range(self, found: Any, key: str, limits: Range) -> Range:
        """Take a number, or a list of the lowest and the highest."""
        low, high = limits
        pair = found if isinstance(found, list) else [found, found]
        numbers = [
            float(value) for value in pair
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]  # fmt: skip
        is_range = len(pair) == len(numbers) == 2 and numbers[0] <= numbers[1]
        if not is_range or not low <= numbers[0] <= numbers[1] <= high:
            expected = f"a number or [low, high] between {low:g} and {high:g}"
            raise self._wrong(key, found, expected)
        return numbers[0], numbers[1]

    def _onset(self, found: Any) -> tuple[str, dict[str, Range]]:
        given = self._mapping(found, "onset", ("shape", *_ONSET_TIMES))
        shape = self._choice(given.get("shape", "step"), "onset.shape", SHAPES)
        wanted = {"step": (), "ramp": ("ramp_s",), "flap": ("up_s", "down_s")}[shape]
        for name in given:
            if name != "shape" and name not in wanted:
                names = ", ".join(("shape", *wanted))
                raise self._wrong(f"onset.{name}", given[name], f"only {names} with {shape}")
        return shape, {
            name: self._range(
                given.get(name, list(_USUAL_ONSET[name])), f"onset.{name}", (0.1, 1e5)
            )
            for name in wanted
        }

    def _network(self, found: Any) -> NetworkRanges:
        known = (*sorted(NUMBERS), *CHOICES, *FLAGS)
        given = self._mapping(found, "network", known)
        ranges: dict[str, Range] = {}
        fixed: dict[str, str | bool] = {}
        for name, value in given.items():
            key = f"network.{name}"
            if name in CHOICES:
                fixed[name] = self._choice(value, key, CHOICES[name])
            elif name in FLAGS:
                if not isinstance(value, bool):
                    raise self._wrong(key, value, "true or false")
                fixed[name] = value
            else:
                ranges[name] = self._range(value, key, _limits(name))
        return NetworkRanges(ranges, fixed)


def _limits(name: str) -> Range:
    """Return what a number of a network may be."""
    if name in _SHARES:
        return 0.0, 1.0
    if name == "n_cores":
        return 1.0, 60.0
    if name in WHOLE:
        return 1.0, 60_000.0
    return (1e-9, 1e5) if name in ("service_s", "hold_s") else (0.0, 1e5)
