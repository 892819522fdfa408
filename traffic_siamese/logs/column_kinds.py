"""What a column of numbers holds: a running counter, an amount per row, or a state."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_siamese.feature_schema import Kind

_RATE = re.compile(
    r"(^|[_\W])(pps|bps|kbps|mbps|gbps|rate|ratio|pct|percent|share|avg|average|mean|median|min|max"
    r"|p\d\d|util\w*|usage|load|temp\w*|status|state|level|delay|latency|rtt|jitter|idle|gauge)"
    r"([_\W]|$)|per_?s(ec(ond)?)?$|/s$|%",
    re.IGNORECASE,
)
_RUNNING = re.compile(r"(_total|_count|_sum|_bucket|counter)$", re.IGNORECASE)
_AMOUNT = re.compile(
    r"octets?|bytes?|packets?|pkts?|frames|errors?|discards?|drops?|dropped|failures?|requests?"
    r"|responses?|attempts?|success\w*|messages?|calls?|events?|retrans\w*|timeouts?|resets?|hits"
    r"|count|num_|n_|nbr",
    re.IGNORECASE,
)
_LEAST_RISES = 3
_RISES_PER_FALL = 10
_LOW = 0.5


@dataclass(frozen=True, slots=True)
class KindGuess:
    """A guess and why."""

    kind: Kind
    reason: str


def guess_kind(name: str, values: NDArray[np.float64]) -> KindGuess:
    """Guess what a column holds.

    Parameters
    ----------
    name : str
    values : ndarray of shape (n_rows,), float64
        In time order; NaN where missing.

    Returns
    -------
    KindGuess
        ``counter`` for whole numbers that only rise, but for wraps and resets, or are called
        ``_total`` and do; ``delta`` for other whole numbers whose name is that of an amount;
        ``gauge`` for the rest.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return KindGuess("gauge", "empty")
    is_whole = bool(np.all(known == np.rint(known)) and known.min() >= 0)
    is_amount = bool(_AMOUNT.search(name))
    if _RATE.search(name):
        return KindGuess("gauge", "its name is that of a rate or a state")
    if np.ptp(known) == 0:
        kind: Kind = "delta" if is_whole and is_amount and known[0] == 0 else "gauge"
        return KindGuess(kind, "constant")
    if _is_running(known) and (is_whole or _RUNNING.search(name)):
        return KindGuess("counter", "only rises, but for wraps and resets")
    if is_whole and is_amount:
        return KindGuess("delta", "whole numbers, and its name is that of an amount")
    return KindGuess("gauge", "rises and falls")


def _is_running(known: NDArray[np.float64]) -> bool:
    """Tell whether values rise only, and where they fall, do so as a wrap or a reset would."""
    steps = np.diff(known)
    rises, falls = np.count_nonzero(steps > 0), np.flatnonzero(steps < 0)
    if rises < max(_LEAST_RISES, _RISES_PER_FALL * len(falls)):
        return False
    if len(falls) and not np.all(known[falls + 1] < _LOW * known[falls]):
        return False
    return bool(known.max() > 0)


def agree_on_kind(guesses: list[KindGuess]) -> KindGuess:
    """Return the guess that most elements of a table share, constant ones not asked."""
    telling = [guess for guess in guesses if guess.reason not in ("constant", "empty")] or guesses
    kinds = [guess.kind for guess in telling]
    common = max(dict.fromkeys(kinds), key=kinds.count)
    return next(guess for guess in telling if guess.kind == common)
