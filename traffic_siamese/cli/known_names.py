"""What the shell completes from a model: its faults, its networks."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from itertools import pairwise

import click

from traffic_siamese.errors import TrafficSiameseError

_OPTIONS = ("-m", "--model")


def complete_fault(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the faults of the model on the line that begin as what was typed."""
    from traffic_siamese.oneshot.stored_names import stored_labels

    return _complete(ctx, stored_labels, incomplete)


def complete_network(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the networks of the model on the line that begin as what was typed."""
    from traffic_siamese.oneshot.stored_names import stored_networks

    return _complete(ctx, stored_networks, incomplete)


def _complete(
    ctx: click.Context, names_in: Callable[[str], list[str]], incomplete: str
) -> list[str]:
    model = ctx.params.get("model") or _model_behind()
    if not model:
        return []
    try:
        return [name for name in names_in(os.path.expanduser(model)) if name.startswith(incomplete)]
    except TrafficSiameseError:  # half a line is no place to complain
        return []


def _model_behind() -> str | None:
    """Return the model where it stands behind the cursor: the shell hands over the whole line."""
    try:
        words = shlex.split(os.environ.get("COMP_WORDS", ""))
    except ValueError:
        return None
    # bash takes the equals sign for a word of its own
    split = [part for word in words for part in _parts(word) if part not in ("", "=")]
    for option, value in pairwise(split):
        if option in _OPTIONS:
            return value
    return None


def _parts(word: str) -> list[str]:
    return word.split("=", 1) if word.startswith("-") else [word]
