"""The compiled kernel: loading it, and handing it numpy arrays."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_PATH = Path(__file__).with_name("kernel" + _SUFFIX)


def _load() -> ctypes.CDLL:
    if not _PATH.exists():
        raise ImportError(
            f"{_PATH} is missing: the native kernel was not built. "
            "Install the package (pip install .), which compiles it."
        )
    return ctypes.CDLL(str(_PATH))


kernel = _load()


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """Address of a C-contiguous array's first element, for a ctypes call."""
    return ctypes.c_void_p(array.ctypes.data)
