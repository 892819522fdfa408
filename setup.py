"""Compile the native kernel: one plain shared library, called through ctypes.

It uses no Python headers, so any C compiler will do. Where the machine has none, the build asks
for the ``ziglang`` wheel, which brings one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NATIVE = Path("traffic_siamese/native")
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
SYSTEM_COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")


class BuildKernel(build_ext):
    """Compile every C file of the kernel into ``traffic_siamese/native/kernel.so``."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the library plainly: it is no Python module."""
        return str(Path(*fullname.split("."))) + SUFFIX

    def build_extension(self, ext: Extension) -> None:
        """Call the C compiler once."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        compiler = [SYSTEM_COMPILER] if SYSTEM_COMPILER else [sys.executable, "-m", "ziglang", "cc"]
        flags = ["-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fwrapv", "-Wall", "-Wextra"]
        flags += os.environ.get("TRAFFIC_SIAMESE_CFLAGS", "").split()
        subprocess.run([*compiler, *flags, "-o", str(target), *ext.sources, "-lm"], check=True)


class PlainWheel(bdist_wheel):
    """The kernel depends on the platform, not on the Python version."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag the wheel ``py3-none-PLATFORM``."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "traffic_siamese.native.kernel",
            sources=sorted(str(path) for path in NATIVE.glob("*.c")),
            depends=sorted(str(path) for path in NATIVE.glob("*.h")),
        )
    ],
    cmdclass={"build_ext": BuildKernel, "bdist_wheel": PlainWheel},
    setup_requires=[] if SYSTEM_COMPILER else ["ziglang"],
)
