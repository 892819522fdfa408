"""Colours of a terminal: when there are any, and which label has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

_ORANGE = 208  # of the 256 colours that terminals have had for long
_LABELS: dict[str, dict[str, Any]] = {  # spelt out: types.py costs the import of numpy
    "normal": {"fg": "green"},
    "blocked": {"fg": "red"},
    "capacity": {"fg": _ORANGE},
    "unknown": {"dim": True},
}
_OTHERS: dict[str, Any] = {"fg": "magenta"}
_KINDS = {"Error": "red", "Problem": "red", "Warning": "yellow", "Skipped": "yellow"}


def colour_wish(environ: Mapping[str, str]) -> bool | None:
    """Return whether colours are asked for, forbidden, or left to whether it is a terminal.

    Parameters
    ----------
    environ : mapping
        The environment. ``NO_COLOR`` with any text forbids; else ``FORCE_COLOR`` and
        ``CLICOLOR_FORCE``, unless 0, ask for colours, also into files and pipes; else
        ``CLICOLOR=0`` and ``TERM=dumb`` forbid.

    Returns
    -------
    bool or None
        None where the environment says nothing.

    References
    ----------
    https://no-color.org and http://bixense.com/clicolors, which do not say which of them comes
    first; the order is that of Python's own interpreter.
    """
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return None


def coloured_label(label: str, text: str = "") -> str:
    """Write a label, or a text that stands for it, in its colour: normal is green, blocked red."""
    return click.style(text or label, **_LABELS.get(label, _OTHERS))


def coloured_kind(kind: str) -> str:
    """Write ``Error: ``, ``Warning: `` and the like."""
    return click.style(f"{kind}:", fg=_KINDS.get(kind, "yellow"), bold=kind == "Error") + " "
