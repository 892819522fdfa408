"""What ``bundle.json`` says about a model, and which files it points to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.errors import BundleError
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.types import WindowSpec

FORMAT_VERSION = 1
CONTENT_NAME = re.compile(r"(encoder|scaling|history)-[0-9a-f]{16}\.(keras|onnx|npz)")
FILES = {
    "keras": "encoder-{}.keras",
    "onnx": "encoder-{}.onnx",
    "scaling": "scaling-{}.npz",
    "history": "history-{}.npz",
}


@dataclass(frozen=True, slots=True, eq=False)
class BundleInfo:
    """What ``bundle.json`` says about a model.

    Attributes
    ----------
    feature_names : tuple of str
        Columns of the raw windows.
    window : WindowSpec
        How series are cut.
    embedding_dim : int
        Width of an embedding.
    labels : tuple of str
        Labels it was trained on.
    calibration : Calibration
        Radii and temperature.
    training, metrics : dict
        Settings and results of the training, as plain values; NaN becomes null.
    versions : dict of str to str
        Packages it was made with; see `package_versions`.
    created : str
        RFC 3339 time, UTC.
    """

    feature_names: tuple[str, ...]
    window: WindowSpec
    embedding_dim: int
    labels: tuple[str, ...]
    calibration: Calibration
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""


def package_versions() -> dict[str, str]:
    """Versions of the packages that shape a model, read without importing them."""
    names = ("traffic-siamese", "numpy", "onnxruntime", "onnx", "keras", "tensorflow")
    installed = {}
    for name in names:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def to_json(info: BundleInfo, files: dict[str, dict[str, str]]) -> bytes:
    """Write the pointer: ``files`` gives the name and SHA-256 of each kind in ``FILES``.

    Raises
    ------
    ValueError
        If a setting is no plain value.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "created": info.created,
        "versions": info.versions,
        "files": files,
        "feature_names": list(info.feature_names),
        "window": asdict(info.window),
        "embedding_dim": info.embedding_dim,
        "labels": list(info.labels),
        "calibration": info.calibration.to_json(),
        "training": info.training,
        "metrics": info.metrics,
    }
    try:
        return json.dumps(_plain(document), indent=1, allow_nan=False).encode()
    except TypeError as err:
        raise ValueError(f"a setting cannot be stored: {err}, expected plain values") from err


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def from_json(where: Path, pointer: bytes) -> tuple[BundleInfo, dict[str, dict[str, str]]]:
    """Read what ``to_json`` wrote; ``where`` is what the errors call it.

    Raises
    ------
    BundleError
        If it is malformed, or of another format version.
    """
    try:
        document = json.loads(pointer)
        _check_version(where, document["format_version"])
        files = {kind: document["files"][kind] for kind in FILES}
        if not all(CONTENT_NAME.fullmatch(entry["name"]) for entry in files.values()):
            raise ValueError("a file name without its hash")
        if not all(isinstance(entry["sha256"], str) for entry in files.values()):
            raise ValueError("a SHA-256 that is no text")
        info = BundleInfo(
            tuple(map(str, document["feature_names"])),
            WindowSpec(**document["window"]),
            int(document["embedding_dim"]),
            tuple(map(str, document["labels"])),
            Calibration.from_json(document["calibration"]),
            training=dict(document["training"]),
            metrics=dict(document["metrics"]),
            versions=dict(document["versions"]),
            created=str(document["created"]),
        )
    except KeyError as err:
        raise _malformed(where, f"no entry {err}") from err
    except (ValueError, TypeError, RecursionError) as err:
        raise _malformed(where, str(err)) from err
    return info, files


def _malformed(where: Path, found: str) -> BundleError:
    return BundleError(
        f"{where}: malformed: found {found}; expected what traffic-siamese train writes. "
        "Restore the file from a copy, or train the model again."
    )


def _check_version(where: Path, version: object) -> None:
    if version == FORMAT_VERSION:
        return
    newer = isinstance(version, int) and version > FORMAT_VERSION
    raise BundleError(
        f"{where}: found bundle format {version!r}, expected {FORMAT_VERSION}. "
        + ("Written by a newer version: upgrade traffic-siamese." if newer else "Train it again.")
    )
