"""What may have been meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known word, to follow a sentence; or nothing.

    Parameters
    ----------
    word : str
        As it was written.
    known : iterable of str
        What it could have been; case is not looked at.

    Examples
    --------
    >>> did_you_mean("clasify", ["train", "classify"])
    " Did you mean 'classify'?"
    >>> did_you_mean("film", ["train", "classify"])
    ''
    """
    folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), folded, n=1)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""
