"""What a label and a network may be called."""

from __future__ import annotations

import unicodedata

from traffic_siamese.errors import LibraryError
from traffic_siamese.types import UNKNOWN

_LONGEST_NAME = 64
_CONTROL = ("Cc", "Cs", "Zl", "Zp")  # Unicode: control, surrogate, line and paragraph separator


def check_label_name(name: str) -> str:
    """Return ``name`` if a label may be called so.

    Raises
    ------
    LibraryError
        If it is empty, longer than 64 characters, ``unknown``, has spaces around it, or holds a
        comma or a control character, either of which would break the tables it is written to.
    """
    _check_name("label", name)
    if name.casefold() == UNKNOWN:
        raise LibraryError(
            f"label {name!r} is reserved: it says that no label fits. Choose another name."
        )
    return name


def check_network_name(name: str) -> str:
    """Return ``name`` if a network may be called so: as a label, but ``unknown`` is no exception.

    Raises
    ------
    LibraryError
        If it is empty, longer than 64 characters, has spaces around it, or holds a comma or a
        control character.
    """
    _check_name("network", name)
    return name


def _check_name(kind: str, name: str) -> None:
    if not name or name != name.strip() or len(name) > _LONGEST_NAME:
        raise LibraryError(
            f"{kind} {name!r} has {len(name)} characters, expected 1 to {_LONGEST_NAME} without "
            "spaces around them. Choose another name."
        )
    bad = [char for char in name if char == "," or unicodedata.category(char) in _CONTROL]
    if bad:
        raise LibraryError(
            f"{kind} {name!r} holds {bad[0]!r}, expected no commas and no control characters. "
            "Choose another name."
        )
