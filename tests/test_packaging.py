"""What is shipped: the wheel, the source archive, and the dependencies that they ask for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import traffic_siamese

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "traffic_siamese"
SOURCES = ("LICENSE", "README.md", "CHANGELOG.md", "MANIFEST.in", "pyproject.toml", "setup.py")
TRAINING_ONLY = {"tensorflow", "keras", "pandas", "scikit-learn", "onnx"}
OTHER_EXTRAS = {"starlette", "uvicorn", "tensorboard", "prometheus-client", "av", "pillow"}


@pytest.fixture(scope="module")
def source_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a build needs, so that nothing is written into the repository."""
    tree = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, tree)
    ignore = shutil.ignore_patterns("__pycache__", "kernel.*o", "*.dylib", "*.dll")
    shutil.copytree(PACKAGE, tree / PACKAGE.name, ignore=ignore)
    (tree / "tests").mkdir()
    (tree / "tests" / "test_nothing.py").touch()
    return tree


def _build(tree: Path, hook: str, target: Path) -> Path:
    """Call the build backend as pip does, but with the packages that are installed here."""
    script = f"import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(target.iterdir())


@pytest.fixture(scope="module")
def wheel(source_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(source_tree, "build_wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(source_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(source_tree, "build_sdist", tmp_path_factory.mktemp("sdist"))


def _files(folder: Path, *suffixes: str) -> set[str]:
    return {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }


@pytest.mark.slow
def test_the_wheel_fits_every_python_of_one_platform(wheel: Path) -> None:
    assert re.fullmatch(r"traffic_siamese-[\d.]+-py3-none-[a-z0-9_]+\.whl", wheel.name)
    assert not wheel.name.endswith("-any.whl")


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Modules, pages, the shipped model and the compiled kernel; no C source, no test."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    kernel = {name for name in names if name.startswith("traffic_siamese/native/kernel.")}
    kinds = (".py", ".typed", ".js", ".css", ".html", ".json", ".svg")
    expected = _files(PACKAGE, *kinds, ".onnx", ".keras", ".npz", ".sqlite")
    assert names - kernel == expected | {"traffic_siamese/py.typed"}
    assert len(kernel) == 1
    assert kernel.pop().endswith((".so", ".dylib", ".dll"))


@pytest.mark.slow
def test_the_wheel_asks_for_training_packages_only_in_the_extra(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    required = metadata.get_all("Requires-Dist", [])
    base = {re.split(r"[\s<>=!;\[]", line)[0] for line in required if "extra ==" not in line}
    extra = {re.split(r"[\s<>=!;\[]", line)[0] for line in required if "extra ==" in line}
    assert not base & (TRAINING_ONLY | OTHER_EXTRAS)
    assert extra == TRAINING_ONLY | OTHER_EXTRAS
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Version"] == traffic_siamese.__version__


@pytest.mark.slow
def test_the_wheels_modules_and_kernel_load_where_only_they_are(
    wheel: Path, tmp_path: Path
) -> None:
    """Unpacked elsewhere, the kernel is found beside the modules and the version is printed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import traffic_siamese.native as n;"
        "print(n.kernel._name); from traffic_siamese.cli import main; sys.argv[1:] = ['--version'];"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kernel, version = done.stdout.splitlines()
    assert Path(kernel).is_relative_to(tmp_path)
    assert version.split()[-1] == traffic_siamese.__version__


@pytest.mark.slow
def test_the_source_archive_holds_every_c_file_and_header(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert _files(PACKAGE / "native", ".c", ".h") <= {
        name.removeprefix("traffic_siamese/") for name in names
    }
    assert set(SOURCES) <= names
    assert not any(name.startswith(("tests", "data")) for name in names)


@pytest.mark.slow
def test_a_wheel_can_be_built_from_the_source_archive(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "out").mkdir()
    tree = next(path for path in tmp_path.iterdir() if path.name != "out")
    built = _build(tree, "build_wheel", tmp_path / "out")
    with zipfile.ZipFile(built) as archive:
        assert any("native/kernel." in name for name in archive.namelist())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compiler", "fetched"), [("", True), ("cc", False), ("some-compiler -m64", False)]
)
def test_a_compiler_is_fetched_only_where_there_is_none(
    source_tree: Path, tmp_path: Path, compiler: str, fetched: bool
) -> None:
    """Without CC and without cc, gcc or clang on the path, the build asks for ziglang."""
    environment = {name: value for name, value in os.environ.items() if name != "CC"}
    environment["PATH"] = str(tmp_path)
    if " " in compiler:
        environment["CC"] = compiler
    elif compiler:
        (tmp_path / compiler).write_text("#!/bin/sh\n")
        (tmp_path / compiler).chmod(0o755)
    script = (
        "from setuptools import build_meta;"
        "print('asks for', *build_meta.get_requires_for_build_wheel())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=source_tree,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("ziglang" in done.stdout.splitlines()[-1]) == fetched


def test_versions_agree() -> None:
    """The package, its metadata and the changelog name the same version."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert traffic_siamese.__version__ == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_labelled_capture_is_shipped_and_all_are_small() -> None:
    """Labels name captures that are there, every capture has labels, and 12 MB hold them all."""
    data = ROOT / "data"
    named = set()
    for name in ("train.csv", "test.csv"):
        lines = (data / name).read_text(encoding="utf-8").splitlines()[1:]
        named |= {line.split(",")[0] for line in lines}
    shipped = {path.relative_to(data).as_posix() for path in data.rglob("*.zst") if path.is_file()}
    assert named == shipped
    assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) < 12_000_000


def test_training_never_sees_the_fault_that_is_taught_later() -> None:
    text = (ROOT / "data" / "train.csv").read_text(encoding="utf-8")
    assert "route_misconfig" not in text
    assert "C/" not in text
