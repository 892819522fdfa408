"""Compile the native kernel: one plain shared library, called through ctypes.

It uses no Python headers, so any C compiler will do. Where the machine has none, the build asks
for the ``ziglang`` wheel, which brings one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NATIVE = Path("traffic_siamese/native")
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
FLAGS = "-std=c11 -O3 -fPIC -shared -fvisibility=hidden -fwrapv -Wall -Wextra"
ZIG = [sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]


def system_compiler() -> list[str]:
    """Return the command of the machine's C compiler, empty where it has none."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    return [name for name in ("cc", "gcc", "clang") if shutil.which(name)][:1]


class BuildKernel(build_ext):
    """Compile every C file of the kernel into ``traffic_siamese/native/kernel.so``."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the library plainly: it is no Python module."""
        return str(Path(*fullname.split("."))) + SUFFIX

    def build_extension(self, ext: Extension) -> None:
        """Call the C compiler once, and replace the library in one step: it may be in use."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"fresh-{os.getpid()}{SUFFIX}")
        flags = [*FLAGS.split(), *os.environ.get("TRAFFIC_SIAMESE_CFLAGS", "").split()]
        compiler = system_compiler() or ZIG
        subprocess.run([*compiler, *flags, "-o", str(fresh), *ext.sources, "-lm"], check=True)
        fresh.replace(target)


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
    setup_requires=[] if system_compiler() else ["ziglang"],
)
