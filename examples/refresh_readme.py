"""Run the commands that README and tutorial show, and put what they print now below them.

``make readme`` runs it, after anything that changes results. A block that starts with ``$`` is a
session; its commands run in order, those of one page in a scratch folder beside a link to data/.
The demo runs in its own folder, and its film and its page of incidents become those in
dashboards/. Pages named on the command line are renewed alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
DEMO = "make demo"


def main() -> None:
    """Renew every session, or those of the pages named on the command line."""
    pages = [Path(name).resolve() for name in sys.argv[1:]] or [README, TUTORIAL]
    for page in pages:
        renew(page)
    if README in pages:
        for name in ("separation.html", "incidents.html"):
            shutil.copyfile(ROOT / "demo" / name, ROOT / "dashboards" / name)


def renew(page: Path) -> None:
    """Renew the sessions of one page."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").symlink_to(ROOT / "data")
        page.write_text(BLOCK.sub(lambda match: renewed(match[1], folder), text), "utf-8")


def renewed(session: str, folder: Path) -> str:
    """Return a block with its commands run again."""
    commands = [line[2:] for line in session.splitlines() if line.startswith("$ ")]
    parts = [f"$ {command}\n{output_of(command, folder)}\n" for command in commands]
    return "```\n" + "".join(parts) + "```"


def output_of(command: str, folder: Path) -> str:
    """Run one command; of the demo, keep what it found and leave out the commands that it shows."""
    print(f"$ {command}", flush=True)
    if command == DEMO:
        shown = run([sys.executable, "examples/demo.py"], ROOT, stderr=None)
        return "\n".join(line for line in shown.splitlines() if line[:2] != "$ ").strip("\n")
    return run(["sh", "-c", command], folder, stderr=subprocess.STDOUT).strip("\n")


def run(command: list[str], folder: Path, *, stderr: int | None) -> str:
    """Run a command that must work, with this interpreter's programs first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()
