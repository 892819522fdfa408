"""Tables of what was recognised across protocols."""

from __future__ import annotations

from collections import Counter

import numpy as np

from traffic_siamese.types import NORMAL, UNKNOWN


def table(counts: dict[str, Counter[str]]) -> str:
    """Return a table, a row for each fault."""
    heads = ("windows right", "unknown", "normal", "incident raised", "rightly named")
    rows = [f"| fault | {' | '.join(heads)} | else mostly |", "|---" * (len(heads) + 2) + "|"]
    for label in sorted(counts, key=lambda name: (name == NORMAL, name)):
        words = [f"{cell:.2f}" for cell in shares(counts[label])]
        if label == NORMAL:
            words[2] = words[4] = "–"
        rows.append(f"| {label} | {' | '.join(words)} | {_mostly(counts[label], label)} |")
    means = np.mean([shares(n) for label, n in counts.items() if label != NORMAL], axis=0)
    rows.append(f"| **mean of the faults** | {' | '.join(f'{mean:.2f}' for mean in means)} | |")
    return "\n".join(rows)


def shares(n: Counter[str]) -> list[float]:
    """Return the shares of windows right, unknown, normal; of captures raised, rightly named."""
    windows, captures = max(n["windows"], 1), max(n["captures"], 1)
    of_windows = [n[key] / windows for key in ("right", "unknown", "normal")]
    return [*of_windows, *(n[key] / captures for key in ("raised", "named"))]


def side_by_side(tables: dict[str, dict[str, Counter[str]]]) -> str:
    """Return one table: windows right / captures rightly named, a column for each pair."""
    labels = sorted({label for counts in tables.values() for label in counts} - {NORMAL})
    rows = [f"| fault | {' | '.join(tables)} |", "|---" * (len(tables) + 1) + "|"]
    for label in labels:
        cells = [_brief(counts, label) for counts in tables.values()]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    means = []
    for counts in tables.values():
        right, _, _, _, named = np.mean(
            [shares(n) for label, n in counts.items() if label != NORMAL], axis=0
        )
        means.append(f"{right:.2f} / {named:.2f}")
    kept = [f"{shares(counts[NORMAL])[0]:.3f}" for counts in tables.values()]
    rows += [f"| **mean** | {' | '.join(means)} |", f"| normal kept | {' | '.join(kept)} |"]
    return "\n".join(rows)


def _brief(counts: dict[str, Counter[str]], label: str) -> str:
    if label not in counts:
        return "–"
    right, _, _, _, named = shares(counts[label])
    return f"{right:.2f} / {named:.2f}"


def _mostly(n: Counter[str], label: str) -> str:
    others = {
        name[3:]: count
        for name, count in n.items()
        if name.startswith("as ") and name[3:] not in (label, NORMAL, UNKNOWN)
    }
    most = max(others, key=lambda name: others[name], default="")
    share = others.get(most, 0) / max(n["windows"], 1)
    return f"{most} {share:.2f}" if share >= 0.1 else ""
