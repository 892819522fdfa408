"""The command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``traffic-siamese``."""
    from traffic_siamese.cli.app import cli

    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no characters; a terminal may know few of them.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="traffic-siamese")
