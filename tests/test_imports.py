"""What each file may import, and what each command costs before it does anything."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import traffic_siamese

PACKAGE = Path(traffic_siamese.__file__).parent
FLOORS = (
    "errors times native projector_files feature_schema spelling principal",
    "types like_columns",
    "captures backend windows tables embedding history log_detail metrics collapse augment oneshot",
    "features relations labels bundle checkpoint split encoder mining views alarms table_calm "
    "verdict_captures",
    "baseline schema_arrays table_schema logs losses nested_loss onnx_graph generators "
    "recorder starting incidents live bags",
    "scaling conforming reasons steadiness keeper training_options branches member_batches",
    "preparation simulate known tensorboard_log",
    "labelled_reading",
    "model drift example_windows training labelled_logs simulation",
    "explanation network_straying",
    "detailing",
    "classification similar teaching network_normal straying fit_options inspection exporting "
    "filming",
    "publishing noc",
    "fitting",
    "pipeline evaluation",
    "cli",
    "__main__ __init__",
)
"""From the ground up; a file imports from floors below its own, and from its own folder."""

HEAVY = ("keras", "numpy", "onnxruntime", "pandas", "plotly", "pyarrow", "sklearn", "tensorflow")
ONLY_IN = {
    "click": {"cli"},
    "plotly": {"views"},
    "keras": {"backend"},
    "tensorflow": set(),
    "pandas": set(),
    "sklearn": {"oneshot", "evaluation"},  # its tags, when scikit-learn asks for them; a peer
    "scipy": set(),
    "starlette": {"live"},
    "uvicorn": {"live"},
    "tensorboard": {"tensorboard_log"},
    "pickle": set(),
}
COMMANDS = (
    "init",
    "train",
    "classify",
    "similar",
    "baseline",
    "evaluate",
    "simulate",
    "film",
    "watch",
    "features",
    "inspect",
    "export",
    "completion",
)
FAULT_COMMANDS = ("add", "list", "show", "rename", "remove")


@cache
def _sources() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }


def _unit(path: str) -> str:
    return Path(path).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> set[str]:
    """Return every module that is imported anywhere, submodules named in full."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {_full_name(node.module or "", alias.name) for alias in node.names}
    return found


def _full_name(module: str, name: str) -> str:
    is_submodule = (PACKAGE.parent / module.replace(".", "/") / f"{name}.py").exists()
    return f"{module}.{name}" if is_submodule else module


def test_every_file_has_a_floor() -> None:
    placed = " ".join(FLOORS).split()
    assert set(placed) == {_unit(path) for path in _sources()}
    assert len(set(placed)) == len(placed)


@pytest.mark.parametrize("path", sorted(_sources()))
def test_a_file_imports_only_from_floors_below(path: str) -> None:
    floor = {unit: level for level, units in enumerate(FLOORS) for unit in units.split()}
    for name in _imports(_sources()[path]):
        parts = name.split(".")
        if parts[0] != "traffic_siamese" or len(parts) == 1:
            continue
        below = floor.get(parts[1], 99) < floor.get(_unit(path), 99)
        assert below or _unit(path) in (parts[1], "__init__"), f"{path} imports {name}"


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_package_is_imported_only_where_it_belongs(package: str) -> None:
    users = {
        _unit(path)
        for path, tree in _sources().items()
        if any(name.split(".")[0] == package for name in _imports(tree))
    }
    assert users <= ONLY_IN[package]


@pytest.mark.parametrize("path", sorted(_sources()))
def test_no_file_prints_asserts_or_is_unfinished(path: str) -> None:
    tree, text = _sources()[path], (PACKAGE / path).read_text(encoding="utf-8")
    names = {node.func.id for node in ast.walk(tree) if _calls_name(node)}
    assert "print" not in names
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    assert not any(mark in text for mark in ("TODO", "FIXME", "XXX"))


def _calls_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _heavy_after(code: str) -> set[str]:
    """Run code in a child interpreter; return the heavy packages it has imported."""
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit as end:\n    assert not end.code, end\n"
        f"import json; sys.stderr.write(json.dumps([n for n in {HEAVY} if n in sys.modules]))"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    return set(json.loads(child.stderr.splitlines()[-1]))


def _cli(*arguments: object) -> str:
    words = [str(argument) for argument in arguments]
    return f"from traffic_siamese.cli.app import cli; cli({words!r})"


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert _heavy_after("import traffic_siamese; dir(traffic_siamese)") == set()


def test_public_names_are_what_they_say() -> None:
    for name in traffic_siamese.__all__:
        assert getattr(traffic_siamese, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        traffic_siamese.nothing  # noqa: B018


def test_the_notebook_api_needs_no_tensorflow() -> None:
    names = "add_fault, classify, film, learn_network, read_series, train, OneShotClassifier"
    assert _heavy_after(f"from traffic_siamese import {names}") <= {"numpy"}


@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), *((c, "--help") for c in COMMANDS)]
    + [("faults", c, "--help") for c in FAULT_COMMANDS],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert _heavy_after(_cli(*words)) == set()


def test_classifying_to_csv_imports_only_what_it_runs(
    captures: Path, model: Path, tmp_path: Path
) -> None:
    log, output = captures / "A/refused-1.pcap", tmp_path / "verdicts.csv"
    code = _cli("classify", log, "--model", model, "-o", output)
    assert _heavy_after(code) == {"numpy", "onnxruntime"}
    assert output.stat().st_size > 0
