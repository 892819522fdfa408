"""A command run under a pseudo-terminal, and what then stands on its screen."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

IMPATIENT = (
    "import traffic_siamese.cli.progress as p; p._FIRST_S = 0.0; p._EVERY_S = 0.0005\n"
    "from traffic_siamese.cli import main; main()"
)
"""Progress from the start and often: small captures take no second."""
WIPE = b"\r\x1b[K"


def run(*words: object, stdout: Path | None = None, **environ: str) -> tuple[int, bytes]:
    """Run the command line on a terminal; return its status and all that the terminal was sent.

    With ``stdout``, standard output goes to that file and standard error alone to the terminal.
    """
    terminal, theirs = pty.openpty()
    kept = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR")
    clean = {name: value for name, value in os.environ.items() if name not in kept}
    with open(stdout or os.devnull, "wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT, *(str(word) for word in words)],
            stdin=subprocess.DEVNULL,
            stdout=file if stdout else theirs,
            stderr=theirs,
            env={**clean, "TERM": "xterm-256color", "COLUMNS": "100", **environ},
        )
    os.close(theirs)
    seen = b""
    while chunk := _read(terminal):
        seen += chunk
    os.close(terminal)
    return child.wait(), seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that nobody writes any more
        return b""


def screen(seen: bytes) -> list[str]:
    """Return the lines that are left on the screen, by the rules of a VT100, colours apart."""
    lines, column = [""], 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
    for part in re.findall(r"\x1b\[K|\r|\n|[^\x1b\r\n]+", plain):
        if part == "\n":
            lines.append("")
        elif part == "\r":
            column = 0
            continue
        elif part == "\x1b[K":
            lines[-1] = lines[-1][:column]
            continue
        else:
            lines[-1] = lines[-1][:column] + part + lines[-1][column + len(part) :]
        column = len(lines[-1]) if part != "\n" else 0
    return [line.rstrip() for line in lines if line.strip()]
