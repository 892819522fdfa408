"""One change, in words: from what is usual to what is, and how many times that is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from traffic_siamese.explanation.comparison import Comparison
from traffic_siamese.explanation.figures import (
    bytes_per_s,
    figure,
    fraction,
    percent,
    seconds,
    times,
)
from traffic_siamese.explanation.topics import split_direction
from traffic_siamese.explanation.vocabulary import clients, is_refusal, subject
from traffic_siamese.features.slots import ANSWER_CLASSES

_NOTHING = 0.02  # per second: what is seldomer is not there
_SELDOM = 0.2  # per second: of what is seldomer, many times as much is no figure
_ALMOST_GONE = 0.03  # of what is usual
_AS_MUCH = 0.25  # of the logarithm, between means: within it, only the course over time differs
_TELLING_POINTS = 0.03  # by which a share must differ to say more than a rate
_MANY_REQUESTS = 0.1  # per second, for shares of them
_FINAL = tuple(name for name in ANSWER_CLASSES if name != "provisional")
_DELAYS = {
    "first_answer_delay_median_s": "answers",
    "final_answer_delay_median_s": "final answers",
    "first_answer_delay_p95_s": "slowest answers",
    "final_answer_delay_p95_s": "slowest final answers",
}
_AS_USUAL = {
    "source_entropy_bits": "number of senders",
    "active_endpoints": "number of senders",
    "session_length_mean_s": "session length",
    "first_answer_delay_std_s": "answer times",
    "targets_per_source": "targets per sender",
}


def change_phrase(seen: Comparison, column: int) -> str:
    """Say how one feature differs from normal.

    Answers of a class that is no success are told as shares of all final answers of their
    direction, and requests without an answer as shares of the requests, where shares differ.

    Parameters
    ----------
    seen : Comparison
    column : int
        Of the feature.

    Returns
    -------
    str
        Such as ``503 share 0 % → 41 %``, ``answers 6× slower (24 ms → 150 ms)``, or ``INVITEs fell
        to a tenth (18 → 1.8/s)``.
    """
    before, now = float(seen.normal[column]), float(seen.seen[column])
    name = seen.schema.names[column]
    if seen.schema.is_table:
        return f"{name} {figure(before)} → {figure(now)}{_ratio_note(before, now)}"
    direction, bare = split_direction(name)
    if bare in _DELAYS:
        return _delay(_asked_of(direction, _DELAYS[bare], seen.protocol), before, now)
    special = _SPECIAL.get(bare)
    if special is not None:
        return special(seen, name, before, now)
    share = _share(seen, direction, bare)
    if share is not None:
        noun = "share" if is_refusal(bare) else ""
        return f"{subject(name, seen.protocol, noun=noun)} {share}"
    return _rate(seen, name, before / seen.bin_s, now / seen.bin_s)


def unchanged_phrase(seen: Comparison, column: int) -> str:
    """Say that one feature is as usual; that it is still absent, if it usually is."""
    name = seen.schema.names[column]
    direction, bare = split_direction(name)
    if seen.schema.is_table:
        return f"{name} unchanged"
    if bare in _DELAYS:
        return f"{_asked_of(direction, 'answer', seen.protocol)} times unchanged"
    rates = (seen.normal[column] / seen.bin_s, seen.seen[column] / seen.bin_s)
    if seen.schema.features[column].is_count and max(rates) < _NOTHING:
        return f"no {_counted(name, seen.protocol)}"
    if is_refusal(bare):
        return f"{subject(name, seen.protocol, noun='share')} unchanged"
    called = subject(name, seen.protocol)
    if bare.startswith("request_") or bare == "new_transactions":
        return f"{called.removesuffix('s')} rate unchanged"
    return f"{_AS_USUAL.get(bare, called)} unchanged"


def _asked_of(direction: str, what: str, protocol: str) -> str:
    """Delays belong to the direction of the request: those from the service, clients answer."""
    return f"{clients(protocol)}' {what}" if direction == "from_service" else what


def _counted(name: str, protocol: str, *, rises: bool = False) -> str:
    noun = "answers" if is_refusal(split_direction(name)[1]) else ""
    return subject(name, protocol, noun=noun, rises=rises)


def _rate(seen: Comparison, name: str, before: float, now: float) -> str:
    called = _counted(name, seen.protocol, rises=now > before)
    if name.endswith("_bytes"):
        old, new = bytes_per_s(before), bytes_per_s(now)
        figures = f"{old} → {new}"
    else:
        unit = " packets/s" if name.endswith("_packets") else "/s"
        old, new = f"{figure(before)}{unit}", f"{figure(now)}{unit}"
        figures = f"{figure(before)} → {new}"
    if before < _NOTHING:
        return f"{called} 0 → {new}"
    ratio = now / before
    if before < _SELDOM and ratio > 1:
        return f"{called} {figures}"
    if abs(np.log(max(ratio, _ALMOST_GONE))) < _AS_MUCH:
        return f"{called} in bursts (as much as usual)"
    if now < _NOTHING:
        return f"{called} stopped (was {old})"
    if ratio < _ALMOST_GONE:
        return f"{called} almost stopped ({figures})"
    if ratio < 1:
        return f"{called} fell to {fraction(ratio)} ({figures})"
    return f"{times(ratio)} more {called} ({figures})"


def _share(seen: Comparison, direction: str, bare: str) -> str | None:
    """Return the figures of a share, where the share tells more than the rate."""
    parts = _parts(seen, direction, bare)
    if parts is None:
        return None
    (part_before, part_now), (whole_before, whole_now) = parts
    if min(whole_before, whole_now) < _MANY_REQUESTS * seen.bin_s or part_now > whole_now:
        return None
    before, now = part_before / whole_before, part_now / whole_now
    if abs(now - before) < _TELLING_POINTS:
        return None
    return f"{percent(before)} → {percent(now)}"


def _parts(
    seen: Comparison, direction: str, bare: str
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return part and whole of a share, each usual and now; None for what is no part."""
    if is_refusal(bare):
        whole = [f"{direction}_answer_{name}" for name in _FINAL]
    elif bare.startswith("unanswered"):
        whole = [f"{direction}_new_transactions"]
    else:
        return None
    columns = [seen.index(name) for name in whole]
    column = seen.index(f"{direction}_{bare}")
    sums = (float(np.sum(figures[columns])) for figures in (seen.normal, seen.seen))
    before, now = sums
    return (float(seen.normal[column]), float(seen.seen[column])), (before, now)


def _delay(called: str, before: float, now: float) -> str:
    if before < 0.0005:
        return f"{called} take {seconds(now)}"
    figures = f"({seconds(before)} → {seconds(now)})"
    if now >= before:
        return f"{called} {times(now / before)} slower {figures}"
    return f"{called} {times(before / max(now, 0.0005))} faster {figures}"


def _ratio_note(before: float, now: float) -> str:
    if before <= 0 or now <= 0 or 2 / 3 < now / before < 1.5:
        return ""
    return f" ({times(now / before)})" if now > before else f" ({fraction(now / before)})"


def _percent_change(seen: Comparison, name: str, before: float, now: float) -> str:
    of = " of the time" if name.endswith("idle_share") else ""
    return f"{subject(name, seen.protocol)} {percent(before)} → {percent(now)}{of}"


def _variation(seen: Comparison, name: str, before: float, now: float) -> str:
    called = _asked_of(split_direction(name)[0], "answer", seen.protocol)
    return f"{called} times vary by {seconds(before)} → {seconds(now)}"


def _length(seen: Comparison, name: str, before: float, now: float) -> str:
    return f"sessions last {seconds(before)} → {seconds(now)}"


def _size(seen: Comparison, name: str, before: float, now: float) -> str:
    return f"{subject(name, seen.protocol)} {figure(before)} → {figure(now)} bytes"


def _endpoints(seen: Comparison, name: str, before: float, now: float) -> str:
    return f"active {clients(seen.protocol)} {figure(before)} → {figure(now)}"


def _spreading(seen: Comparison, name: str, before: float, now: float) -> str:
    over = "fewer" if now < before else "more"
    return f"traffic comes from {over} {clients(seen.protocol)}"


def _targets(seen: Comparison, name: str, before: float, now: float) -> str:
    one = clients(seen.protocol).removesuffix("s")
    return f"targets per {one} {figure(before)} → {figure(now)}"


_SPECIAL: dict[str, Callable[[Comparison, str, float, float], str]] = {
    "idle_share": _percent_change,
    "busiest_source_share": _percent_change,
    "first_answer_delay_std_s": _variation,
    "session_length_mean_s": _length,
    "mean_size_bytes": _size,
    "active_endpoints": _endpoints,
    "source_entropy_bits": _spreading,
    "targets_per_source": _targets,
}
