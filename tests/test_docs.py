"""What docstrings say of parameters and attributes, against the signatures."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import traffic_siamese

NOT_IMPORTED = ("__main__",)
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


@cache
def _modules() -> dict[str, Any]:
    found = pkgutil.walk_packages(traffic_siamese.__path__, "traffic_siamese.")
    names = [info.name for info in found if not info.name.endswith(NOT_IMPORTED)]
    return {name: importlib.import_module(name) for name in names if "kernel" not in name}


def _public(module: Any) -> Iterator[tuple[str, Any]]:
    """Give a module's own public functions, classes, and their public methods."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing
        if inspect.isclass(thing):
            for method, member in vars(thing).items():
                function = getattr(member, "__func__", member)
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}.{method}", function


@cache
def _things() -> dict[str, Any]:
    return {
        f"{module.__name__.removeprefix('traffic_siamese.')}.{name}": thing
        for module in _modules().values()
        for name, thing in _public(module)
    }


def _section(thing: Any, title: str) -> list[str] | None:
    """Return the names that a numpydoc section documents; None without the section."""
    text = inspect.cleandoc(thing.__doc__ or "")
    parts = SECTION.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    if title not in sections:
        return None
    heads = [line for line in sections[title].splitlines() if re.match(r"[\w*]", line)]
    return [name.strip().lstrip("*") for head in heads for name in head.split(" : ")[0].split(",")]


def _parameters(thing: Any) -> list[str]:
    """Return the parameters of a function, or of making an instance of a class."""
    function = thing.__init__ if inspect.isclass(thing) else thing
    names = list(inspect.signature(function).parameters)
    return [name for name in names if name not in ("self", "cls")]


def _documented(title: str) -> list[str]:
    return sorted(name for name, thing in _things().items() if _section(thing, title) is not None)


def test_there_are_docstrings_to_compare() -> None:
    assert len(_things()) > 250
    assert len(_documented("Parameters")) > 60
    assert len(_documented("Attributes")) > 20


@pytest.mark.parametrize("name", _documented("Parameters"))
def test_documented_parameters_are_those_of_the_signature(name: str) -> None:
    """Each by its name, once, and none left out."""
    thing = _things()[name]
    assert sorted(_section(thing, "Parameters") or []) == sorted(_parameters(thing))


def _is_record(thing: Any) -> bool:
    return inspect.isclass(thing) and dataclasses.is_dataclass(thing)


@pytest.mark.parametrize(
    "name", [name for name in _documented("Attributes") if _is_record(_things()[name])]
)
def test_documented_attributes_are_the_fields(name: str) -> None:
    thing = _things()[name]
    fields = [field.name for field in dataclasses.fields(thing) if not field.name.startswith("_")]
    properties = [key for key, value in vars(thing).items() if isinstance(value, property)]
    documented = _section(thing, "Attributes") or []
    assert [one for one in documented if one not in properties] == fields


def test_every_public_name_has_a_docstring() -> None:
    """Methods may inherit theirs."""
    missing = [name for name, thing in _things().items() if not inspect.getdoc(thing)]
    assert missing == []


DEFAULT = re.compile(r"^(\w+) : .*\bdefault (?:is )?([^\s,;]+)$", re.MULTILINE)


def test_documented_defaults_are_those_of_the_signature() -> None:
    """``name : type, default value`` against the default, as Python writes it."""
    wrong = []
    for name in _documented("Parameters"):
        thing = _things()[name]
        signature = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
        for parameter, said in DEFAULT.findall(inspect.cleandoc(thing.__doc__ or "")):
            if parameter not in signature.parameters:
                continue
            default = signature.parameters[parameter].default
            if str(default) != said.strip("\"'"):
                wrong.append((name, parameter, said, default))
    assert wrong == []
