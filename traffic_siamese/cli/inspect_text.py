"""What is in a log, on one screen."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from traffic_siamese.cli.output import count, duration

_ODD = {
    "truncated": "truncated",
    "malformed": "malformed",
    "undecoded": "without an IP header",
    "out_of_order": "out of order",
    "fragments": "IP fragments",
}
_NAMES = {
    "diameter": "Diameter",
    "gtp": "GTP-C",
    "http": "HTTP",
    "ip_in_ip": "IP in IP",
    "geneve": "Geneve",
    "teredo": "Teredo",
}
_MAX_COLUMNS_TOLD = 10
_MAX_ELEMENTS_TOLD = 8
_MAX_CONSTANT_TOLD = 12
_LABEL_WIDTH = 12


def print_log(found: Mapping[str, Any]) -> None:
    """Write what `describe_log` found, without its warnings."""
    _line("log", found["log"])
    compressed = "" if found["compression"] == "none" else f", {found['compression']}"
    _line("format", found["format"] + compressed)
    _line("time", _time(found))
    if "packets" in found:
        _packets(found)
    if found["signalling"] or "packets" in found:
        _signalling(found)
    _series(found)
    if "columns" in found:
        _columns(found["columns"])
    if found["stretches"]:
        _line("constant", _constant(found))


def _line(label: str, text: str) -> None:
    """Write a label, and a text wrapped beside it."""
    width = min(max(shutil.get_terminal_size().columns, 60), 110)
    lines = textwrap.wrap(
        text, width - _LABEL_WIDTH, break_long_words=False, break_on_hyphens=False
    )
    for i, part in enumerate(lines or [""]):
        click.echo(f"{label if not i else '':<{_LABEL_WIDTH}}{part}".rstrip())


def _time(found: Mapping[str, Any]) -> str:
    if "first" in found:
        return _span(found["first"], found["last"], found["duration_s"])
    if "start" in found:
        return _span(found["start"], found["end"], found["length_s"])
    return "none"


def _span(start: str, end: str, seconds: float) -> str:
    """Write from when to when, the day once where it stays the same."""
    start, end = (text.replace("T", " ").removesuffix("Z") for text in (start, end))
    end = end[11:] if end[:10] == start[:10] else end
    return f"{start} – {end} UTC ({_long(seconds)})"


def _moment(step: Mapping[str, Any]) -> str:
    return str(step["from"]).replace("T", " ")[:19]


def _packets(found: Mapping[str, Any]) -> None:
    n = found["packets"]
    _line("packets", f"{n:,}, {_bytes(found['bytes'])} captured; {_shares(found['transports'], n)}")
    wraps = f"; inside {_shares(found['encapsulations'], n)}" if found["encapsulations"] else ""
    _line("links", _shares(found["link_types"], n) + wraps)
    odd = [f"{found[kind]:,} {words}" for kind, words in _ODD.items() if found[kind]]
    _line("odd", ", ".join(odd) or "none truncated, malformed or out of order")
    _line("silences", _gaps(found["gaps"]))
    if found["clock_jumps"]["count"]:
        _line("clock", _jumps(found["clock_jumps"]))


def _bytes(n: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n} bytes"


def _shares(counts: Mapping[str, int], total: int) -> str:
    """Write names with their shares, the largest first."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{_name(name)} {_percent(n, total)}" for name, n in ordered) or "none"


def _name(name: str) -> str:
    """Write a protocol's name as people do: most are abbreviations."""
    return _NAMES.get(name, name.upper().replace("_", "-") if name.islower() else name)


def _percent(n: int, total: int) -> str:
    share = 100 * n / max(total, 1)
    if share >= 99.95:
        return "100 %" if n >= total else "99.9 %"
    return f"{share:.0f} %" if share >= 1 else f"{max(share, 0.01):.2g} %"


def _gaps(gaps: Mapping[str, Any]) -> str:
    if not gaps["count"]:
        return "none of 10 s or more"
    days = {gap["from"][:10] for gap in gaps["longest"][:4]}
    begin = 11 if len(days) == 1 else 0  # the day stands above
    told = [f"{_moment(gap)[begin:]} for {duration(gap['seconds'])}" for gap in gaps["longest"][:4]]
    more = ", …" if gaps["count"] > len(told) else ""
    return f"{gaps['count']:,} of 10 s or more: {', '.join(told)}{more}"


def _jumps(jumps: Mapping[str, Any]) -> str:
    told = []
    for jump in jumps["longest"][:4]:
        seconds = jump["seconds"]
        way = "forward" if seconds > 0 else "back"
        told.append(f"{way} {_long(abs(seconds))} at {_moment(jump)}")
    more = ", …" if jumps["count"] > len(told) else ""
    return f"{count(jumps['count'], 'jump')}: {'; '.join(told)}{more}"


def _long(seconds: float) -> str:
    """Write a length of time that may be years."""
    days = seconds / 86_400
    if days >= 730:
        return f"{days / 365.25:.1f} years"
    return f"{days:.1f} days" if days >= 2 else duration(seconds)


def _signalling(found: Mapping[str, Any]) -> None:
    protocols = found["protocols"]
    total = sum(protocols.values())
    if not total:
        _line("signalling", "none found")
        return
    _line("signalling", f"{count(total, 'message')}: {_shares(protocols, total)}")
    for kind, counts in found["signalling"].items():
        _line(f"  {kind}", _counts(counts))


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in ordered) or "none"


def _series(found: Mapping[str, Any]) -> None:
    stretches = found["stretches"]
    if not stretches:
        _line("series", "none")
        return
    n_bins = sum(one["bins"] for one in stretches)
    what = f"{count(n_bins, 'bin')} of {_length(found['bin_s'])}"
    elements = found.get("elements", [])
    if len(elements) > 1:
        what += f" for {count(len(elements), 'element')} ({_elements(elements)})"
    if len(stretches) > max(len(elements), 1):
        what += f" in {count(len(stretches), 'stretch')}"
    _line("series", f"{what}; {count(found['features'], 'feature')}")
    _line("enough", _enough(found))


def _length(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else duration(seconds)


def _elements(elements: Sequence[str]) -> str:
    more = ", …" if len(elements) > _MAX_ELEMENTS_TOLD else ""
    return ", ".join(elements[:_MAX_ELEMENTS_TOLD]) + more


def _enough(found: Mapping[str, Any]) -> str:
    windows = found["windows"]
    size = f"windows of {_length(found['window_s'])}"
    if not windows:
        return f"no: not one of the {size} fits"
    n_logs = len({one["log"] for one in found["stretches"]})
    n_enough = len(found["enough_for_baseline"])
    if n_enough == n_logs:
        baseline = "enough to learn a baseline"
    elif n_enough:
        baseline = f"{n_enough} of {n_logs} elements are enough to learn a baseline"
    else:
        baseline = "too short to learn a baseline"
    return f"yes: {windows:,} {size}; {baseline}"


def _columns(all_columns: Sequence[Mapping[str, Any]]) -> None:
    """Write the first of the columns that change; those that do not have a line of their own."""
    columns = [one for one in all_columns if not one["constant"]]
    told = columns[:_MAX_COLUMNS_TOLD]
    for i, one in enumerate(told):
        words = [one["kind"], *([f"in {one['unit']}"] if one["unit"] else [])]
        span = f"{one['min']:.4g} to {one['max']:.4g} in a bin"
        _line("columns" if not i else "", f"{one['name']}: {' '.join(words)}, {span}")
    if len(columns) > len(told):
        _line("", f"… and {len(columns) - len(told)} more (--json tells all)")


def _constant(found: Mapping[str, Any]) -> str:
    from traffic_siamese.inspection.columns import fold_directions

    names = found["constant_features"]
    if sum(one["bins"] for one in found["stretches"]) < 2:
        return "cannot be told from less than two bins"
    if not names:
        return "nothing: every feature changes"
    folded = fold_directions(names)
    more = f", … (--json tells all {len(names)})" if len(folded) > _MAX_CONSTANT_TOLD else ""
    told = ", ".join(name.replace("_", " ") for name in folded[:_MAX_CONSTANT_TOLD])
    return f"{len(names)} of {count(found['features'], 'feature')} say nothing here: {told}{more}"
