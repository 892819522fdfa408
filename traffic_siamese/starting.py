"""Start a model without training: a copy of the one that ships with the package."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path

from traffic_siamese.bundle import Bundle, copy_bundle
from traffic_siamese.errors import BundleError


def start_model(path: str | Path) -> Bundle:
    """Copy the shipped model, to classify with it and to teach it faults of one's own.

    Its encoder was trained on captures of three SIP networks and on virtual faults; its library
    knows the faults of those captures.

    Parameters
    ----------
    path : str or Path
        Directory to make.

    Raises
    ------
    BundleError
        If something is there already, it cannot be written, or the package holds no model.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BundleError(
            f"{path}: exists already, expected a new directory. Choose another name, or remove it."
        )
    with shipped_model() as shipped:
        return copy_bundle(shipped, path)


def shipped_model() -> AbstractContextManager[Path]:
    """Open the shipped model: a directory for as long as the context lasts."""
    return as_file(files("traffic_siamese") / "pretrained")
